import Foundation
import Logging
import Messages
import Store

/// Tries parked events again when their time has come.
struct ParkedRetrier {
    let inbox: Inbox
    let store: StateStore
    let clock: WallClock
    let signal: WakeSignal
    let logger: Logger

    func run() async {
        signal.wake()
        for await _ in signal.wakes {
            do {
                var (due, next) = try await store.dueParked(at: clock.now())
                while !due.isEmpty {
                    for parked in due { try await inbox.retry(parked) }
                    (due, next) = try await store.dueParked(at: clock.now())
                }
                if let next { signal.wake(after: next.wait(from: clock.now())) }
            } catch {
                logger.warning("parked events could not be tried again: \(error)")
                signal.wake(after: .seconds(1))
            }
        }
    }
}
