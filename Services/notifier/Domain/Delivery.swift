import Messages

/// One message to one recipient. It is sent at most once, whatever dies in between (docs/decisions/0008).
struct Delivery: Hashable, Sendable {
    enum State: String, Sendable, CaseIterable {
        case waiting
        /// Handed to the channel; nobody knows yet what came of it.
        case sending
        case sent
        case failed
    }

    var id: String
    /// The event that it tells of; of a repeated one the original.
    var event: String
    var recipient: Recipient
    var notice: Notice
    var type: String
    var project: String
    var causation: Causation
    var state: State
    var attempts: Int

    /// What may be done with a delivery whose turn has come.
    enum Turn: Hashable, Sendable {
        case send
        /// A file can be looked into: what is missing is added.
        case complete
        /// It may have arrived: a second message would be one too many.
        case giveUp(reason: String)
        case nothing
    }

    /// What `martlet why` can be asked about: a step's own words are known by its run.
    var subject: String { type.hasPrefix("notify/") ? String(event.prefix { $0 != "/" }) : event }

    var turn: Turn {
        switch (state, recipient) {
        case (.waiting, .unserved(let use)), (.sending, .unserved(let use)):
            .giveUp(reason: "'\(use)' with this channel is not served; slack (secret or URL) and file (path) are")
        case (.waiting, _): .send
        case (.sending, .file): .complete
        case (.sending, .slackSecret), (.sending, .slackURL):
            .giveUp(reason: "interrupted while it was being sent: it may have arrived, so it is not sent again")
        case (.sent, _), (.failed, _): .nothing
        }
    }
}

/// What an attempt means for the next one.
enum Attempt: Hashable, Sendable {
    case sent
    /// Certainly not delivered: worth another try.
    case retry(reason: String, after: Duration?)
    case giveUp(reason: String)

    /// Tries before a message is given up, and the waits between them.
    static let limit = 5
    private static let waits: [Duration] = [.seconds(1), .seconds(5), .seconds(30), .seconds(120)]
    /// What a recipient may ask us to wait at most.
    private static let longestWait = Duration.seconds(3600)

    /// Reads a webhook's answer: 429 and 5xx pass, other refusals do not.
    init(status: Int, retryAfter: String?, body: String) {
        switch status {
        case 200..<300:
            self = .sent
        case 408, 429, 500...:
            let asked = retryAfter.flatMap { Int64($0) }.map { Duration.seconds(max(0, $0)) }
            self = .retry(
                reason: "answered \(status): \(body.prefix(200))", after: asked.map { min($0, Self.longestWait) })
        default:
            self = .giveUp(reason: "answered \(status): \(body.prefix(200))")
        }
    }

    /// How long until the next try after `attempts` failed ones; `nil` when that was the last.
    func wait(after attempts: Int) -> Duration? {
        guard attempts < Self.limit else { return nil }
        switch self {
        case .retry(_, let asked?): return asked
        case .retry(_, nil): return Self.waits[min(max(attempts, 1), Self.waits.count) - 1]
        case .sent, .giveUp: return nil
        }
    }
}
