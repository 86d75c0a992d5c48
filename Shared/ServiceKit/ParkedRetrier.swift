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

    /// Events of one key in a row, before the others have their turn.
    private static let mostInARow = 256

    func run() async {
        signal.wake()
        for await _ in signal.wakes {
            do {
                if let next = try await drain() { signal.wake(after: next.wait(from: clock.now())) }
            } catch {
                logger.warning("parked events could not be tried again: \(error)")
                signal.wake(after: .seconds(1))
            }
        }
    }

    /// Tries all that is due, each key in its order.
    /// - Returns: when the next one's time comes.
    func drain() async throws -> Timestamp? {
        try await store.restartWaits(at: clock.now())
        var (due, next) = try await store.dueParked(at: clock.now())
        while !due.isEmpty {
            for parked in due {
                try await inbox.retry(parked)
                // To look for the first of every key takes longer the more of them wait: not after each event.
                for _ in 1..<Self.mostInARow {
                    guard let behind = try await store.nextParked(of: parked.key, at: clock.now()) else { break }
                    try await inbox.retry(behind)
                }
            }
            (due, next) = try await store.dueParked(at: clock.now())
        }
        return next
    }
}
