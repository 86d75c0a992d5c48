import Foundation
import Messages

/// What starts a pipeline: one entry of `on:`.
package enum Trigger: Sendable, Hashable {
    case push(branches: BranchFilter, paths: PathFilter)
    /// Of the branch that is to be merged into.
    case pullRequest(branches: BranchFilter, paths: PathFilter)
    case tag(BranchFilter)
    case comment(words: [String], place: CommentPlace)
    case manual([Parameter])
    case pipeline(name: String, branches: BranchFilter, conclusions: Set<Outcome>)
    case model(ModelTrigger)
    case event(type: String, filter: EventFilter)
    case schedule(Schedule)
    case all(Conjunction)

    /// The word that stands under `on:`.
    package var word: String {
        switch self {
        case .push: "push"
        case .pullRequest: "pull_request"
        case .tag: "tag"
        case .comment: "comment"
        case .manual: "manual"
        case .pipeline: "pipeline"
        case .model: "model"
        case .event: "event"
        case .schedule: "schedule"
        case .all: "all"
        }
    }

    /// Itself, or those that it waits for together.
    package var parts: [Trigger] {
        if case .all(let conjunction) = self { conjunction.parts.map(\.trigger) } else { [self] }
    }

    /// What it starts on, for a sentence.
    var inWords: String {
        guard case .all(let conjunction) = self else { return word }
        return conjunction.parts.map(\.trigger.word).joined(separator: " and ")
    }
}

/// Where a comment has to stand.
package enum CommentPlace: String, Sendable, Hashable, CaseIterable {
    case pullRequest = "pull_request"
    case issue
    case any
}

package struct ModelTrigger: Sendable, Hashable {
    /// `nil`: any model of the project.
    package var name: String?
    package var registered: Bool
    /// A change of stage; `nil`: not asked for.
    package var stage: StageChange?
    /// Tags that were set; an empty value means any.
    package var tags: [String: String]
    /// Aliases that were given to a version.
    package var aliases: [String] = []

    package struct StageChange: Sendable, Hashable {
        /// Empty: any.
        package var to: [String]
        package var from: [String]
    }
}

/// Fields of an event and the values they must have.
package struct EventFilter: Sendable, Hashable {
    package struct Field: Sendable, Hashable {
        /// `data.pull_request.number` is `["pull_request", "number"]`.
        package var path: [String]
        package var values: [JSONValue]
        /// It is an attribute of the event itself, not of its data.
        package var isAttribute = false
    }

    /// Attributes that go by their name alone; anything else, and what `data.` stands before, is looked for in the data.
    package static let attributes = ["id", "source", "subject", "time", "actor"]

    /// An attribute of which nobody knows such a value beforehand: a field of the data may be meant that has its name.
    static func looksLikeData(_ attribute: String, _ values: [JSONValue]) -> Bool {
        switch attribute {
        case "id", "time": true
        case "subject": values.contains { $0.string == nil }
        // `/acme/lake`, `user:ann`.
        case "source", "actor": values.contains { $0.string?.contains(where: { "/:".contains($0) }) != true }
        default: false
        }
    }

    package var fields: [Field]
}

package struct Schedule: Sendable, Hashable {
    /// What becomes of ticks that were missed while nobody was there.
    package enum CatchUp: String, Sendable, Hashable, CaseIterable {
        case none, last, all
    }

    package var cron: Cron
    /// Of the IANA database, as `Europe/Prague`.
    package var timeZone: String
    package var catchUp: CatchUp

    package init(cron: Cron, timeZone: String, catchUp: CatchUp) {
        self.cron = cron
        self.timeZone = timeZone
        self.catchUp = catchUp
    }

    package func next(after time: Timestamp) -> Timestamp? {
        cron.next(after: time, in: TimeZone(identifier: timeZone) ?? .gmt)
    }
}
