/// Who is told of models over MLflow's webhooks changed.
public struct ModelWebhookChanged: EventBody {
    public static let name = "model.webhook_changed"
    public static let source: Source? = .registryService
    public static let summary = "A webhook of an MLflow client was made, changed or deleted."

    public enum Change: String, Sendable, Hashable, Codable, CaseIterable {
        case created, updated, deleted
    }

    public var webhook: String
    /// As the client calls it.
    public var title: String
    /// Host and port of its address: the rest may hold a secret.
    public var place: String
    /// `model_version.created` and the like.
    public var events: [String]
    public var isActive: Bool
    public var change: Change

    public init(
        webhook: String, title: String, place: String, events: [String], isActive: Bool, change: Change
    ) {
        self.webhook = webhook
        self.title = title
        self.place = place
        self.events = events
        self.isActive = isActive
        self.change = change
    }
}

/// A webhook was not told of something, and will not be.
public struct ModelWebhookFailed: EventBody {
    public static let name = "model.webhook_failed"
    public static let source: Source? = .registryService
    public static let summary = "A webhook of an MLflow client was not told of something, and will not be."

    public var webhook: String
    /// As the client calls it.
    public var title: String
    /// Host and port of its address.
    public var place: String
    /// What its `X-MLflow-Delivery-Id` was, or would have been.
    public var delivery: String
    /// `model_version.created` and the like.
    public var event: String
    public var model: String
    public var attempts: Int
    public var reason: String

    public init(
        webhook: String, title: String, place: String, delivery: String, event: String, model: String, attempts: Int,
        reason: String
    ) {
        self.webhook = webhook
        self.title = title
        self.place = place
        self.delivery = delivery
        self.event = event
        self.model = model
        self.attempts = attempts
        self.reason = reason
    }
}
