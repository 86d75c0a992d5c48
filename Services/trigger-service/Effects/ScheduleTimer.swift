import Logging
import Messages
import ServiceKit
import Store

/// One timer for all schedules and for all events that wait for others: it looks when the next is due, and sleeps until
/// then.
struct ScheduleTimer: Sendable {
    let store: StateStore
    let dispatcher: Dispatcher
    let clock: WallClock
    let logger: Logger

    /// A clock that is set meanwhile is noticed after that long.
    private static let longestSleep: Duration = .seconds(20)

    func run() async {
        dispatcher.alarm.wake()
        for await _ in dispatcher.alarm.wakes {
            do {
                dispatcher.alarm.wake(after: try await look())
            } catch {
                logger.warning("schedules could not be looked at, trying again: \(error)")
                dispatcher.alarm.wake(after: .seconds(1))
            }
        }
    }

    /// - Returns: how long to sleep.
    private func look() async throws -> Duration {
        let clock = clock
        while true {
            guard let next = try await store.read({ try ScheduleQueries.next(at: clock.now(), in: $0) }) else {
                return Self.longestSleep
            }
            let wait = next.wait(from: clock.now())
            if wait > .zero { return min(wait, Self.longestSleep) }
            let dispatcher = dispatcher
            _ = try await store.write { try dispatcher.tick($0) }
        }
    }
}
