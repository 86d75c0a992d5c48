import Foundation

/// A message reached its recipient.
public struct NotificationSent: EventBody {
    public static let name = "notification.sent"
    public static let source: Source? = .notifier
    public static let summary = "A message reached its recipient."

    public var notification: String
    /// The id of the event that it tells of.
    public var event: String
    /// A name, never a secret.
    public var recipient: String
    public var attempts: Int

    public init(notification: String, event: String, recipient: String, attempts: Int) {
        self.notification = notification
        self.event = event
        self.recipient = recipient
        self.attempts = attempts
    }
}

/// A message was given up.
public struct NotificationFailed: EventBody {
    public static let name = "notification.failed"
    public static let source: Source? = .notifier
    public static let summary = "A message was given up."

    public var notification: String
    public var event: String
    public var recipient: String
    public var attempts: Int
    public var reason: String

    public init(notification: String, event: String, recipient: String, attempts: Int, reason: String) {
        self.notification = notification
        self.event = event
        self.recipient = recipient
        self.attempts = attempts
        self.reason = reason
    }
}

/// What became of something a person asked the notifier for, where no message was sent.
public struct NotifierCommandAnswered: EventBody {
    public static let name = "notification.command_answered"
    public static let source: Source? = .notifier
    public static let summary =
        "What became of something a person asked the notifier for, where no message was sent."

    public var command: String
    public var accepted: Bool
    public var reason: String?

    public init(command: String, accepted: Bool, reason: String? = nil) {
        self.command = command
        self.accepted = accepted
        self.reason = reason
    }
}
