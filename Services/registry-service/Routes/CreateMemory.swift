import Messages
import Synchronization

/// Tells a creation that is sent again, because its answer got lost, from one that is wished twice.
///
/// A request whose answer was delivered, or that is being answered, is known here; the same request again is then a new
/// wish. What was made and is not known was made by a process that died, or its answer never left: it is told once more.
final class CreateMemory: Sendable {
    private struct State {
        /// How often a request is being answered just now.
        var open: [String: Int] = [:]
        /// Delivered, and to be forgotten with the next creation.
        var delivered: Set<String> = []
    }

    private let state = Mutex(State())

    /// `true`: the same request was seen here before, so this is another one.
    func begin(_ request: String) -> Bool {
        state.withLock { state in
            let isKnown = state.open[request] != nil || state.delivered.contains(request)
            state.open[request, default: 0] += 1
            return isKnown
        }
    }

    func end(_ request: String, delivered: Bool) {
        state.withLock { state in
            let open = (state.open[request] ?? 1) - 1
            state.open[request] = open > 0 ? open : nil
            if delivered { state.delivered.insert(request) }
        }
    }

    /// Some that were delivered, for one transaction to forget.
    func takeDelivered() -> [String] {
        state.withLock { state in
            let some = state.delivered.prefix(8).filter { state.open[$0] == nil }
            state.delivered.subtract(some)
            return Array(some)
        }
    }

    /// Their transaction came to nothing.
    func putBack(_ requests: [String]) { state.withLock { $0.delivered.formUnion(requests) } }
}

/// One answer on its way; when it is dropped before it was delivered, its request may be sent again.
final class Delivery: Sendable {
    private let memory: CreateMemory
    private let request: String
    private let isDelivered = Mutex(false)

    init(_ request: String, _ memory: CreateMemory) {
        self.request = request
        self.memory = memory
    }

    func succeeded() { isDelivered.withLock { $0 = true } }

    deinit { memory.end(request, delivered: isDelivered.withLock { $0 }) }
}
