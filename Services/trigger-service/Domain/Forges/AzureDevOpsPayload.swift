import Messages

/// Azure DevOps' service hooks: one push may move several references.
enum AzureDevOpsPayload {
    static func read(_ payload: Payload) throws(Refusal) -> ForgeReading {
        let event = try payload.text("eventType")
        let resource = payload["resource"]
        let request = event == comment ? resource["pullRequest"] : resource
        switch event {
        case "git.push":
            let addresses = try addresses(resource)
            var changes: [ForgeChange] = []
            for update in try resource.items("refUpdates") {
                if let change = try update.pushed("name", "newObjectId") { changes.append(change) }
            }
            let why = changes.isEmpty ? "only branches and tags start something" : nil
            return ForgeReading(event, addresses, changes, nothing: why)
        case "git.pullrequest.created", "git.pullrequest.updated", "git.pullrequest.merged":
            let addresses = try addresses(resource)
            guard let kind = try kind(of: event, resource) else {
                return ForgeReading(event, addresses, [], nothing: "it was not merged, and nothing of it changed")
            }
            return ForgeReading(event, addresses, [.pullRequest(try pullRequest(kind, resource))])
        case comment:
            let addresses = try addresses(request)
            guard isNew(resource["comment"]) else {
                return ForgeReading(event, addresses, [], nothing: "only new comments start something")
            }
            return ForgeReading(
                event, addresses,
                [
                    .commented(
                        CommentNews(
                            number: try request.number("pullRequestId"), inPullRequest: true,
                            text: try resource.text("comment.content"),
                            author: resource.optional("comment.author.uniqueName") ?? "",
                            sha: try request.commit("lastMergeSourceCommit.commitId")))
                ])
        default:
            return ForgeReading(
                event, Self.known(resource["repository"]), [], nothing: "events of this kind start nothing")
        }
    }

    private static let comment = "ms.vss-code.git-pullrequest-comment-event"

    /// Edited and deleted comments come as the same kind of event; only their times, or a mark, tell them from new ones.
    private static func isNew(_ comment: Payload) -> Bool {
        if comment.flag("isDeleted") { return false }
        // To the second: how many digits follow differs.
        func second(_ name: String) -> Timestamp? { comment.optional(name).flatMap { Timestamp("\($0.prefix(19))Z") } }
        guard let published = second("publishedDate"), let written = second("lastContentUpdatedDate") else {
            return true
        }
        return written <= published.advanced(by: .seconds(1))
    }

    private static func known(_ repository: Payload) -> [String] {
        ["remoteUrl", "sshUrl", "webUrl"].compactMap(repository.optional)
    }

    private static func addresses(_ resource: Payload) throws(Refusal) -> [String] {
        let addresses = known(resource["repository"])
        guard !addresses.isEmpty else {
            throw Refusal(
                "resource.repository.remoteUrl: a text is expected here; set 'Resource details to send' of the"
                    + " subscription to 'All'")
        }
        return addresses
    }

    /// "Merged" means that a merge was tried; what came of it stands in the status.
    private static func kind(of event: String, _ resource: Payload) throws(Refusal) -> PullRequestNews.Action? {
        switch (event, try resource.text("status")) {
        case ("git.pullrequest.created", _): .opened
        case (_, "completed"): resource.optional("mergeStatus") == "succeeded" ? .merged : nil
        case ("git.pullrequest.updated", "abandoned"): .closed
        case ("git.pullrequest.updated", "active"): .updated
        default: nil
        }
    }

    private static func pullRequest(
        _ action: PullRequestNews.Action, _ resource: Payload
    ) throws(Refusal) -> PullRequestNews {
        PullRequestNews(
            action: action, number: try resource.number("pullRequestId"), title: resource.optional("title") ?? "",
            author: resource.optional("createdBy.uniqueName") ?? "", source: try resource.branch("sourceRefName"),
            target: try resource.branch("targetRefName"), sha: try resource.commit("lastMergeSourceCommit.commitId"),
            fork: resource["forkSource"].isThere,
            merged: action == .merged ? resource.optional("lastMergeCommit.commitId") : nil,
            page: resource.optional("_links.web.href"))
    }
}
