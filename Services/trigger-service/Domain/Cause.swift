import Messages
import ProjectFile

/// Something that may start pipelines: a stored event, looked at once (architecture.md 2).
struct Cause: Sendable, Hashable, Codable {
    /// The event's own id: the same id twice is one cause; the same wish again is another event.
    var id: String
    /// The event's full type.
    var type: String
    var occasion: Occasion
    /// The commit whose project file counts; `nil` where none is known.
    var git: GitReference?
    /// The only project it concerns; `nil`: that of the file.
    var project: String?
    /// Nobody who may push to the repository has put the commit there, as in a fork's pull request: its runs get no
    /// secrets and change nothing outside. `nil` is `false`.
    var untrusted: Bool?
    /// The chain in which its consequences stand.
    var because: Causation
    /// Who set it off: the requester of approvals.
    var requester: String
    /// Of the requester's token.
    var requesterEmail: String?
    /// Who set off the other events of a set that it completes, or of one that led to it; `nil`: nobody.
    var otherRequesters: [Requester]?
    /// `event.` in expressions.
    var event: JSONValue
    var upstream: JSONValue = .object([:])
    /// Logs that its runs' workers must have seen.
    var heads: [LogPosition] = []
    /// The cause that somebody asked to take once more.
    var replayOf: String?

    enum Occasion: Sendable, Hashable, Codable {
        case push(paths: [String], truncated: Bool)
        /// `target` is the branch to be merged into.
        case pullRequest(target: String, paths: [String], truncated: Bool)
        case tag(String)
        case comment(text: String, inPullRequest: Bool)
        case event(type: String, data: JSONValue)
        case manual(pipeline: String, parameters: [String: JSONValue])
        /// A step of ours asks for it by name; `by` is its item.
        case started(PipelineStart, by: String)
        case pipelineFinished(run: String, pipeline: String, outcome: Outcome)
        case modelRegistered(model: String)
        case modelStageChanged(model: String, from: String?, to: String?)
        case modelTagged(model: String, tags: [String: String])
        case modelAliasChanged(model: String, alias: String)
        case tick(pipeline: String, cron: String)
    }

    /// The longest chain of events that still starts something.
    static let deepest = 32

    var loops: Bool { because.depth > Self.deepest }

    /// What a verdict needs to know.
    var facts: CauseFacts {
        switch occasion {
        case .push(let paths, let truncated): .push(branch: git?.branch ?? "", paths: paths, pathsTruncated: truncated)
        case .pullRequest(let target, let paths, let truncated):
            .pullRequest(branch: target, paths: paths, pathsTruncated: truncated)
        case .tag(let tag): .tag(tag)
        case .comment(let text, let inPullRequest): .comment(text: text, inPullRequest: inPullRequest)
        case .event(let type, let data): .event(type: type, data: data, attributes: event)
        case .manual(let pipeline, _): .manual(pipeline: pipeline)
        case .started(let request, _): .manual(pipeline: request.pipeline)
        case .pipelineFinished(_, let pipeline, let outcome):
            .pipelineFinished(pipeline: pipeline, branch: git?.branch, outcome: outcome)
        case .modelRegistered(let model): .modelRegistered(model: model)
        case .modelStageChanged(let model, let from, let to): .modelStageChanged(model: model, from: from, to: to)
        case .modelTagged(let model, let tags): .modelTagged(model: model, tags: tags)
        case .modelAliasChanged(let model, let alias): .modelAliasChanged(model: model, alias: alias)
        case .tick(let pipeline, let cron): .tick(pipeline: pipeline, cron: cron)
        }
    }

    /// The only pipeline that it is about; nothing is to be said about the others.
    var onlyPipeline: String? {
        switch occasion {
        case .manual(let pipeline, _), .tick(let pipeline, _): pipeline
        case .started(let start, _): start.pipeline
        case .push, .pullRequest, .tag, .comment, .event, .pipelineFinished, .modelRegistered, .modelStageChanged,
            .modelTagged, .modelAliasChanged:
            nil
        }
    }

    /// A file that nobody has read before comes with it, and what is wrong with it is news.
    var bringsFile: Bool {
        switch occasion {
        case .push, .pullRequest: true
        case .tag, .comment, .event, .manual, .started, .pipelineFinished, .modelRegistered, .modelStageChanged,
            .modelTagged, .modelAliasChanged, .tick:
            false
        }
    }

    /// The number of the request that it is.
    var pullRequest: Int? {
        if case .pullRequest = occasion { event["number"]?.int } else { nil }
    }

    var upstreamRun: String? {
        if case .pipelineFinished(let run, _, _) = occasion { run } else { nil }
    }

    /// Somebody waits for an answer to it.
    var isCommand: Bool {
        if case .manual = occasion { true } else { false }
    }

    /// Its pipeline was asked for by name, so parameters of `manual` count.
    var isByName: Bool {
        switch occasion {
        case .manual, .started: true
        case .push, .pullRequest, .tag, .comment, .event, .pipelineFinished, .modelRegistered, .modelStageChanged,
            .modelTagged, .modelAliasChanged, .tick:
            false
        }
    }

    /// The item of the step that asks for it. When a person has it taken once more, no step waits.
    var startingItem: String? {
        guard replayOf == nil, case .started(_, let item) = occasion else { return nil }
        return item
    }

    /// Causes of one line are judged in the order in which they happened, however long the commit of one of them takes to
    /// read: what a model's registry or a branch tells of comes to its groups in that order.
    var line: String? {
        switch occasion {
        case .modelRegistered(let model), .modelStageChanged(let model, _, _), .modelTagged(let model, _),
            .modelAliasChanged(let model, _):
            "model/\(model)"
        case .push: git.map { "push/\($0.repository)/\($0.branch)" }
        case .pullRequest: git.map { "pull/\($0.repository)/\($0.branch)" }
        case .tag, .comment, .event, .manual, .started, .pipelineFinished, .tick: nil
        }
    }

    /// Whether people ask why it started nothing, even where no trigger is of its kind. Events of runs and models are
    /// so many that every pipeline's "not for me" would drown the verdicts that say something.
    var isAskedAbout: Bool {
        switch occasion {
        case .push, .pullRequest, .tag, .manual, .started, .tick: true
        case .comment, .event, .pipelineFinished, .modelRegistered, .modelStageChanged, .modelTagged,
            .modelAliasChanged:
            false
        }
    }

    var parameters: [String: JSONValue] {
        switch occasion {
        case .manual(_, let parameters): parameters
        case .started(let request, _): request.parameters
        case .push, .pullRequest, .tag, .comment, .event, .pipelineFinished, .modelRegistered, .modelStageChanged,
            .modelTagged, .modelAliasChanged, .tick:
            [:]
        }
    }
}
