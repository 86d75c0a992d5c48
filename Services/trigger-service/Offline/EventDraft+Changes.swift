import Messages
import ProjectFile

/// What happens to a repository: its causes are made of the same bodies as the service tells of.
extension EventDraft {
    static let changes = [
        ChangePushed.name, TagCreated.name, PullRequestOpened.name, PullRequestUpdated.name, Commented.name,
    ]

    /// The file of the default branch counts, whatever commit it speaks of.
    var isHeard: Bool {
        let name = shortEventName(type)
        return !isOurs || HeardEvents.ofForges.contains(name) || HeardEvents.ofServices.contains(name)
    }

    /// Against what the changed files are measured.
    var comparison: OfflineRepository.Comparison {
        switch shortEventName(type) {
        case PullRequestOpened.name, PullRequestUpdated.name: .branch(data["pullRequest"]?["target"]?.string)
        default: isNewBranch ? .branch(nil) : .commit(text("before"))
        }
    }

    func change(_ envelope: Envelope, _ place: DraftPlace) throws -> Cause? {
        let (commit, git) = (place.commit, place.git)
        switch shortEventName(type) {
        case ChangePushed.name:
            var change = try body(ChangePushed.self, facts(place, ["branch": .string(git.branch)], ofFiles: true))
            (change.repository, change.url, change.sha) = (git.repository, git.url, commit.sha)
            return Cause(change, envelope)
        case TagCreated.name:
            var tag = try body(TagCreated.self, facts(place))
            (tag.repository, tag.url, tag.sha) = (git.repository, git.url, commit.sha)
            return Cause(tag, envelope)
        case PullRequestOpened.name, PullRequestUpdated.name:
            let isNew = shortEventName(type) == PullRequestOpened.name
            var opened = try body(
                PullRequestOpened.self, facts(place, ["pullRequest": request(git)], ofFiles: true))
            (opened.repository, opened.url) = (git.repository, git.url)
            return Cause(opened, at(commit, opened.pullRequest.number), envelope, action: isNew ? .opened : .updated)
        case Commented.name:
            var comment = try body(
                Commented.self,
                facts(place, ["number": 1, "inPullRequest": true, "author": "you", "fork": false]))
            (comment.repository, comment.url) = (git.repository, git.url)
            var at = at(commit, comment.number)
            if !comment.inPullRequest { at.ref = "refs/heads/\(git.branch)" }
            return Cause(comment, at, envelope)
        default: return nil
        }
    }

    /// What pipelines hear that listen to its type; of our own events those that the service hears as well.
    func heard(_ envelope: Envelope, _ place: DraftPlace) throws -> Cause? {
        guard isHeard else { return nil }
        var envelope = envelope
        switch shortEventName(type) {
        case PullRequestMerged.name: envelope.data = try filled(PullRequestMerged.self, place)
        case PullRequestClosed.name: envelope.data = try filled(PullRequestClosed.self, place)
        case BranchCreated.name: envelope.data = try filled(BranchCreated.self, place)
        case BranchDeleted.name: envelope.data = try filled(BranchDeleted.self, place)
        case ReleasePublished.name: envelope.data = try filled(ReleasePublished.self, place)
        default: break
        }
        return Cause(envelope, id: envelope.id, project: place.project.name, git: place.git)
    }

    private func filled<Body: EventBody>(_ type: Body.Type, _ place: DraftPlace) throws -> JSONValue {
        let more: [String: JSONValue] = [
            "pullRequest": request(place.git), "before": .string(place.commit.sha), "title": "", "author": "you",
            "prerelease": false,
        ]
        return try Wire.tree(try body(type, facts(place, more)))
    }

    private func request(_ git: GitReference) -> JSONValue {
        [
            "number": 1, "title": "", "author": "you", "source": "topic", "target": .string(git.branch),
            "sha": .string(git.sha), "fork": false,
        ]
    }

    private func at(_ commit: OfflineRepository.Commit, _ number: Int) -> PullRequestCommit {
        PullRequestCommit(
            sha: commit.sha, ref: "refs/pull/\(number)/head", fork: false, paths: [], truncated: false,
            message: commit.message)
    }

    /// What the repository says of it, where the draft does not.
    private func facts(
        _ place: DraftPlace, _ more: [String: JSONValue] = [:], ofFiles: Bool = false
    ) -> [String: JSONValue] {
        let commit = place.commit
        var facts: [String: JSONValue] = [
            "repository": .string(place.git.repository), "url": .string(place.git.url), "sha": .string(commit.sha),
            "author": .string(commit.author), "message": .string(commit.message),
        ]
        if ofFiles {
            facts["paths"] = .array(commit.paths.map(JSONValue.string))
            // Whoever lists the files has listed all of them.
            facts["pathsTruncated"] = .bool(data["paths"] == nil && commit.pathsTruncated)
        }
        return facts.merging(more) { $1 }
    }
}

extension EventDraft {
    /// The body with what the draft says over what it leaves out.
    ///
    /// - Throws: `Refusal` for what is missing, of another type, or no part of it.
    private func body<Body: EventBody>(_ type: Body.Type, _ defaults: [String: JSONValue]) throws -> Body {
        let body: Body
        do {
            let whole = Self.merged(.object(defaults), data)
            body = try Wire.decode(Body.self, from: try Wire.encode(whole))
        } catch let error as DecodingError {
            throw Refusal("the data of '\(Body.name)': \(error.inWords)")
        }
        let known = try Wire.tree(body).object ?? [:]
        let unknown = (data.object ?? [:]).filter { $0.value != .null && known[$0.key] == nil }.keys.sorted()
        guard unknown.isEmpty else {
            throw Refusal("'\(Body.name)' has no '\(unknown.joined(separator: "', '"))'; docs/events has its form")
        }
        return body
    }

    private static func merged(_ defaults: JSONValue, _ given: JSONValue) -> JSONValue {
        guard case .object(var members) = defaults, case .object(let own) = given else { return given }
        for (name, value) in own { members[name] = members[name].map { merged($0, value) } ?? value }
        return .object(members)
    }
}

extension DecodingError {
    /// What is wrong, with its place.
    fileprivate var inWords: String {
        func place(_ context: Context, _ key: (any CodingKey)? = nil) -> String {
            (context.codingPath + (key.map { [$0] } ?? [])).map(\.stringValue).joined(separator: ".")
        }
        return switch self {
        case .keyNotFound(let key, let context): "'\(place(context, key))' is missing"
        case .valueNotFound(_, let context): "'\(place(context))' is missing"
        case .typeMismatch(_, let context): "'\(place(context))' is of another type: \(context.debugDescription)"
        case .dataCorrupted(let context): "'\(place(context))': \(context.debugDescription)"
        @unknown default: "\(self)"
        }
    }
}
