import Artifacts
import Foundation
import Messages
import Store
import Testing

@testable import TriggerService

private let project = """
    martlet: 1
    project: demo
    model: { name: churn, stages: { preset: trunk } }
    pipelines:
      train:
        on: manual
        jobs: { a: { steps: [ { id: s, run: x } ] } }
      staged:
        on: { model: { stage: { from: none, to: [staged, production] } } }
        jobs: { a: { steps: [ { id: s, run: "echo ${{ event.model.version }} ${{ event.model.stage }}" } ] } }
      replaced:
        on: { model: { stage: surpassed } }
        jobs: { a: { steps: [ { id: s, run: "echo ${{ event.model.version }} ${{ event.model.previous_stage }}" } ] } }
      tagged:
        on: { model: { tag: { ready: 'yes' } } }
        jobs: { a: { steps: [ { id: s, run: "echo ${{ event.model.name }}" } ] } }
      aliased:
        on: { model: { alias: [champion] } }
        jobs: { a: { steps: [ { id: s, run: "echo ${{ event.model.alias }} ${{ event.model.version }}" } ] } }
      whatever:
        on: { pipeline: { name: train, conclusion: any } }
        jobs: { a: { steps: [ { id: s, run: "echo ${{ upstream.outcome }}" } ] } }
      lost:
        on: { pipeline: { name: train, conclusion: [not_promoted, failure] } }
        jobs: { a: { steps: [ { id: s, run: x } ] } }
      elsewhere:
        on: { pipeline: { name: train, branches: ['release/*'], conclusion: any } }
        jobs: { a: { steps: [ { id: s, run: x } ] } }
    """

struct ModelTriggerTests {
    private func started() async throws -> Installation {
        let installation = try Installation()
        let upstream = try await Upstream(in: installation, project: project)
        try await installation.command(RepositoryAddRequested(repository: "demo", url: upstream.path))
        try await installation.look()
        return installation
    }

    private func pipelines(_ installation: Installation) async throws -> [String] {
        try await installation.published(RunQueued.self).map(\.pipeline)
    }

    private func say(_ body: some EventBody, _ installation: Installation) async throws {
        try await installation.event(body, from: .registryService, actor: "pipeline:train")
    }

    @Test func `T10 C-12 a change of stage starts what waits for the new stage, and only that`() async throws {
        let installation = try await started()
        func move(_ from: String?, _ to: String?) async throws {
            try await say(
                ModelStageChanged(model: "churn", version: 3, from: from, to: to, replaced: [], reason: "r"),
                installation)
        }
        try await move(nil, "staged")
        #expect(try await pipelines(installation) == ["staged"])
        let work = try #require(try await installation.claim(try await installation.open()).first)
        #expect(expanded(work.with, work.variables) == "echo 3 staged")
        try await move("staged", "production")
        try await move("production", nil)
        #expect(try await pipelines(installation) == ["staged"])
        let codes = try await installation.published(TriggerIgnored.self).filter { $0.pipeline == "staged" }.map(\.code)
        #expect(codes.suffix(2) == ["stage_filter", "stage_filter"])
        try await say(
            ModelStageChanged(model: "other", version: 1, to: "staged", replaced: [], reason: "r"), installation)
        #expect(try await pipelines(installation) == ["staged"])
    }

    @Test func `T10 so does a version that made room for another, once, but not when that is taken back`() async throws
    {
        let installation = try await started()
        let change = ModelStageChanged(
            model: "churn", version: 4, from: "staged", to: "production",
            replaced: [StageMove(version: 3, from: "production", to: "surpassed")], reason: "r")
        try await say(change, installation)
        #expect(try await pipelines(installation) == ["replaced"])
        let work = try #require(try await installation.claim(try await installation.open()).first)
        #expect(expanded(work.with, work.variables) == "echo 3 production")
        let cause = try #require(try await installation.published(TriggerMatched.self).last?.cause)
        #expect(cause.hasSuffix("@3"))
        var back = change
        back.compensates = "earlier"
        try await say(back, installation)
        #expect(try await pipelines(installation) == ["replaced"])
    }

    @Test func `T10 a tag starts what waits for its value`() async throws {
        let installation = try await started()
        for value in ["no", "yes"] {
            try await say(ModelTagged(model: "churn", version: 1, set: ["ready": value], removed: []), installation)
        }
        #expect(try await pipelines(installation) == ["tagged"])
    }

    @Test func `a number that a restored registry gives again is another version`() async throws {
        let installation = try await started()
        let artifact = ModelArtifact(digest: Digest(of: Data("x".utf8)), size: 1, files: [])
        func register(_ run: String, _ tags: [String: String]) async throws {
            try await say(
                ModelRegistered(
                    model: "churn", version: 7, run: run, artifact: artifact, metrics: [:], params: [:], tags: tags),
                installation)
        }
        func known() async throws -> (tags: [String: String]?, champion: String?) {
            try await installation.store.write { tx in
                (try tx.version("churn", 7)?.tags, try tx.champion(of: "churn", .stage("production")))
            }
        }
        try await register("old", ["owner": "ada"])
        try await say(
            ModelStageChanged(model: "churn", version: 7, to: "production", replaced: [], reason: "r"), installation)
        #expect(try await known().champion == "7")
        try await register("new", [:])
        let now = try await known()
        #expect(now.tags == [:])
        #expect(now.champion == "")
    }

    @Test func `T10 an alias that a version was given starts what waits for it; taken away it starts nothing`()
        async throws
    {
        let installation = try await started()
        for (alias, to) in [("challenger", 3), ("champion", 3), ("champion", nil)] as [(String, Int?)] {
            try await say(ModelAliasChanged(model: "churn", alias: alias, to: to), installation)
        }
        #expect(try await pipelines(installation) == ["aliased"])
        let work = try #require(try await installation.claim(try await installation.open()).first)
        #expect(expanded(work.with, work.variables) == "echo champion 3")
    }

    @Test(arguments: [("user:bob", "user:bob"), ("pipeline:train", "user:ann")])
    func `C-15 what a person's move starts is theirs, and a pipeline's is whose run made the version`(
        actor: String, requester: String
    ) async throws {
        let installation = try await started()
        let wish = try await installation.command(
            RunRequested(project: "demo", pipeline: "train", parameters: [:], email: "ann@example.org"), by: "user:ann")
        let run = try #require(try await installation.answer(to: wish).run)
        let artifact = ModelArtifact(digest: Digest(of: Data("x".utf8)), size: 1, files: [])
        try await say(
            ModelRegistered(
                model: "churn", version: 3, run: run, project: "demo", artifact: artifact, metrics: [:], params: [:],
                tags: [:]), installation)
        try await installation.event(
            ModelStageChanged(model: "churn", version: 3, to: "staged", replaced: [], reason: "r"),
            from: .registryService, actor: actor)
        try await installation.event(
            ModelTagged(model: "churn", version: 3, set: ["ready": "yes"], removed: []), from: .registryService,
            actor: actor)
        try await installation.event(
            ModelAliasChanged(model: "churn", alias: "champion", to: 3), from: .registryService, actor: actor)
        let queued = try await installation.published(RunQueued.self).dropFirst()
        #expect(queued.map(\.pipeline) == ["staged", "tagged", "aliased"])
        for queued in queued {
            let facts = try await installation.store.read { try RunQueries.run(queued.run, in: $0)?.run.facts }
            #expect(facts?.requester == requester)
            #expect(facts?.requesterEmail == (requester == "user:ann" ? "ann@example.org" : nil))
        }
    }

    @Test(arguments: [
        (Outcome.succeeded, ["whatever"]), (.notPromoted, ["whatever", "lost"]), (.failed, ["whatever", "lost"]),
    ])
    func `C-17 how a run ended decides what follows it, once`(_ outcome: Outcome, _ expected: [String]) async throws {
        let installation = try await started()
        try await installation.command(RunRequested(project: "demo", pipeline: "train", parameters: [:]))
        let work = try #require(try await installation.claim(try await installation.open()).first)
        try await installation.complete(work, StepResult(outcome, message: "so it was"))
        #expect(try await pipelines(installation) == ["train"] + expected)
        let verdict = try await installation.published(TriggerIgnored.self).last { $0.pipeline == "elsewhere" }
        #expect(verdict?.code == "branch_filter")
    }
}
