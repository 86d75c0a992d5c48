import GRDB
import Messages
import ServiceKit
import Store
import Synchronization

/// The durations that go on, kept with the intents that end them.
final class CountdownBoard: Sendable {
    private let countdowns = Mutex(Countdowns())
    private let elapsed: @Sendable () -> Duration

    /// - Parameter elapsed: never goes backwards and cannot be set.
    init(elapsed: @escaping @Sendable () -> Duration = Sessions.monotonic()) { self.elapsed = elapsed }

    func begin(_ key: Countdowns.Key, for wait: Duration) {
        let now = elapsed()
        countdowns.withLock { $0.begin(key, for: wait, now: now) }
    }

    func end(_ key: Countdowns.Key) { countdowns.withLock { $0.end(key) } }

    func rest(_ key: Countdowns.Key) -> Duration? {
        let now = elapsed()
        return countdowns.withLock { $0.rest(key, now: now) }
    }

    var over: [Countdowns.Key] {
        let now = elapsed()
        return countdowns.withLock { $0.over(now: now) }
    }
}

extension Dispatcher {
    /// Something is to be done when a duration is over, however the clock is set meanwhile.
    func remind(_ kind: String, id: String, _ reminder: Reminder, at due: Timestamp, _ transaction: Transaction) throws
    {
        try transaction.intend(kind, id: id, payload: reminder, at: due)
        let (countdowns, wait) = (countdowns, due.wait(from: transaction.now))
        transaction.db.afterNextTransaction { _ in countdowns.begin(Countdowns.Key(kind: kind, id: id), for: wait) }
    }

    func forgetReminder(_ kind: String, id: String, _ transaction: Transaction) throws {
        try transaction.dropIntent(kind, id: id)
        let countdowns = countdowns
        transaction.db.afterNextTransaction { _ in countdowns.end(Countdowns.Key(kind: kind, id: id)) }
    }
}
