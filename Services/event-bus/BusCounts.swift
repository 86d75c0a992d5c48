import ServiceKit
import Synchronization

/// What the bus counts. Its threads add to plain numbers; the registry learns the sums once a second.
final class BusCounts: Sendable {
    private struct Counts {
        var forwarded = 0
        var requests = 0
        var drops: [String: Int] = [:]
    }

    private let counts = Mutex(Counts())
    private let total = Mutex(Counts())
    private let registry: MetricsRegistry

    init(registry: MetricsRegistry) { self.registry = registry }

    func forwarded(_ count: Int) {
        if count > 0 { counts.withLock { $0.forwarded += count } }
    }

    func requested() { counts.withLock { $0.requests += 1 } }
    func dropped(_ reason: String) { counts.withLock { $0.drops[reason, default: 0] += 1 } }

    var drops: [String: Int] {
        let fresh = counts.withLock { $0.drops }
        return total.withLock { $0.drops.merging(fresh, uniquingKeysWith: +) }
    }

    func flush() {
        let fresh = counts.withLock { counts in
            defer { counts = Counts() }
            return counts
        }
        total.withLock { total in
            total.forwarded += fresh.forwarded
            total.requests += fresh.requests
            total.drops.merge(fresh.drops, uniquingKeysWith: +)
        }
        registry.count("martlet_bus_forwarded_total", "Live messages forwarded.", by: Double(fresh.forwarded))
        registry.count("martlet_bus_requests_total", "Requests routed.", by: Double(fresh.requests))
        for (reason, count) in fresh.drops {
            registry.count(
                "martlet_bus_dropped_total", "Messages dropped, by reason.", labels: [("reason", reason)],
                by: Double(count))
        }
    }
}
