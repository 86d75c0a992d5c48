import Artifacts
import EventLog
import Foundation
import Messages
import Store
import Testing

@testable import RegistryService

/// What is known of where a client's version comes from.
@Suite struct ClientOriginTests {
    private static let sha = String(repeating: "a", count: 40)
    private static let git = GitReference(
        repository: "churn", url: "/git/churn", branch: "main", sha: sha, message: "m")
    private static let build = BuildReference(id: "r", number: 7, url: "http://localhost/runs/7", pipeline: "ship")
    private static let dataset = DatasetReference(name: "reference", version: 3, digest: Digest(of: Data("data".utf8)))
    private static let environment = EnvironmentReference(
        name: "training", version: "1", definition: Digest(of: Data("requirements".utf8)))
    private static let snapshot = Digest(of: Data("snapshot".utf8))
    private static let made = Digest(of: Data("environment".utf8))

    private static func started(_ id: String = "r.job.train", run: String = "r") -> TrainingStarted {
        TrainingStarted(
            trainingRun: id, run: run, backend: "local", handle: "\(run)/job/train/1", project: "churn",
            pipeline: "ship", token: "run-\(run)", tokenDigest: Digest(of: Data("secret".utf8)))
    }

    private static func code(_ id: String = "r.job.train", run: String = "r") -> Caller {
        Caller(
            actor: Actor(name: "pipeline:ship"), name: "ship",
            training: .init(trainingRun: id, run: run, project: "churn"))
    }

    private func register(_ door: Door, _ run: String) async throws -> Door.Answer {
        try await door.post(
            "/model-versions/create",
            ["name": "churn", "source": .string("runs:/\(run)/model"), "run_id": .string(run)])
    }

    @Test func `G13 G14 a version that code in training makes carries the facts of its run`() async throws {
        let registry = try Registry()
        try await registry.declare(
            trunk, requires: ["commit", "branch", "build", "tests", "dataset", "environment"])
        var started = Self.started()
        (started.git, started.snapshot, started.build) = (Self.git, Self.snapshot, Self.build)
        (started.environment, started.environmentVersion, started.dataset) = (Self.made, Self.environment, Self.dataset)
        try await registry.tell(started)
        let door = try await Door(registry) { _, _ in Self.code() }
        try await door.model("churn")
        #expect(try await registry.said(ModelRegistered.self).isEmpty, "no tests have been read yet")
        try await registry.tell(
            TestSuiteFinished(
                run: "r", step: "job/test", passed: 1, failed: 0, errors: 0, skipped: 0, status: "passed"))
        let run = try await door.run()
        try await door.put("0/\(run)/artifacts/model/MLmodel")
        let answer = try await register(door, run)
        #expect(answer.status == 200, "\(answer.message)")
        let facts = try #require(try await registry.said(ModelRegistered.self).first)
        #expect(facts.git == Self.git)
        #expect(facts.snapshot == Self.snapshot)
        #expect(facts.build == Self.build)
        #expect(facts.environment == Self.made)
        #expect(facts.environmentVersion == Self.environment)
        #expect(facts.dataset == Self.dataset)
        #expect(facts.tests == "passed")
        #expect(facts.trainingRun == "r.job.train")
        #expect(facts.run == "r")
    }

    @Test func `G13 so does one that a person makes of that run later, as far as its end tells it`() async throws {
        let registry = try Registry()
        try await registry.declare(trunk, requires: ["commit", "environment"])
        // As it was told before it said where the code comes from.
        try await registry.tell(Self.started())
        let code = try await Door(registry) { _, _ in Self.code() }
        let run = try await code.run()
        try await code.put("0/\(run)/artifacts/model/MLmodel")
        let ada = try await Door(registry)
        _ = try await ada.post("/registered-models/create", ["name": "churn"])
        #expect(try await register(ada, run).message.contains("commit"))
        try await registry.tell(
            TrainingFinished(
                trainingRun: "r.job.train", run: "r", outcome: .succeeded, metrics: [:], params: [:], tags: [:],
                environment: Self.made, git: Self.git, snapshot: Self.snapshot, seconds: 1))
        #expect(try await register(ada, run).status == 200)
        let facts = try #require(try await registry.said(ModelRegistered.self).first)
        #expect(facts.git == Self.git && facts.environment == Self.made && facts.snapshot == Self.snapshot)
        #expect(facts.run == "r" && facts.build == nil)
    }

    @Test func `G14 what the run's tests said before the training is waited for`() async throws {
        let registry = try Registry()
        try await registry.declare(trunk, requires: ["tests"])
        var started = Self.started()
        started.after = [
            LogPosition(source: .trainerProxy, epoch: 1, seq: 9), LogPosition(source: .evaluator, epoch: 1, seq: 2),
        ]
        try await registry.tell(started)
        let door = try await Door(registry) { _, _ in Self.code() }
        let run = try await door.run()
        try await door.put("0/\(run)/artifacts/model/MLmodel")
        _ = try await door.post("/registered-models/create", ["name": "churn"])
        let early = try await register(door, run)
        #expect(early.status == 503 && early.code == "TEMPORARILY_UNAVAILABLE", "\(early.message)")
        try await registry.tell(
            TestSuiteFinished(
                run: "r", step: "job/test", passed: 1, failed: 0, errors: 0, skipped: 0, status: "passed"))
        try await registry.store.write { tx in
            try tx.move(to: .trusting(epoch: 1, seq: 1), of: .evaluator)
        }
        #expect(try await register(door, run).status == 503, "the test step's own words are not all read")
        try await registry.store.write { tx in
            try tx.move(to: .trusting(epoch: 1, seq: 2), of: .evaluator)
        }
        let answer = try await register(door, run)
        #expect(answer.status == 200, "\(answer.message)")
        #expect(try await registry.said(ModelRegistered.self).map(\.tests) == ["passed"])
    }

    @Test func `a log in which nothing stands yet is not waited for`() async throws {
        let registry = try Registry()
        try await registry.declare(trunk)
        var started = Self.started()
        started.after = [LogPosition(source: .evaluator, epoch: 1, seq: 0)]
        try await registry.tell(started)
        let door = try await Door(registry) { _, _ in Self.code() }
        let run = try await door.run()
        try await door.put("0/\(run)/artifacts/model/MLmodel")
        _ = try await door.post("/registered-models/create", ["name": "churn"])
        let answer = try await register(door, run)
        #expect(answer.status == 200, "\(answer.message)")
    }

    @Test func `code in training has its own commit, whatever run it names`() async throws {
        let registry = try Registry()
        var (trusted, other) = (Self.started(), Self.started("s.job.train", run: "s"))
        trusted.git = Self.git
        other.git = GitReference(
            repository: "churn", url: "/git/churn", branch: "pull/2", sha: String(repeating: "b", count: 40),
            message: "m")
        try await registry.tell(trusted)
        try await registry.tell(other)
        let first = try await Door(registry) { _, _ in Self.code() }
        let second = try await Door(registry) { _, _ in Self.code("s.job.train", run: "s") }
        let run = try await first.run()
        try await first.put("0/\(run)/artifacts/model/MLmodel")
        _ = try await second.post("/registered-models/create", ["name": "churn"])
        #expect(try await register(second, run).status == 200)
        let facts = try #require(try await registry.said(ModelRegistered.self).first)
        #expect(facts.git == other.git)
        #expect(facts.trainingRun == "s.job.train" && facts.run == "s")
    }

    @Test func `code of a fork's pull request logs what it measures, and makes no models or versions`() async throws {
        let registry = try Registry()
        try await registry.tell(Self.started())
        var started = Self.started("s.job.train", run: "s")
        started.untrusted = true
        try await registry.tell(started)
        let caller = try await registry.store.read { db in try TrainingQueries.token("run-s", db)?.caller }
        #expect(caller?.training?.isUntrusted == true)
        #expect(try await registry.store.read { db in try TrainingQueries.token("run-r", db)?.caller } == Self.code())
        let ours = try await Door(registry)
        _ = try await ours.post("/registered-models/create", ["name": "churn"])
        let fork = try await Door(registry) { _, _ in try #require(caller) }
        let run = try await fork.run()
        try await fork.put("0/\(run)/artifacts/model/MLmodel")
        let refused = try await register(fork, run)
        #expect(refused.status == 403 && refused.message.contains("fork"), "\(refused.message)")
        let model = try await fork.post("/registered-models/create", ["name": "other"])
        #expect(model.status == 403 && model.message.contains("fork"), "\(model.message)")
        #expect(try await registry.said(ModelRegistered.self).isEmpty)
    }

    @Test func `G13 of other runs the commit is what the client noted`() async throws {
        let registry = try Registry()
        try await registry.declare(trunk, requires: ["commit", "branch"])
        let door = try await Door(registry)
        let run = try await door.run()
        try await door.put("0/\(run)/artifacts/model/MLmodel")
        _ = try await door.post("/registered-models/create", ["name": "churn"])
        #expect(try await register(door, run).code == "PERMISSION_DENIED")
        for (name, value) in [
            ("commit", Self.sha), ("branch", "main"), ("repoURL", "https://ada:secret@example.org/churn.git"),
        ] {
            let tag: JSONValue = [
                "run_id": .string(run), "key": .string("mlflow.source.git.\(name)"), "value": .string(value),
            ]
            _ = try await door.post("/runs/set-tag", tag)
        }
        #expect(try await register(door, run).status == 200)
        let facts = try #require(try await registry.said(ModelRegistered.self).first)
        #expect(facts.git?.sha == Self.sha && facts.git?.branch == "main")
        #expect(facts.git?.url == "https://example.org/churn.git")
        #expect(facts.git?.repository == "", "it is none of ours: nothing is checked out for it")
        #expect(facts.run == nil && facts.build == nil)
    }

    @Test(arguments: ["", "main", "c0ffee", String(repeating: "z", count: 40), String(repeating: "a", count: 41)])
    func `what is no commit is none`(text: String) {
        #expect(NotedCommit.read(["mlflow.source.git.commit": text]) == nil)
    }
}
