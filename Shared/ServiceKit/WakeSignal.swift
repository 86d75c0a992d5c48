import Foundation
import Messages
import Synchronization

/// Wakes one loop: at once by `wake`, or when a time has come. Wakes that come together count as one.
package final class WakeSignal: Sendable {
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation
    private let timer = Mutex<Task<Void, Never>?>(nil)

    package init() {
        (stream, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    package func wake() { continuation.yield() }

    /// Replaces the time set before.
    package func wake(after delay: Duration) {
        let task = Task { [continuation] in
            try? await Task.sleep(for: delay)
            if !Task.isCancelled { continuation.yield() }
        }
        timer.withLock { timer in
            timer?.cancel()
            timer = task
        }
    }

    /// One element a wake; ends when the task is cancelled. For one loop only.
    package var wakes: AsyncStream<Void> { stream }
}

extension Timestamp {
    /// How long until then, never negative.
    package func wait(from now: Timestamp) -> Duration {
        .milliseconds(max(0, milliseconds - now.milliseconds))
    }
}
