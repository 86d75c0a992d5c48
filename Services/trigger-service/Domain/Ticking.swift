import Messages
import ProjectFile

/// A schedule of a project's default branch, and when it fires next.
struct StoredSchedule: Sendable, Hashable {
    var project: String
    var pipeline: String
    var schedule: Schedule
    var next: Timestamp
    /// What the last tick stood for.
    var last: Timestamp?

    /// Grows with each version that reads more or other schedules out of a file: those of older forms are read once more.
    static let form = 1
}

/// What a schedule has to do now. The rule that it keeps, whatever the clock does:
///
/// - A tick is in time for a minute. What is later was missed, and `catch_up` says what becomes of it: `none` of them
///   fires, the `last` does, or `all` do, of which the latest thousand count.
/// - A clock that is put back repeats nothing: the schedule waits until it is where it was. When that would be longer
///   than a day, the clock was wrong before, and the schedule goes on from now.
struct Ticking: Sendable, Hashable {
    /// What fires, in order.
    var due: [Timestamp] = []
    /// What was missed and does not fire: the first, the last, and how many.
    var missed: Missed?
    var next: Timestamp
    /// The last one that has passed, whether it fires or not: a clock that was wrong shows by it.
    var last: Timestamp? { due.last ?? missed?.last }

    struct Missed: Sendable, Hashable {
        var first: Timestamp
        var last: Timestamp
        var count: Int
    }

    static let inTime: Duration = .seconds(60)
    static let mostCaughtUp = 1000
    /// What is older is forgotten.
    static let farthestBack: Duration = .seconds(60 * 86_400)
    static let farthestAhead: Duration = .seconds(86_400)

    /// `nil`: the schedule never fires again.
    init?(_ stored: StoredSchedule, now: Timestamp) {
        let schedule = stored.schedule
        if let last = stored.last, last > now.advanced(by: Self.farthestAhead) {
            guard let next = schedule.next(after: now) else { return nil }
            self.next = next
            return
        }
        var tick: Timestamp? = stored.next
        let oldest = now.advanced(by: .zero - Self.farthestBack)
        if stored.next < oldest { tick = schedule.next(after: oldest) }
        var passed: [Timestamp] = []
        while let time = tick, time <= now {
            passed.append(time)
            tick = schedule.next(after: time)
        }
        guard let next = tick else { return nil }
        self.next = next
        switch schedule.catchUp {
        case .none:
            let start = now.advanced(by: .zero - Self.inTime)
            due = passed.filter { $0 > start }
        case .last: due = Array(passed.suffix(1))
        case .all: due = Array(passed.suffix(Self.mostCaughtUp))
        }
        let late = passed.dropLast(due.count)
        if let first = late.first, let last = late.last { missed = Missed(first: first, last: last, count: late.count) }
    }
}
