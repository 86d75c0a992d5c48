import Artifacts
import Foundation
import Messages
import Store
import Testing

@testable import RegistryService

@Suite struct DecisionTests {
    private func decided(
        _ digest: String, challenger: Int, champion: Int?, winner: EvaluationWinner = .challenger,
        advisory: Bool? = nil,
        run: String? = nil
    ) -> EvaluationDecided {
        EvaluationDecided(
            decision: digest, run: "run", step: "job/evaluate", model: "churn", winner: winner, rule: [:],
            metric: "mse",
            challenger: EvaluatedCandidate(version: run == nil ? challenger : nil, trainingRun: run, value: 1),
            champion: champion.map { EvaluatedCandidate(version: $0, trainingRun: nil, value: 2) }, reason: .better,
            message: "numbers", championSelector: "stage=production", advisory: advisory)
    }

    private func registry() async throws -> Registry {
        let registry = try Registry()
        try await registry.declare(trunk)
        try await registry.versions("a", "b", "c")
        return registry
    }

    private func promote(_ registry: Registry, _ version: Int, _ decision: String) async throws -> StepResult {
        try await registry.perform(
            "registry/transition", ["version": .int(version), "to": "production", "decision": .string(decision)])
    }

    @Test func `E13 of two that won against the same champion only one is promoted by its decision`() async throws {
        let registry = try await registry()
        #expect(try await registry.move(1, to: "production").outcome == .succeeded)
        try await registry.tell(decided("sha256:two", challenger: 2, champion: 1))
        try await registry.tell(decided("sha256:three", challenger: 3, champion: 1))
        #expect(try await promote(registry, 2, "sha256:two").outcome == .succeeded)
        let late = try await promote(registry, 3, "sha256:three")
        #expect(late.outcome == .failed)
        #expect(
            late.message?.contains("is void: it compared with version 1, and the champion is version 2 now") == true)
        #expect(try await registry.said(ModelTransitionRefused.self).count == 1)
        #expect(try await registry.stages()[3] == nil)
        // Again, as after a crash: it is there already.
        #expect(try await promote(registry, 2, "sha256:two").outcome == .succeeded)
    }

    @Test func `S2-12 a decision without a champion holds until there is one`() async throws {
        let registry = try await registry()
        try await registry.tell(decided("sha256:first", challenger: 1, champion: nil, run: "a"))
        #expect(try await promote(registry, 1, "sha256:first").outcome == .succeeded)
        try await registry.tell(decided("sha256:second", challenger: 2, champion: nil))
        #expect(try await promote(registry, 2, "sha256:second").outcome == .failed)
    }

    @Test func `E13 a decision about a version that the registry lost promotes no other with its number`()
        async throws
    {
        let registry = try await registry()
        for (digest, run) in [("sha256:lost", "gone"), ("sha256:own", "a")] {
            var body = decided(digest, challenger: 1, champion: nil)
            body.challenger.trainingRun = run
            try await registry.tell(body)
        }
        let refused = try await promote(registry, 1, "sha256:lost")
        #expect(refused.outcome == .failed)
        #expect(refused.message?.contains("version 1 of training run 'gone'") == true, "\(refused.message ?? "")")
        #expect(try await promote(registry, 1, "sha256:own").outcome == .succeeded)
    }

    @Test func `E13 a decision about other files promotes no version, though both be of one training run`() async throws
    {
        let registry = try await registry()
        for (digest, content) in [("sha256:other", "other"), ("sha256:own", "a")] {
            var body = decided(digest, challenger: 1, champion: nil, run: "a")
            body.challenger.artifact = Digest(of: Data(content.utf8))
            try await registry.tell(body)
        }
        let refused = try await promote(registry, 1, "sha256:other")
        #expect(refused.outcome == .failed)
        #expect(refused.message?.contains("is about other files") == true, "\(refused.message ?? "")")
        #expect(try await promote(registry, 1, "sha256:own").outcome == .succeeded)
    }

    @Test func `X4 a decision that was lost, is another's or is unknown promotes nobody`() async throws {
        let registry = try await registry()
        try await registry.tell(decided("sha256:lost", challenger: 1, champion: nil, winner: .champion))
        #expect(try await promote(registry, 1, "sha256:lost").message?.contains("was lost by version 1") == true)
        #expect(try await promote(registry, 2, "sha256:lost").message?.contains("not about version 2") == true)
        #expect(try await promote(registry, 1, "sha256:nobody").message?.contains("is not known") == true)
        #expect(try await registry.stages().isEmpty)
        try await registry.tell(
            decided("sha256:advice", challenger: 1, champion: nil, winner: .champion, advisory: true))
        #expect(try await promote(registry, 1, "sha256:advice").outcome == .succeeded)
    }
}

@Suite struct RequiredFactTests {
    @Test func `G14 a version without the facts that its project requires is refused, and all of them are named`()
        async throws
    {
        let registry = try Registry()
        try await registry.declare(trunk, requires: ["commit", "dataset", "tests", "metrics.auc", "tags.owner"])
        try await registry.train("a")
        let refused = try await registry.register(work("registry/register", ["run": "a"]))
        #expect(refused.outcome == .failed)
        let message = try #require(refused.message)
        for part in [
            "dataset (let train/run name its dataset)", "tests (let evaluate/test run in the same run)",
            "metrics.auc (the run's metrics are: mse)", "tags.owner (give it with tags)",
        ] { #expect(message.contains(part), "\(message)") }
        #expect(!message.contains("commit"))
        #expect(try await registry.said(ModelRegistered.self).isEmpty)
    }

    @Test func `S0-15 a version carries its build, its tests, its data set and its environment`() async throws {
        let registry = try Registry()
        try await registry.declare(trunk, requires: ["tests", "dataset", "build"])
        let dataset = DatasetReference(name: "patients", version: 4, digest: Digest(of: .init("d".utf8)))
        try await registry.train("a", dataset: dataset)
        for status in ["failed", "passed"] {
            try await registry.tell(
                TestSuiteFinished(
                    run: "run", step: "job/test", passed: 1, failed: 0, errors: 0, skipped: 0, status: status))
        }
        let result = try await registry.register(work("registry/register", ["run": "a"]))
        #expect(result.outcome == .succeeded, "\(result.message ?? "")")
        let facts = try #require(try await registry.said(ModelRegistered.self).first)
        #expect(facts.tests == "passed")
        #expect(facts.dataset == dataset)
        #expect(facts.build?.number == 7)
        #expect(facts.build?.url == "http://localhost/runs/7")
        #expect(facts.git?.branch == "main")
    }

    @Test func `S0-15 tests that failed are told too, and one that failed is not made good by another`() async throws {
        let registry = try Registry()
        try await registry.declare(trunk)
        try await registry.train("a")
        for (step, status) in [("job/one", "failed"), ("job/two", "passed")] {
            try await registry.tell(
                TestSuiteFinished(run: "run", step: step, passed: 1, failed: 0, errors: 0, skipped: 0, status: status))
        }
        _ = try await registry.register(work("registry/register", ["run": "a"]))
        #expect(try await registry.said(ModelRegistered.self).first?.tests == "failed")
    }
}

@Suite struct ExclusiveTagTests {
    @Test func `S3-25 an exclusive tag has one holder, and the former ones get the other word`() async throws {
        let registry = try Registry()
        try await registry.declare(StageMachine(preset: "none", tag: "stage", states: [:]))
        try await registry.versions("a", "b", "c")
        func set(_ version: Int, _ more: [String: JSONValue] = [:]) async throws -> StepResult {
            try await registry.perform(
                "registry/tag",
                .object(
                    ["version": .int(version), "tags": ["champion": "yes"], "exclusive": true].merging(more) { $1 }))
        }
        _ = try await registry.perform("registry/tag", ["version": 1, "tags": ["champion": "yes"]])
        _ = try await registry.perform("registry/tag", ["version": 2, "tags": ["champion": "yes"]])
        // X7: all that had it make room, not one of them.
        let result = try await set(3, ["replace_existing_with": "former"])
        #expect(result.outputs["replaced"] == [1, 2])
        let tags = try await registry.store.read { db in
            try (1...3).map { try VersionQueries.tags(of: $0, model: "churn", db)["champion"] }
        }
        #expect(tags == ["former", "former", "yes"])
        let told = try await registry.said(ModelTagged.self).count
        // Where it is already: the same end state, and nothing to tell.
        #expect(try await set(3, ["replace_existing_with": "former"]).outputs["replaced"] == [])
        #expect(try await registry.said(ModelTagged.self).count == told)
        // Without a word the tag goes.
        #expect(try await set(2).outputs["replaced"] == [3])
        #expect(try await registry.said(ModelTagged.self).suffix(2).map(\.removed) == [["champion"], []])
    }
}
