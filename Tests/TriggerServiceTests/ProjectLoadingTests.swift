import Artifacts
import Foundation
import Messages
import Store
import Testing

@testable import TriggerService

private let project = """
    martlet: 1
    project: demo
    model: { name: churn, stages: { preset: trunk, rules: { production: { set_by: ["group:leads"] } } } }
    pipelines:
      ci:
        on: { push: {} }
        jobs: { a: { steps: [ { id: s, run: "true" } ] } }
    """

/// The same project's, and it allows anybody what was the leads' to do.
private let loosened = project.replacing(#"set_by: ["group:leads"]"#, with: "set_by: [user]")

/// What holds for a project beyond its runs, and which commit may say so.
struct ProjectLoadingTests {
    private func watched(_ text: String) async throws -> (Installation, Upstream) {
        let installation = try Installation()
        let upstream = try await Upstream(in: installation, project: text)
        try await installation.command(RepositoryAddRequested(repository: "demo", url: upstream.path))
        try await installation.look()
        return (installation, upstream)
    }

    private func loaded(_ installation: Installation) async throws -> [String] {
        try await installation.published(ProjectLoaded.self).map(\.project)
    }

    @Test func `S0-5 a branch that calls itself another project takes no model over and has no schedules`()
        async throws
    {
        let (installation, upstream) = try await watched(project)
        try await upstream.git("switch", "-q", "-c", "x")
        let taking = loosened.replacing("project: demo", with: "project: other")
            .replacing("on: { push: {} }", with: "on: { push: {}, schedule: '0 9 * * *' }")
        let sha = try await upstream.commit(["martlet.yml": taking], "taken over")
        try await installation.look()
        #expect(try await loaded(installation) == ["demo"])
        // Its runs go by its own file, as those of any branch.
        let run = try #require(try await installation.published(RunQueued.self).last)
        #expect(run.project == "other" && run.git?.branch == "x" && run.git?.sha == sha)
        installation.advance(.seconds(2 * 3600))
        try await installation.tick()
        #expect(try await installation.published(ScheduleTicked.self).isEmpty)
        // Once it is merged, it holds.
        try await upstream.git("switch", "-q", "main")
        try await upstream.git("merge", "-q", "x")
        try await installation.look()
        #expect(try await loaded(installation) == ["demo", "other"])
    }

    @Test func `C-21 an older push that is replayed runs its commit and does not bring its file back`() async throws {
        let (installation, upstream) = try await watched(loosened)
        let sha = try await upstream.git("rev-parse", "HEAD")
        let push = try #require(try await installation.envelopes().first { $0.type == ChangePushed.eventType })
        try await upstream.commit(["martlet.yml": project], "the leads' from now on")
        try await installation.look()
        let id = try await installation.command(ReplayRequested(event: push.id))
        let run = try await installation.answer(to: id).run
        let queued = try #require(try await installation.published(RunQueued.self).last)
        #expect(queued.run == run && queued.git?.sha == sha)
        #expect(try await loaded(installation) == ["demo", "demo"])
        let holds = try await installation.store.write { try $0.project("demo")?.sha }
        #expect(holds != nil && holds != sha)
    }

    @Test func `a push that is read after the next one came does not turn the file back`() async throws {
        let (installation, upstream) = try await watched(project)
        let first = try await upstream.git("rev-parse", "HEAD")
        let second = try await upstream.commit(["martlet.yml": loosened], "loosened")
        let third = try await upstream.commit(["martlet.yml": project], "taken back")
        try await installation.mirrors["demo"].fetch(from: try RepositoryAddress(upstream.path))
        let dispatcher = installation.dispatcher
        try await installation.store.write { transaction in
            let repository = try #require(try transaction.repository("demo"))
            let news = BranchChange.News(paths: [], truncated: true, author: "Ann", email: "ann@x.org", message: "")
            for (before, sha) in [(first, second), (second, third)] {
                let change = BranchChange(branch: "main", before: before, sha: sha, news: news)
                try dispatcher.pushed(change, repository, transaction)
            }
        }
        try await installation.settle()
        #expect(try await installation.published(RunQueued.self).map { $0.git?.sha } == [first, second, third])
        // What it says was there before.
        #expect(try await loaded(installation) == ["demo"])
        #expect(try await installation.published(ProjectUnchanged.self).map(\.sha) == [third])
    }

    private static let hearing = project.replacing(
        "on: { push: {} }",
        with: "on: { event: { type: com.acme.data }, schedule: '0 9 * * *', model: { stage: staged } }")

    @Test func `T5 a project that gets another name is over, with its schedules and what it listens to`() async throws {
        let (installation, upstream) = try await watched(Self.hearing)
        let old = GitReference(
            repository: "demo", url: upstream.path, branch: "main", sha: try await upstream.git("rev-parse", "HEAD"),
            message: "")
        let artifact = ModelArtifact(digest: Digest(of: Data("x".utf8)), size: 1, files: [])
        try await installation.event(
            ModelRegistered(
                model: "churn", version: 1, project: "demo", artifact: artifact, metrics: [:], params: [:], tags: [:],
                git: old), from: .registryService, actor: "pipeline:ci")
        let sha = try await upstream.commit(
            ["martlet.yml": Self.hearing.replacing("project: demo", with: "project: renamed")], "renamed")
        try await installation.look()
        #expect(try await loaded(installation) == ["demo", "renamed"])
        let retired = try await installation.published(ProjectRetired.self)
        #expect(
            retired == [ProjectRetired(project: "demo", repository: "demo", sha: sha, successor: "renamed")])
        installation.advance(.seconds(2 * 3600))
        try await installation.tick()
        #expect(try await installation.published(ScheduleTicked.self).map(\.project) == ["renamed"])
        let event: JSONValue = [
            "specversion": "1.0", "id": "e1", "source": "/acme", "type": "com.acme.data", "data": [:],
        ]
        _ = try await installation.request("publish", body: [try Wire.encode(event)], user: "acme")
        try await installation.settle()
        // A version from before the new name as well.
        try await installation.event(
            ModelStageChanged(model: "churn", version: 1, to: "staged", replaced: [], reason: "r"),
            from: .registryService, actor: "pipeline:ci")
        let queued = try await installation.published(RunQueued.self)
        #expect(queued.map(\.project) == ["renamed", "renamed", "renamed"])
        #expect(queued.allSatisfy { $0.git?.sha == sha })
    }

    @Test func `a project that a branch once made is over with the next push, and what it took is given back`()
        async throws
    {
        let (installation, upstream) = try await watched(project)
        try await installation.store.write { transaction in
            var other = try #require(try transaction.project("demo"))
            (other.name, other.branch) = ("other", "x")
            try transaction.save(other, models: ["churn"])
        }
        try await upstream.commit([:], "nothing of the file")
        try await installation.look()
        #expect(try await installation.published(ProjectRetired.self).map(\.project) == ["other"])
        // Told anew, so that others have its word last.
        #expect(try await loaded(installation) == ["demo", "demo"])
        let names = try await installation.store.write { try $0.projects().map(\.name) }
        #expect(names == ["demo"])
        try await upstream.commit([:], "nothing again")
        try await installation.look()
        #expect(try await loaded(installation) == ["demo", "demo"])
    }
}
