import Foundation
import Messages

/// A notice in Slack's markup. `text` alone is a complete webhook message.
struct SlackText: Hashable, Sendable, Codable {
    var text: String

    /// Slack cuts texts above 4,000 characters; ours say themselves that they were cut.
    private static let limit = 3000

    /// - Parameter subject: what `martlet why` can be asked about: the event that it tells of, or its run.
    init(_ notice: Notice, about subject: String? = nil) {
        let details = notice.details.map(Self.escaped).joined(separator: "\n")
        let cut = details.count > Self.limit ? details.prefix(Self.limit) + "\n… (cut)" : Substring(details)
        let link = notice.url.map { "<\(Self.escaped($0))|Open the run>" }
        // An outsider may call an event as he likes; what a shell or Slack would read otherwise is left out.
        let why = subject.flatMap { $0.wholeMatch(of: /[A-Za-z0-9._-]+/) == nil ? nil : "`martlet why \($0)`" }
        text = (["*\(Self.escaped(notice.headline))*", String(cut)] + [link, why].compactMap(\.self))
            .filter { !$0.isEmpty }.joined(separator: "\n")
    }

    /// The three characters that Slack reads as control characters.
    static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
    }
}
