import Artifacts
import Foundation
import GRDB
import Messages
import Store
import Testing

@testable import TriggerService

private let project = """
    martlet: 1
    project: demo
    model: { name: m }
    pipelines:
      retrain:
        on: { event: { type: deployment.drifted, where: { data.cause: process } } }
        jobs: { a: { steps: [ { run: "1" } ] } }
      feed:
        on: { event: { type: dataset.registered } }
        jobs: { a: { steps: [ { run: "1" } ] } }
      watch:
        on: { event: { type: smoke_test.finished } }
        jobs: { a: { steps: [ { run: "1" } ] } }
      anything:
        on: { event: { type: "*" } }
        jobs: { a: { steps: [ { run: "1" } ] } }
      train:
        on: { manual: {} }
        jobs: { a: { steps: [ { run: "1" } ] } }
    """

struct HeardEventTests {
    private func queued(_ installation: Installation) async throws -> [String] {
        try await installation.published(RunQueued.self).map(\.pipeline)
    }

    private static func smokeTest(model: String = "m", run: String? = nil) -> SmokeTestFinished {
        SmokeTestFinished(
            deployment: "d", endpoint: "e", model: model, version: 1, run: run, outcome: .failed, attempts: 3,
            message: "503")
    }

    private static func dataset(project: String, run: String) -> DatasetRegistered {
        DatasetRegistered(
            project: project, dataset: DatasetReference(name: "churn", version: 1, digest: digest), description: nil,
            files: ["a.csv"], size: 1, path: "data", run: run)
    }

    @Test func `T11 what a service tells of starts the pipelines of its project that name it`() async throws {
        let installation = try await Installation.watching(project)
        for _ in 0..<2 {
            try await installation.event(Self.smokeTest(), from: .deployer, actor: "service:deployer")
        }
        #expect(try await queued(installation) == ["watch", "watch"])
        try await installation.event(Self.smokeTest(model: "else"), from: .deployer, actor: "service:deployer")
        // Nothing says whose it is.
        #expect(try await queued(installation) == ["watch", "watch", "watch"])
        try await installation.event(
            Self.dataset(project: "other", run: "r"), from: .trainerProxy, actor: "pipeline:train")
        #expect(try await queued(installation).count == 3)
        try await installation.event(
            Self.dataset(project: "demo", run: "r"), from: .trainerProxy, actor: "pipeline:train")
        #expect(try await queued(installation).last == "feed")
    }

    @Test func `T11 what is told of a project by its former name starts pipelines of the new one`() async throws {
        let installation = try Installation()
        let upstream = try await Upstream(in: installation, project: project)
        try await installation.command(RepositoryAddRequested(repository: "demo", url: upstream.path))
        try await installation.look()
        try await upstream.commit(
            ["martlet.yml": project.replacing("project: demo", with: "project: renamed")], "renamed")
        try await installation.look()
        for model in ["m", "else"] {
            try await installation.event(
                DeploymentDrifted(
                    endpoint: "e", project: "demo", model: model, version: 1, deployment: "d", cause: .process,
                    expected: [2], reason: "r"), from: .deployer, actor: "service:deployer")
        }
        let queued = try await installation.published(RunQueued.self)
        #expect(queued.map(\.project) == ["renamed"] && queued.map(\.pipeline) == ["retrain"])
    }

    @Test func `it starts in the name of whoever set off the run in which it happened`() async throws {
        let installation = try await Installation.watching(project)
        let wish = try await installation.command(
            RunRequested(project: "demo", pipeline: "train", parameters: [:]), by: "user:bob")
        let run = try #require(try await installation.answer(to: wish).run)
        try await installation.event(
            Self.dataset(project: "demo", run: run), from: .trainerProxy, actor: "pipeline:train")
        let feed = try #require(try await installation.published(RunQueued.self).last { $0.pipeline == "feed" })
        let requester = try await installation.store.read { try RunQueries.run(feed.run, in: $0)?.run.facts.requester }
        #expect(requester == "user:bob")
    }

    @Test func `what a stranger's run brings about goes on with the stranger's commit and rights`() async throws {
        let installation = try await Installation.watching(project)
        let wish = try await installation.command(RunRequested(project: "demo", pipeline: "train", parameters: [:]))
        let run = try #require(try await installation.answer(to: wish).run)
        try await installation.store.write { transaction in
            var facts = try #require(try transaction.run(run)).run.facts
            facts.untrusted = true
            facts.git?.branch = "pull/7"
            try transaction.db.execute(
                sql: "UPDATE run SET facts = ? WHERE id = ?", arguments: [try Wire.encode(facts), run])
        }
        try await installation.event(
            Self.dataset(project: "demo", run: run), from: .trainerProxy, actor: "pipeline:train")
        let feed = try #require(try await installation.published(RunQueued.self).last { $0.pipeline == "feed" })
        let facts = try await installation.store.read { try RunQueries.run(feed.run, in: $0)?.run.facts }
        #expect(facts?.untrusted == true && facts?.git?.branch == "pull/7")
    }

    @Test func `its steps wait until their worker has heard of it too`() async throws {
        let installation = try await Installation.watching(project)
        try await installation.event(
            Self.dataset(project: "demo", run: "r"), from: .trainerProxy, actor: "pipeline:train")
        let feed = try #require(try await installation.published(RunQueued.self).first)
        let heads = try await installation.store.read { try RunQueries.run(feed.run, in: $0)?.heads }
        #expect(heads?.map(\.source).contains(.trainerProxy) == true)
    }

    private static let circle = """
        martlet: 1
        project: demo
        pipelines:
          again:
            on: { event: { type: com.acme.again } }
            jobs: { a: { steps: [ { run: "1" } ] } }
        """

    @Test func `T11 an event that follows from one that was heard here is of its chain, and a circle comes to its end`()
        async throws
    {
        let installation = try await Installation.watching(Self.circle)
        for number in 0...33 {
            var event: [String: JSONValue] = [
                "specversion": "1.0", "id": .string("e\(number)"), "source": "/acme", "type": "com.acme.again",
                "data": [:],
            ]
            if number > 0 { event["causationid"] = .string("e\(number - 1)") }
            let body = try Wire.encode(JSONValue.object(event))
            _ = try await installation.request("publish", body: [body], user: "acme")
            try await installation.settle()
        }
        #expect(try await queued(installation).count == Cause.deepest)
        let codes = try await installation.published(TriggerIgnored.self).map(\.code)
        #expect(codes.filter { $0 == "loop_detected" }.count == 2)
        let last = try #require(try await installation.envelopes(.ingest).last)
        #expect(last.id == "e33" && last.causationdepth == 33)
    }

    @Test func `an installation that did not follow the services starts nothing on what they told before`() async throws
    {
        let installation = try await Installation.watching(project)
        try await installation.store.write { transaction in
            try transaction.db.execute(sql: "UPDATE services_heard SET since = ?", arguments: [1_900_000_000_000])
        }
        try await installation.event(Self.smokeTest(), from: .deployer, actor: "service:deployer")
        #expect(try await queued(installation).isEmpty)
    }
}

private let digest = Digest(of: Data("churn".utf8))
