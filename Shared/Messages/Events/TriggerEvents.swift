import Foundation

/// A cause starts a pipeline.
public struct TriggerMatched: EventBody {
    public static let name = "trigger.matched"
    public static let source: Source? = .triggerService
    public static let summary = "A cause starts a pipeline."

    /// The event's id.
    public var cause: String
    public var causeType: String
    public var project: String
    public var pipeline: String
    public var run: String
    public var reason: String

    public init(cause: String, causeType: String, project: String, pipeline: String, run: String, reason: String) {
        self.cause = cause
        self.causeType = causeType
        self.project = project
        self.pipeline = pipeline
        self.run = run
        self.reason = reason
    }
}

/// A cause does not start a pipeline, and why.
public struct TriggerIgnored: EventBody {
    public static let name = "trigger.ignored"
    public static let source: Source? = .triggerService
    public static let summary = "A cause does not start a pipeline, and why."

    /// The event's id.
    public var cause: String
    public var causeType: String
    public var project: String
    public var pipeline: String
    /// One word for programs: `branch_filter`, `path_filter`, `no_trigger`, `conclusion`, `loop_detected`, `project_rejected`, …;
    /// after `waiting` (for other events) there comes another verdict.
    public var code: String
    /// The same in words.
    public var reason: String

    public init(cause: String, causeType: String, project: String, pipeline: String, code: String, reason: String) {
        self.cause = cause
        self.causeType = causeType
        self.project = project
        self.pipeline = pipeline
        self.code = code
        self.reason = reason
    }
}

/// What became of something a person asked the trigger-service for.
public struct CommandAnswered: EventBody {
    public static let name = "trigger.command_answered"
    public static let source: Source? = .triggerService
    public static let summary = "What became of something a person asked the trigger-service for."

    /// The id of the command event.
    public var command: String
    public var accepted: Bool
    public var reason: String?
    public var run: String?

    public init(command: String, accepted: Bool, reason: String? = nil, run: String? = nil) {
        self.command = command
        self.accepted = accepted
        self.reason = reason
        self.run = run
    }
}
