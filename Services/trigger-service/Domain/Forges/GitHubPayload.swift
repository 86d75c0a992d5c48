import Messages

/// GitHub's webhooks, and Gitea's, which follow them but for some words.
enum GitHubPayload {
    /// Those that are always of a repository.
    private static let kinds: Set<String> = [
        "push", "create", "delete", "pull_request", "pull_request_sync", "issue_comment", "pull_request_comment",
        "release",
    ]

    static func read(_ event: String, _ payload: Payload) throws(Refusal) -> ForgeReading {
        let repository = payload["repository"]
        let addresses = ["clone_url", "ssh_url", "html_url"].compactMap(repository.optional)
        guard !addresses.isEmpty || !kinds.contains(event) else {
            throw Refusal("repository.clone_url: a text is expected here")
        }
        let action = payload.optional("action")
        let name = action.map { "\(event).\($0)" } ?? event
        func nothing(_ why: String) -> ForgeReading { ForgeReading(name, addresses, [], nothing: why) }
        switch event {
        case "push":
            guard let change = try payload.pushed("ref", "after") else {
                return nothing("only branches and tags start something")
            }
            return ForgeReading(name, addresses, [change])
        case "create", "delete":
            return nothing("the push that comes with it tells of it")
        case "pull_request", "pull_request_sync":
            guard let kind = kind(of: action ?? "", payload) else {
                return nothing("'\(action ?? "")' changes nothing that could be run")
            }
            return ForgeReading(name, addresses, [.pullRequest(try pullRequest(kind, payload))])
        case "issue_comment", "pull_request_comment":
            guard action == "created" else { return nothing("only new comments start something") }
            return ForgeReading(name, addresses, [.commented(try comment(payload))])
        case "release":
            guard action == "published" else { return nothing("only the publishing of a release starts something") }
            let release = payload["release"]
            return ForgeReading(
                name, addresses,
                [
                    .released(
                        ReleaseNews(
                            tag: try release.branch("tag_name"), title: release.optional("name") ?? "",
                            author: release.optional("author.login") ?? "", prerelease: release.flag("prerelease"),
                            page: release.optional("html_url")))
                ])
        default: return nothing("events of this kind start nothing")
        }
    }

    private static func kind(of action: String, _ payload: Payload) -> PullRequestNews.Action? {
        switch action {
        case "opened", "reopened": .opened
        // Gitea's word is the second.
        case "synchronize", "synchronized", "ready_for_review": .updated
        case "edited": payload["changes.base"].isThere ? .updated : nil
        case "closed": payload.flag("pull_request.merged") ? .merged : .closed
        default: nil
        }
    }

    private static func pullRequest(
        _ action: PullRequestNews.Action, _ payload: Payload
    ) throws(Refusal) -> PullRequestNews {
        let request = payload["pull_request"]
        let (head, base) = (request.optional("head.repo.full_name"), request.optional("base.repo.full_name"))
        return PullRequestNews(
            action: action, number: try request.number("number"), title: request.optional("title") ?? "",
            author: request.optional("user.login") ?? "", source: try request.branch("head.ref"),
            target: try request.branch("base.ref"), sha: try request.commit("head.sha"),
            // A fork that is gone has no repository any more.
            fork: head == nil || head != base, merged: action == .merged ? request.optional("merge_commit_sha") : nil,
            page: request.optional("html_url"))
    }

    private static func comment(_ payload: Payload) throws(Refusal) -> CommentNews {
        let (issue, request, comment) = (payload["issue"], payload["pull_request"], payload["comment"])
        return CommentNews(
            number: issue.isThere ? try issue.number("number") : try request.number("number"),
            inPullRequest: issue["pull_request"].isThere || request.isThere || payload.flag("is_pull"),
            text: try comment.text("body"), author: comment.optional("user.login") ?? "",
            association: comment.optional("author_association"),
            sha: request.isThere ? try request.commit("head.sha") : nil, page: comment.optional("html_url"))
    }
}
