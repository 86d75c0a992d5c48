/// One message on its way to one webhook: an intent, kept until it was taken or given up. By its id receivers know a
/// repetition.
struct WebhookDelivery: Hashable, Sendable, Codable {
    static let kind = "webhook"

    var webhook: String
    var model: String
    var event: WebhookEvent
    var body: String
}

/// What a receiver's answer means for the next attempt.
enum WebhookAnswer: Hashable, Sendable {
    case taken
    case later(reason: String, after: Duration? = nil)
    case refused(reason: String)

    /// Between the attempts: some seconds for a restart, three days in all for a weekend.
    private static let waits: [Duration] = [
        .seconds(1), .seconds(5), .seconds(30), .seconds(120), .seconds(600), .seconds(3_600), .seconds(3 * 3_600),
        .seconds(6 * 3_600), .seconds(12 * 3_600), .seconds(24 * 3_600), .seconds(24 * 3_600),
    ]
    static var mostAttempts: Int { waits.count + 1 }
    /// What a receiver may ask us to wait.
    private static let longestWait: Int64 = 24 * 3_600

    /// 2xx is taken; what may be otherwise later is tried again.
    init(status: Int, retryAfter: String?) {
        switch status {
        case 200..<300: self = .taken
        case 408, 425, 429, 500...:
            let asked = retryAfter.flatMap { Int64($0) }.map { Duration.seconds(min(max(0, $0), Self.longestWait)) }
            self = .later(reason: "answered \(status)", after: asked)
        default: self = .refused(reason: "answered \(status)")
        }
    }

    /// - Parameter attempts: made so far, this one included.
    /// - Returns: until the next one; `nil`: there is none.
    func wait(after attempts: Int) -> Duration? {
        guard case .later(_, let asked) = self, attempts < Self.mostAttempts else { return nil }
        return asked ?? Self.waits[min(max(attempts, 1), Self.waits.count) - 1]
    }
}
