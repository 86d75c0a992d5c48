import Foundation
import Synchronization

/// What keeps a loop's sockets from being opened, and when it tries again.
///
/// A loop never ends for it: mostly it is a want of open files, which passes, while the steps and the requests of the same
/// process go on. Who looks at `/readyz` sees the problem as long as it lasts.
final class OpeningPauses: Sendable {
    static let pauses: [Duration] = [.milliseconds(250), .seconds(1), .seconds(2), .seconds(5), .seconds(10)]

    private struct State {
        var failures = 0
        var problem: String?
    }

    private let state = Mutex(State())

    /// `nil` while the sockets are open, or were never tried.
    var problem: String? { state.withLock { $0.problem } }

    /// - Returns: how long to wait before the next try: the longer, the more tries in a row came to nothing.
    func failed(_ error: BusError) -> Duration {
        state.withLock { state in
            state.failures += 1
            state.problem = error.description
            return Self.pauses[min(state.failures, Self.pauses.count) - 1]
        }
    }

    func opened() { state.withLock { $0 = State() } }
}
