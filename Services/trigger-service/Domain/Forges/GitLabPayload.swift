import Messages

/// GitLab's webhooks. One push of more than three branches or tags sends none at all: polling finds those.
enum GitLabPayload {
    /// Those that are always of a project.
    private static let kinds: Set<String> = ["push", "tag_push", "merge_request", "note", "release"]

    static func read(_ payload: Payload) throws(Refusal) -> ForgeReading {
        // Hooks of groups and of the whole system have the second alone.
        let event: String
        if let kind = payload.optional("object_kind") ?? payload.optional("event_name") {
            event = kind
        } else {
            event = try payload.text("object_kind")
        }
        let project = payload["project"]
        let addresses = ["git_http_url", "git_ssh_url", "web_url", "http_url", "ssh_url", "url"]
            .compactMap(project.optional)
        guard !addresses.isEmpty || !kinds.contains(event) else {
            throw Refusal("project.git_http_url: a text is expected here")
        }
        let action = payload.optional("object_attributes.action") ?? payload.optional("action")
        let name = action.map { "\(event).\($0)" } ?? event
        func nothing(_ why: String) -> ForgeReading { ForgeReading(name, addresses, [], nothing: why) }
        switch event {
        case "push", "tag_push":
            guard let change = try payload.pushed("ref", "after") else {
                return nothing("only branches and tags start something")
            }
            return ForgeReading(name, addresses, [change])
        case "merge_request":
            guard let kind = kind(of: action ?? "", payload) else {
                return nothing("'\(action ?? "")' changes nothing that could be run")
            }
            return ForgeReading(name, addresses, [.pullRequest(try mergeRequest(kind, payload))])
        case "note":
            // Older versions do not say what happened to it: then it is new.
            guard action.map({ $0 == "create" }) ?? true else { return nothing("only new comments start something") }
            return ForgeReading(name, addresses, [.commented(try comment(payload))])
        case "release":
            guard action == "create" else { return nothing("only the creation of a release starts something") }
            return ForgeReading(
                name, addresses,
                [
                    .released(
                        ReleaseNews(
                            tag: try payload.branch("tag"), title: payload.optional("name") ?? "",
                            author: payload.optional("commit.author.name") ?? "", prerelease: false,
                            page: payload.optional("url")))
                ])
        default: return nothing("events of this kind start nothing")
        }
    }

    private static func kind(of action: String, _ payload: Payload) -> PullRequestNews.Action? {
        switch action {
        case "open", "reopen": .opened
        // Labels and titles are updates too; only one with an older commit has brought new ones.
        case "update":
            payload["object_attributes.oldrev"].isThere || payload["changes.target_branch"].isThere ? .updated : nil
        case "merge": .merged
        case "close": .closed
        default: nil
        }
    }

    private static func mergeRequest(
        _ action: PullRequestNews.Action, _ payload: Payload
    ) throws(Refusal) -> PullRequestNews {
        let request = payload["object_attributes"]
        return PullRequestNews(
            action: action, number: try request.number("iid"), title: request.optional("title") ?? "",
            author: payload.optional("user.username") ?? "", source: try request.branch("source_branch"),
            target: try request.branch("target_branch"), sha: try request.commit("last_commit.id"),
            fork: try request.number("source_project_id") != request.number("target_project_id"),
            merged: action == .merged ? request.optional("merge_commit_sha") : nil, page: request.optional("url"))
    }

    private static func comment(_ payload: Payload) throws(Refusal) -> CommentNews {
        let (note, request) = (payload["object_attributes"], payload["merge_request"])
        let number = try? request.isThere ? request.number("iid") : payload["issue"].number("iid")
        return CommentNews(
            // A comment on a commit or a snippet has no number.
            number: number ?? 0, inPullRequest: request.isThere, text: try note.text("note"),
            author: payload.optional("user.username") ?? "",
            sha: request.isThere ? try request.commit("last_commit.id") : nil, page: note.optional("url"))
    }
}
