import Bus
import Dispatch
import Messages
import ServiceKit
import Synchronization

/// What the bus counts. Its threads add to plain numbers; the registry learns the sums once a second.
final class BusCounts: Sendable {
    private struct Drop: Hashable {
        var reason: String
        var client: String
    }

    private struct Counts {
        var forwarded = 0
        var requests = 0
        var drops: [Drop: Int] = [:]
    }

    /// Clients that have a label of their own in the metrics, in the life of this process.
    static let mostLabels = 256

    private struct State {
        var fresh = Counts()
        var drops: [String: Int] = [:]
        var labels: Set<String> = []
        var ledger = DenialLedger()
    }

    private let state = Mutex(State())
    private let registry: MetricsRegistry

    init(registry: MetricsRegistry) { self.registry = registry }

    func forwarded(_ count: Int) {
        if count > 0 { state.withLock { $0.fresh.forwarded += count } }
    }

    func requested() { state.withLock { $0.fresh.requests += 1 } }

    /// Only counted: nobody did anything that was not allowed.
    func dropped(_ reason: String, client: String = "local") {
        state.withLock { Self.count(reason, client, in: &$0) }
    }

    /// Counted and told.
    func denied(_ reason: Denial, client: String, key: PeerKey?, example: @autoclosure () -> String?) {
        denied(reason.rawValue, client: client, key: key, example: example())
    }

    func denied(_ reason: String, client: String, key: PeerKey?, example: @autoclosure () -> String?) {
        state.withLock { state in
            Self.count(reason, client, in: &state)
            state.ledger.note(reason, client: client, key: key, example: example(), now: Self.now)
        }
    }

    private static func count(_ reason: String, _ client: String, in state: inout State) {
        let isKnown = state.labels.contains(client)
        if !isKnown, state.labels.count < mostLabels { state.labels.insert(client) }
        let label = isKnown || state.labels.contains(client) ? client : "other"
        state.fresh.drops[Drop(reason: reason, client: label), default: 0] += 1
        state.drops[reason, default: 0] += 1
    }

    /// In all, by reason.
    var drops: [String: Int] { state.withLock { $0.drops } }

    /// What is to be told of clients now.
    func reports() -> [ClientDenied] { state.withLock { $0.ledger.due(now: Self.now) } }

    private static var now: Duration { .nanoseconds(Int64(DispatchTime.now().uptimeNanoseconds)) }

    func flush() {
        let fresh = state.withLock { state in
            defer { state.fresh = Counts() }
            return state.fresh
        }
        registry.count("martlet_bus_forwarded_total", "Live messages forwarded.", by: Double(fresh.forwarded))
        registry.count("martlet_bus_requests_total", "Requests routed.", by: Double(fresh.requests))
        for (drop, count) in fresh.drops {
            registry.count(
                "martlet_bus_dropped_total", "Messages dropped and requests refused, by reason and client.",
                labels: [("reason", drop.reason), ("client", drop.client)], by: Double(count))
        }
    }
}
