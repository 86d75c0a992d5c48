import Messages
import Testing

@testable import TriggerService

private func request(_ reading: ForgeReading) throws -> PullRequestNews {
    guard case .pullRequest(let news) = reading.changes.first, reading.changes.count == 1 else {
        throw Refusal("no pull request: \(reading)")
    }
    return news
}

/// How requests go on and how they end, as each forge tells of it.
struct RequestPayloadTests {
    @Test func `GitHub: closed without a merge`() throws {
        let news = try request(
            GitHubPayload.read("pull_request", try Recorded.payload("github/pull_request.closed.json")))
        #expect(news.action == .closed && news.merged == nil && news.number == 2)
        #expect(news.source == "changes" && news.sha == "ec26c3e57ca3a959ca5aad62de7213c562f8c821")
    }

    @Test func `Gitea: new commits, closed with a merge and without`() throws {
        let file = "gitea/pull-request-event.json"
        let json = try Recorded.json(file)
        func read(_ event: String, _ action: JSONValue, _ merged: Bool) throws -> PullRequestNews {
            let part = (json["pull_request"] ?? [:]).replacing("merged", .bool(merged))
                .replacing("merge_commit_sha", merged ? "67b56589a45103f891bdee7c0546e5d40bc02001" : .null)
            return try request(
                GitHubPayload.read(event, Payload(json.replacing("action", action).replacing("pull_request", part))))
        }
        #expect(try read("pull_request_sync", "synchronized", false).action == .updated)
        let closed = try read("pull_request", "closed", false)
        #expect(closed.action == .closed && closed.merged == nil)
        let merged = try read("pull_request", "closed", true)
        #expect(merged.action == .merged && merged.merged == "67b56589a45103f891bdee7c0546e5d40bc02001")
    }

    @Test func `GitLab: an update counts where it brought commits or another target; closed without a merge`() throws {
        func read(_ members: [String: JSONValue]) throws -> ForgeReading {
            try GitLabPayload.read(try Recorded.payload("gitlab/merge_request.json", "object_attributes", members))
        }
        // As the file is but for its action: it tells of labels.
        let labels = try read(["action": "update"])
        #expect(labels.changes.isEmpty && labels.nothing == "'update' changes nothing that could be run")
        let pushed = try request(
            read(["action": "update", "oldrev": "95790bf891e76fee5e1747ab589903a6a1f80f22"]))
        #expect(pushed.action == .updated && pushed.sha == "da1560886d4f094c3e6c9ef40349f7d38b5d27d7")
        let json = try Recorded.json("gitlab/merge_request.json")
        let changes = (json["changes"] ?? [:]).replacing(
            "target_branch", ["previous": "main", "current": "master"])
        let part = (json["object_attributes"] ?? [:]).replacing("action", "update")
        let moved = try request(
            GitLabPayload.read(
                Payload(json.replacing("changes", changes).replacing("object_attributes", part))))
        #expect(moved.action == .updated && moved.target == "master")
        let closed = try request(read(["action": "close", "state": "closed"]))
        #expect(closed.action == .closed && closed.merged == nil && closed.number == 1)
        #expect(try request(read(["action": "reopen"])).action == .opened)
    }

    @Test func `Azure DevOps: what an update is stands in the status`() throws {
        let file = "azure-devops/git.pullrequest.updated.json"
        func read(_ members: [String: JSONValue]) throws -> ForgeReading {
            try AzureDevOpsPayload.read(try Recorded.payload(file, "resource", members))
        }
        // As it is: somebody completed it.
        let merged = try request(read([:]))
        #expect(merged.action == .merged && merged.merged == "eef717f69257a6333f221566c1c987dc94cc0d72")
        #expect(merged.source == "mytopic" && merged.target == "master" && merged.number == 1)
        let pushed = try request(read(["status": "active"]))
        #expect(pushed.action == .updated && pushed.sha == "53d54ac915144006c2c9e90d2c7d3880920db49c")
        #expect(!pushed.fork)
        #expect(try request(read(["status": "active", "forkSource": ["name": "refs/heads/x"]])).fork)
        let abandoned = try request(read(["status": "abandoned"]))
        #expect(abandoned.action == .closed && abandoned.merged == nil)
        #expect(try read(["status": "completed", "mergeStatus": "conflicts"]).changes.isEmpty)
        #expect(throws: Refusal.self) { try read(["status": .null]) }
    }

    @Test func `closed without a merge is told of once and starts nothing; opened again it starts what it did`()
        async throws
    {
        let project = """
            martlet: 1
            project: demo
            pipelines:
              quality:
                on: { pull_request: {} }
                jobs: { a: { steps: [ { run: "true" } ] } }
            """
        try await Forgery.open(project: project) { forgery in
            let sha = try await forgery.upstream.git("rev-parse", "main")
            let closed = try forgery.pullRequest("pull_request.closed.json", sha: sha)
            for id in ["d1", "d2"] { _ = try await forgery.github("pull_request", closed, id: id) }
            try await forgery.installation.settle()
            let told = try await forgery.installation.published(PullRequestClosed.self)
            #expect(told.map(\.pullRequest.number) == [2] && told.map(\.delivery) == ["github/d1"])
            #expect(try await forgery.installation.published(PullRequestMerged.self).isEmpty)
            #expect(try await forgery.installation.published(RunQueued.self).isEmpty)
            #expect(try await forgery.verdicts(of: "d2").map(\.code) == ["already_seen"])
            _ = try await forgery.github("pull_request", try forgery.pullRequest(sha: sha), id: "d3")
            try await forgery.installation.settle()
            #expect(try await forgery.installation.published(RunQueued.self).map(\.pipeline) == ["quality"])
        }
    }
}
