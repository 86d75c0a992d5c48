import Messages

/// What a verdict needs to know of a cause.
package enum CauseFacts: Sendable, Hashable {
    /// `pathsTruncated`: more files changed than are listed.
    case push(branch: String, paths: [String], pathsTruncated: Bool)
    /// `branch` is the one to be merged into.
    case pullRequest(branch: String, paths: [String], pathsTruncated: Bool)
    case tag(String)
    case comment(text: String, inPullRequest: Bool)
    /// A person, or `pipeline/start`, named this pipeline.
    case manual(pipeline: String)
    case pipelineFinished(pipeline: String, branch: String?, outcome: Outcome)
    case modelRegistered(model: String)
    case modelStageChanged(model: String, from: String?, to: String?)
    case modelTagged(model: String, tags: [String: String])
    case modelAliasChanged(model: String, alias: String)
    /// `attributes`: those of the event itself that a filter can ask for.
    case event(type: String, data: JSONValue, attributes: JSONValue = [:])
    /// The ticked schedule of this pipeline.
    case tick(pipeline: String, cron: String)

    /// The word under `on:` that answers it.
    package var word: String {
        switch self {
        case .push: "push"
        case .pullRequest: "pull_request"
        case .tag: "tag"
        case .comment: "comment"
        case .manual: "manual"
        case .pipelineFinished: "pipeline"
        case .modelRegistered, .modelStageChanged, .modelTagged, .modelAliasChanged: "model"
        case .event: "event"
        case .tick: "schedule"
        }
    }
}

/// Whether a cause starts a pipeline, and why: what `why` and `why-not` print.
package enum TriggerVerdict: Sendable, Hashable {
    case matched(reason: String)
    /// `code` is one word for programs.
    case ignored(code: String, reason: String)
    /// It is one of several that the pipeline waits for.
    case contributes(Contribution)

    package var isMatch: Bool {
        if case .matched = self { true } else { false }
    }
}
