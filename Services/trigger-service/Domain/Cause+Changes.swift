import Messages

extension Cause {
    /// A tag is new or points elsewhere.
    init(_ tagged: TagCreated, _ envelope: Envelope) {
        self.init(
            id: envelope.id, type: envelope.type, occasion: .tag(tagged.tag),
            git: GitReference(
                repository: tagged.repository, url: tagged.url, branch: tagged.tag, sha: tagged.sha,
                message: tagged.message, ref: "refs/tags/\(tagged.tag)"),
            because: envelope.consequence, requester: envelope.actor,
            event: [
                "kind": "tag", "id": .string(envelope.id), "repository": .string(tagged.repository),
                "tag": .string(tagged.tag), "before": tagged.before.map(JSONValue.string) ?? .null,
                "sha": .string(tagged.sha), "author": .string(tagged.author), "message": .string(tagged.message),
            ])
    }

    /// A pull request was opened or got other commits.
    init(_ opened: PullRequestOpened, _ commit: PullRequestCommit, _ envelope: Envelope, action: PullRequestNews.Action)
    {
        let request = opened.pullRequest
        self.init(
            id: envelope.id, type: envelope.type,
            occasion: .pullRequest(target: request.target, paths: opened.paths, truncated: opened.pathsTruncated),
            git: GitReference(
                repository: opened.repository, url: opened.url, branch: "pull/\(request.number)", sha: commit.sha,
                message: commit.message, ref: commit.ref),
            untrusted: request.fork, because: envelope.consequence, requester: envelope.actor,
            event: [
                "kind": "pull_request", "id": .string(envelope.id), "action": .string(action.rawValue),
                "repository": .string(opened.repository), "number": .int(request.number),
                "title": .string(request.title), "author": .string(request.author),
                "source": .string(request.source), "target": .string(request.target), "sha": .string(request.sha),
                "fork": .bool(request.fork), "url": request.page.map(JSONValue.string) ?? .null,
                "message": .string(opened.message), "paths": .array(opened.fitting().paths.map(JSONValue.string)),
            ])
    }

    /// Somebody wrote a comment.
    init(_ comment: Commented, _ commit: PullRequestCommit, _ envelope: Envelope) {
        let branch =
            if case .branch(let name)? = NamedReference(commit.ref) { name } else { "pull/\(comment.number)" }
        self.init(
            id: envelope.id, type: envelope.type,
            occasion: .comment(text: comment.text, inPullRequest: comment.inPullRequest),
            git: GitReference(
                repository: comment.repository, url: comment.url, branch: branch, sha: commit.sha,
                message: commit.message, ref: commit.ref),
            untrusted: comment.fork, because: envelope.consequence, requester: envelope.actor,
            event: [
                "kind": "comment", "id": .string(envelope.id), "comment": .string(comment.text),
                "repository": .string(comment.repository), "number": .int(comment.number),
                "in": .string(comment.inPullRequest ? "pull_request" : "issue"), "author": .string(comment.author),
                "association": comment.association.map(JSONValue.string) ?? .null, "sha": .string(comment.sha),
                "fork": .bool(comment.fork), "url": comment.page.map(JSONValue.string) ?? .null,
            ])
    }
}

extension Cause {
    /// An event that a pipeline listens to: an outsider's, or one of the forges'.
    init(_ heard: Envelope, id: String, project: String, git: GitReference) {
        self.init(
            id: id, type: heard.type, occasion: .event(type: heard.type, data: heard.data), git: git, project: project,
            because: heard.consequence, requester: heard.actor,
            event: [
                "kind": "event", "id": .string(heard.id), "type": .string(heard.type),
                "source": .string(heard.source), "subject": .string(heard.subject), "time": .string(heard.time.text),
                "actor": .string(heard.actor), "data": heard.data,
            ])
    }
}

extension PullRequest {
    /// Texts of strangers, cut to what an event has room for.
    init(_ news: PullRequestNews, fork: Bool) {
        self.init(
            number: news.number, title: news.title.shortened(to: 1 << 10), author: news.author.shortened(to: 200),
            source: news.source, target: news.target, sha: news.sha, fork: fork, page: news.page?.shortened(to: 2 << 10)
        )
    }
}

extension PullRequestOpened {
    /// As it travels; the verdict is passed on the whole list of files.
    func fitting() -> PullRequestOpened {
        var copy = self
        (copy.paths, copy.pathsTruncated) = ChangedFiles.fitting(paths, truncated: pathsTruncated)
        return copy
    }
}

extension PullRequestUpdated {
    init(_ opened: PullRequestOpened) {
        self.init(
            repository: opened.repository, url: opened.url, pullRequest: opened.pullRequest, sha: opened.sha,
            paths: opened.paths, pathsTruncated: opened.pathsTruncated, message: opened.message,
            delivery: opened.delivery)
    }
}

/// An event is small, so a long list of files is cut. Names of files are foreign text, where a character may take six bytes.
enum ChangedFiles {
    static func fitting(
        _ paths: [String], truncated: Bool, bytes most: Int = 24 << 10
    ) -> (paths: [String], truncated: Bool) {
        var room = most
        let listed = paths.prefix { path in
            room -= path.jsonBytes + 3
            return room >= 0
        }
        return (Array(listed), truncated || listed.count < paths.count)
    }
}
