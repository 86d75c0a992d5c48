import Foundation

/// What a service tells in passing, as `t/<service>/<type>`: lossy, not sequenced, kept by nobody. Events say what counts.
public protocol TelemetryBody: Codable, Sendable, Hashable {
    /// `<subject>.<noun>`, for example `step.log`.
    static var name: String { get }
    static var source: Source { get }
    /// One sentence for the generated reference.
    static var summary: String { get }
}

/// Every telemetry body of the suite: what the generated reference goes through.
public let allTelemetryBodies: [any TelemetryBody.Type] = [StepLog.self, StepProgress.self]

/// Which step somebody speaks of.
public struct StepName: Sendable, Hashable, Codable {
    public var item: String
    public var run: String
    public var job: String
    public var step: String
    public var attempt: Int
    public var verb: String

    public init(_ work: StepWork) {
        (item, run, job, step) = (work.item, work.run.id, work.job, work.step)
        (attempt, verb) = (work.attempt, work.verb)
    }
}

/// Lines that a running step has written. The log itself is whole, these are a look over its shoulder.
public struct StepLog: TelemetryBody {
    public static let name = "step.log"
    public static let source = Source.trainerProxy
    public static let summary = "The newest lines of a running step, at most five times a second."

    public var time: Timestamp
    public var step: StepName
    /// Masked, shortened to 1,000 bytes each.
    public var lines: [String]
    /// How many lines before these came too fast to be told.
    public var omitted: Int

    public init(time: Timestamp, step: StepName, lines: [String], omitted: Int) {
        self.time = time
        self.step = step
        self.lines = lines
        self.omitted = omitted
    }
}

/// A step is still running.
public struct StepProgress: TelemetryBody {
    public static let name = "step.progress"
    public static let source = Source.trainerProxy
    public static let summary = "A step is still running; every two seconds."

    public var time: Timestamp
    public var step: StepName
    /// Since its process began.
    public var seconds: Double
    /// Written since trainer-proxy has been watching it.
    public var logBytes: Int

    public init(time: Timestamp, step: StepName, seconds: Double, logBytes: Int) {
        self.time = time
        self.step = step
        self.seconds = seconds
        self.logBytes = logBytes
    }
}
