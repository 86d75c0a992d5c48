import Foundation

/// A handler gave an event up; it waits for an operator.
public struct DeadLetterCreated: EventBody {
    public static let name = "deadletter.created"
    public static let source: Source? = nil
    public static let summary = "A handler gave an event up; it waits for an operator."

    public var letter: String
    public var service: String
    public var source: String
    public var epoch: Int64
    public var seq: Int64
    public var event: String?
    public var type: String?
    public var key: String
    public var reason: String
    public var attempts: Int

    public init(
        letter: String, service: String, source: String, epoch: Int64, seq: Int64, event: String? = nil,
        type: String? = nil, key: String, reason: String, attempts: Int
    ) {
        self.letter = letter
        self.service = service
        self.source = source
        self.epoch = epoch
        self.seq = seq
        self.event = event
        self.type = type
        self.key = key
        self.reason = reason
        self.attempts = attempts
    }
}

/// A dead letter was handled again with success, or dropped by an operator.
public struct DeadLetterClosed: EventBody {
    public static let name = "deadletter.closed"
    public static let source: Source? = nil
    public static let summary = "A dead letter was handled again with success, or dropped by an operator."

    public var letter: String
    public var service: String
    /// `retried` or `dropped`, also when its log forked and no longer has the event.
    public var result: String
    public var by: String

    public init(letter: String, service: String, result: String, by: String) {
        self.letter = letter
        self.service = service
        self.result = result
        self.by = by
    }
}
