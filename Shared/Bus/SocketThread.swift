import Foundation
import Synchronization

/// One OS thread that owns a context and its sockets from start to end.
///
/// Blocking in `zmq_poll` must not happen on the cooperative pool, and libzmq's sockets must not change threads.
package final class SocketThread: Sendable {
    private struct State {
        var finished = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    package init(_ name: String, _ body: @escaping @Sendable () -> Void) {
        let thread = Thread { [self] in
            body()
            finish()
        }
        thread.name = name
        thread.stackSize = 512 * 1024
        thread.start()
    }

    private func finish() {
        let waiters = state.withLock { state in
            state.finished = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Returns when the thread's body has returned.
    package func join() async {
        await withCheckedContinuation { continuation in
            let finished = state.withLock { state in
                if !state.finished { state.waiters.append(continuation) }
                return state.finished
            }
            if finished { continuation.resume() }
        }
    }
}
