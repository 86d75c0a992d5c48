import Foundation

/// A schedule's time has come.
public struct ScheduleTicked: EventBody {
    public static let name = "schedule.ticked"
    public static let source: Source? = .triggerService
    public static let summary = "A schedule's time has come."

    public var project: String
    public var pipeline: String
    /// As the project file has it.
    public var cron: String
    public var timeZone: String
    /// The time that it stands for; the event's own time is later after a downtime.
    public var due: Timestamp
    /// Ticks before this one that were missed and do not come any more.
    public var missed: Int
    /// The commit of the default branch whose project file counts.
    public var repository: String
    public var branch: String
    public var sha: String

    public init(
        project: String, pipeline: String, cron: String, timeZone: String, due: Timestamp, missed: Int,
        repository: String, branch: String, sha: String
    ) {
        self.project = project
        self.pipeline = pipeline
        self.cron = cron
        self.timeZone = timeZone
        self.due = due
        self.missed = missed
        self.repository = repository
        self.branch = branch
        self.sha = sha
    }
}

/// Ticks of a schedule passed while nobody was there, and do not come any more.
public struct ScheduleMissed: EventBody {
    public static let name = "schedule.missed"
    public static let source: Source? = .triggerService
    public static let summary = "Ticks of a schedule passed while nobody was there, and its catch_up is none."

    public var project: String
    public var pipeline: String
    public var cron: String
    public var timeZone: String
    public var first: Timestamp
    public var last: Timestamp
    public var count: Int

    public init(
        project: String, pipeline: String, cron: String, timeZone: String, first: Timestamp, last: Timestamp, count: Int
    ) {
        self.project = project
        self.pipeline = pipeline
        self.cron = cron
        self.timeZone = timeZone
        self.first = first
        self.last = last
        self.count = count
    }
}
