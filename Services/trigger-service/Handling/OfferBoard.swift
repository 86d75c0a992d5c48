import Messages
import Synchronization

/// Claims that wait for steps, woken after the commit that offers one for them.
final class OfferBoard: Sendable {
    private struct Waiter {
        var verbs: [String]
        var continuation: CheckedContinuation<Void, Never>?
        /// An offer came, perhaps between looking and waiting.
        var offered = false
        /// Its time is over or the claim was given up.
        var over = false
    }

    private struct State {
        var next = 0
        var waiters: [Int: Waiter] = [:]
    }

    private let state = Mutex(State())

    /// From here on an offer of one of the verbs is not missed.
    func register(_ verbs: [String]) -> Int {
        state.withLock { state in
            state.next += 1
            state.waiters[state.next] = Waiter(verbs: verbs)
            return state.next
        }
    }

    func remove(_ waiter: Int) {
        let continuation = state.withLock { $0.waiters.removeValue(forKey: waiter)?.continuation }
        continuation?.resume()
    }

    /// Returns at an offer since `register` or the last wait; `false` after `timeout` or when the task is cancelled.
    func wait(_ waiter: Int, timeout: Duration) async -> Bool {
        let timer = Task {
            do { try await Task.sleep(for: timeout) } catch { return }
            wake(waiter) { $0.over = true }
        }
        defer { timer.cancel() }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let waits = state.withLock { state in
                    guard let known = state.waiters[waiter], !known.offered, !known.over else { return false }
                    state.waiters[waiter]?.continuation = continuation
                    return true
                }
                if !waits { continuation.resume() }
            }
        } onCancel: {
            wake(waiter) { $0.over = true }
        }
        return state.withLock { state in
            let offered = state.waiters[waiter]?.offered ?? false
            state.waiters[waiter]?.offered = false
            return offered
        }
    }

    /// Steps of these verbs are offered.
    func offer(_ verbs: Set<String>) {
        let fitting = state.withLock { state in
            state.waiters.filter { entry in
                entry.value.verbs.contains { pattern in verbs.contains { StepWork.pattern(pattern, covers: $0) } }
            }.map(\.key)
        }
        for waiter in fitting { wake(waiter) { $0.offered = true } }
    }

    private func wake(_ id: Int, _ change: (inout Waiter) -> Void) {
        let continuation = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard var waiter = state.waiters[id] else { return nil }
            change(&waiter)
            let continuation = waiter.continuation
            waiter.continuation = nil
            state.waiters[id] = waiter
            return continuation
        }
        continuation?.resume()
    }
}
