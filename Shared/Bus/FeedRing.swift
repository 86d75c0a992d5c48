import EventLog
import Foundation
import Synchronization

/// What the feed said about one log.
enum FeedMessage: Sendable, Equatable {
    case record(LogRecord)
    case heartbeat(epoch: Int64, last: Int64, chain: Chain)
}

/// The bounded hand-over from the socket's thread to one follower's task.
///
/// A full ring drops the message and says so: the follower is behind and fetches (bus.md 2).
final class FeedRing: Sendable {
    struct Batch: Sendable {
        var messages: [FeedMessage] = []
        var overflowed = false
        var established = false
    }

    private struct State {
        var messages: [FeedMessage] = []
        var start = 0
        var overflowed = false
        var established = false
        var lastHeard: ContinuousClock.Instant?
        /// The heartbeat that was handed over last, and when.
        var lastBeat: (message: FeedMessage, at: ContinuousClock.Instant)?
    }

    /// How often a heartbeat that says nothing new wakes the follower all the same: an idle suite of eight services
    /// sends over fifty a second.
    private static let reminder = Duration.seconds(5)

    private let capacity: Int
    private let state = Mutex(State())
    let signal = Signal()

    init(capacity: Int = BusLimits.ring) { self.capacity = capacity }

    /// Called by the thread of the socket; never blocks.
    func push(_ message: FeedMessage) {
        let wakes = state.withLock { state in
            let now = ContinuousClock.now
            state.lastHeard = now
            if case .heartbeat = message {
                if let last = state.lastBeat, last.message == message, now - last.at < Self.reminder { return false }
                state.lastBeat = (message, now)
            } else {
                state.lastBeat = nil
            }
            guard state.messages.count - state.start < capacity else {
                state.overflowed = true
                return true
            }
            state.messages.append(message)
            return true
        }
        if wakes { signal.set() }
    }

    /// The subscription has come into effect (again).
    func establish() {
        state.withLock { $0.established = true }
        signal.set()
    }

    var lastHeard: ContinuousClock.Instant? { state.withLock { $0.lastHeard } }

    func take(_ limit: Int) -> Batch {
        state.withLock { state in
            let end = min(state.start + limit, state.messages.count)
            let batch = Batch(
                messages: Array(state.messages[state.start..<end]),
                overflowed: state.overflowed,
                established: state.established
            )
            state.start = end
            state.overflowed = false
            state.established = false
            if state.start == state.messages.count {
                state.messages.removeAll(keepingCapacity: state.messages.capacity <= 256)
                state.start = 0
            } else if state.start >= capacity {
                state.messages.removeFirst(state.start)
                state.start = 0
            }
            return batch
        }
    }

    /// Whether a `take` would find something.
    var isEmpty: Bool {
        state.withLock { $0.start == $0.messages.count && !$0.overflowed && !$0.established }
    }
}
