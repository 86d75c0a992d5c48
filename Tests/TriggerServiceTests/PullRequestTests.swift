import Foundation
import Messages
import ProjectFile
import ServiceKit
import Store
import Testing

@testable import TriggerService

let pullRequestProject = """
    martlet: 1
    project: demo
    pipelines:
      quality:
        on: { pull_request: { branches: [main], paths: ['src/**'] } }
        jobs: { a: { steps: [ { id: s, run: "true" } ] } }
      chatops:
        on: { comment: { in: pull_request, match: ['/build-images', '/build-pipeline'] } }
        jobs:
          images:
            if: ${{ event.kind == 'push' || contains(event.comment, '/build-images') }}
            steps: [ { id: s, run: "true" } ]
      after:
        on: { pipeline: { name: quality } }
        jobs: { a: { steps: [ { id: s, run: "echo", env: { KEY: "${{ secrets.KEY }}" } } ] } }
    """

/// A branch `changes` beside main, as its author has it.
func propose(_ upstream: Upstream, _ files: [String: String] = ["src/a.py": "1"]) async throws -> String {
    try await upstream.git("switch", "-q", "-C", "changes", "main")
    let sha = try await upstream.commit(files, "proposed")
    try await upstream.git("switch", "-q", "main")
    return sha
}

/// What a forge keeps for a request: its head, and its merge with the target.
func keep(_ upstream: Upstream, _ number: Int, _ sha: String) async throws -> String {
    let tree = try await upstream.git("rev-parse", "\(sha)^{tree}")
    let merge = try await upstream.git("commit-tree", tree, "-p", "main", "-p", sha, "-m", "Merge")
    try await upstream.git("update-ref", "refs/pull/\(number)/head", sha)
    try await upstream.git("update-ref", "refs/pull/\(number)/merge", merge)
    return merge
}

/// A fork's branch is nobody's here.
func proposeFromFork(_ upstream: Upstream, _ files: [String: String] = ["src/a.py": "1"]) async throws -> String {
    let sha = try await propose(upstream, files)
    _ = try await keep(upstream, 2, sha)
    try await upstream.git("branch", "-q", "-D", "changes")
    return sha
}

struct PullRequestTests {
    @Test func `S1-1 a pull request starts its pipeline on the merge with the target`() async throws {
        try await Forgery.open(project: pullRequestProject) { forgery in
            let sha = try await propose(forgery.upstream)
            let merge = try await keep(forgery.upstream, 2, sha)
            let answer = try await forgery.github("pull_request", try forgery.pullRequest(sha: sha), id: "d1")
            #expect(answer.status == 202)
            try await forgery.installation.settle()
            let opened = try #require(try await forgery.installation.published(PullRequestOpened.self).first)
            #expect(opened.pullRequest.number == 2 && opened.pullRequest.sha == sha && !opened.pullRequest.fork)
            #expect(opened.sha == merge && opened.paths == ["src/a.py"] && opened.delivery == "github/d1")
            let run = try #require(
                try await forgery.installation.published(RunQueued.self).first { $0.pipeline == "quality" })
            #expect(run.git?.sha == merge && run.git?.ref == "refs/pull/2/merge" && run.git?.branch == "pull/2")
        }
    }

    @Test func `without a merge by the forge its newest commit is run; other files start nothing`() async throws {
        try await Forgery.open(project: pullRequestProject) { forgery in
            let sha = try await propose(forgery.upstream, ["docs/a.md": "1"])
            _ = try await forgery.github("pull_request", try forgery.pullRequest(sha: sha), id: "d1")
            try await forgery.installation.settle()
            #expect(try await forgery.installation.published(PullRequestOpened.self).first?.sha == sha)
            let verdicts = try await forgery.installation.published(TriggerIgnored.self)
            #expect(verdicts.contains { $0.pipeline == "quality" && $0.code == "path_filter" })
            let second = try await propose(forgery.upstream, ["src/b.py": "1"])
            let updated = try forgery.pullRequest("pull_request.synchronize.json", sha: second)
            _ = try await forgery.github("pull_request", updated, id: "d2")
            // The same state told again, in another delivery.
            _ = try await forgery.github("pull_request", updated, id: "d3")
            try await forgery.installation.settle()
            #expect(try await forgery.installation.published(PullRequestUpdated.self).map(\.sha) == [second])
            #expect(try await forgery.verdicts(of: "d3").map(\.code) == ["already_seen"])
        }
    }

    @Test(arguments: [true, false])
    func `D.1 T20 a request whose project file is broken is told all of its errors with their places`(
        byFork: Bool
    ) async throws {
        try await Forgery.open(project: pullRequestProject) { forgery in
            let broken = pullRequestProject.replacing("branches: [main]", with: "branchs: [main]").replacing(
                "jobs:", with: "job:")
            let files = ["martlet.yml": broken]
            let sha =
                if byFork { try await proposeFromFork(forgery.upstream, files) } else {
                    try await propose(forgery.upstream, files)
                }
            let expected = ProjectReader.read(
                [ProjectDocument(path: "martlet.yml", text: broken)], repositoryName: "demo")
            guard case .failure(let all) = expected else {
                Issue.record("the file has no errors")
                return
            }
            #expect(all.errors.count >= 3)
            let answer = try await forgery.github(
                "pull_request", try forgery.pullRequest(sha: sha, fork: byFork), id: "d1")
            #expect(answer.status == 202)
            try await forgery.installation.settle()
            let rejected = try #require(
                try await forgery.installation.published(ProjectRejected.self).last { $0.pullRequest == 2 })
            #expect(rejected.errors == all.errors)
            let opened = try #require(
                try await forgery.installation.envelopes().first { $0.type == PullRequestOpened.eventType })
            let verdicts = try await forgery.verdicts(of: opened.id)
            #expect(Set(verdicts.map(\.code)) == ["project_rejected"])
            #expect(Set(verdicts.map(\.pipeline)) == ["quality", "chatops", "after"])
            for error in all.errors { #expect(verdicts.allSatisfy { $0.reason.contains(error.description) }) }
            #expect(try await forgery.installation.published(RunQueued.self).isEmpty)
        }
    }

    @Test func `its end is told of, once, and starts nothing by itself`() async throws {
        try await Forgery.open(project: pullRequestProject) { forgery in
            let sha = try await propose(forgery.upstream)
            for id in ["d1", "d2"] {
                let merged = try forgery.pullRequest("pull_request.closed.merged.json", sha: sha)
                _ = try await forgery.github("pull_request", merged, id: id)
            }
            try await forgery.installation.settle()
            #expect(try await forgery.installation.published(PullRequestMerged.self).count == 1)
            #expect(try await forgery.installation.published(PullRequestClosed.self).isEmpty)
            #expect(try await forgery.installation.published(RunQueued.self).isEmpty)
        }
    }

    private static let merged = """
        martlet: 1
        project: demo
        pipelines:
          pushed:
            on: { push: { branches: [main] } }
            jobs: { a: { steps: [ { run: "true" } ] } }
          merged:
            on: { event: { type: change.pull_request_merged } }
            jobs: { a: { steps: [ { run: "true" } ] } }
        """

    @Test func `what a merge starts runs what was merged, also when its push is told of later`() async throws {
        try await Forgery.open(project: Self.merged) { forgery in
            let sha = try await propose(forgery.upstream)
            try await forgery.upstream.git("merge", "-q", "--no-ff", "-m", "Merge", "changes")
            let merge = try await forgery.upstream.git("rev-parse", "main")
            let closed = try forgery.pullRequest("pull_request.closed.merged.json", sha: sha)
            _ = try await forgery.github("pull_request", closed, id: "d1")
            try await forgery.installation.settle()
            _ = try await forgery.github("push", try forgery.push("refs/heads/main", merge), id: "d2")
            try await forgery.installation.settle()
            let runs = try await forgery.installation.published(RunQueued.self)
            #expect(runs.filter { $0.pipeline == "merged" }.map { $0.git?.sha } == [merge])
            #expect(runs.filter { $0.pipeline == "pushed" }.map { $0.git?.sha }.last == merge)
            #expect(try await forgery.installation.published(ChangePushed.self).filter { $0.sha == merge }.count == 1)
            #expect(try await forgery.verdicts(of: "d2").map(\.code) == ["already_seen"])
        }
    }

    @Test(arguments: [("please /build-images now", true), ("nice work", false)])
    func `S1-3 a word in a comment starts a run of the merge, any other comment nothing`(
        text: String, starts: Bool
    ) async throws {
        try await Forgery.open(project: pullRequestProject) { forgery in
            let sha = try await propose(forgery.upstream)
            let merge = try await keep(forgery.upstream, 2, sha)
            _ = try await forgery.github("issue_comment", try forgery.comment(text, on: 2), id: "d1")
            try await forgery.installation.settle()
            let comment = try #require(try await forgery.installation.published(Commented.self).first)
            #expect(comment.text == text && comment.sha == merge && comment.inPullRequest && !comment.fork)
            let runs = try await forgery.installation.published(RunQueued.self).filter { $0.pipeline == "chatops" }
            #expect(runs.map { $0.git?.sha } == (starts ? [merge] : []))
            if !starts {
                let verdicts = try await forgery.installation.published(TriggerIgnored.self)
                #expect(verdicts.contains { $0.pipeline == "chatops" && $0.code == "comment_filter" })
            }
        }
    }
}
