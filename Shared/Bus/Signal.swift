import Foundation
import Synchronization

/// "Look again": set by any thread, awaited by one task, remembered when nobody waits.
final class Signal: Sendable {
    private struct State {
        var isSet = false
        var waiter: CheckedContinuation<Void, Never>?
        /// A running alarm; the next one is only made when it has to ring earlier.
        var alarm: ContinuousClock.Instant?
    }

    private let state = Mutex(State())

    func set() {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard let waiter = state.waiter else {
                state.isSet = true
                return nil
            }
            state.waiter = nil
            return waiter
        }
        waiter?.resume()
    }

    /// Returns after a `set`, at the deadline, when the task is canceled, and now and then without a reason.
    func wait(until deadline: ContinuousClock.Instant?) async {
        if Task.isCancelled { return }
        if let deadline { arm(deadline) }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let already = state.withLock { state -> Bool in
                    if state.isSet || Task.isCancelled {
                        state.isSet = false
                        return true
                    }
                    state.waiter = continuation
                    return false
                }
                if already { continuation.resume() }
            }
        } onCancel: {
            set()
        }
    }

    private func arm(_ deadline: ContinuousClock.Instant) {
        let needed = state.withLock { state -> Bool in
            if state.isSet { return false }
            if let alarm = state.alarm, alarm <= deadline { return false }
            state.alarm = deadline
            return true
        }
        guard needed else { return }
        Task { [weak self] in
            try? await Task.sleep(until: deadline, tolerance: .milliseconds(1), clock: .continuous)
            self?.ring(deadline)
        }
    }

    private func ring(_ deadline: ContinuousClock.Instant) {
        state.withLock { state in
            if state.alarm == deadline { state.alarm = nil }
        }
        set()
    }
}
