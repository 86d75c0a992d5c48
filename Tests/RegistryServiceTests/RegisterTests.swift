import Artifacts
import Foundation
import GRDB
import Messages
import Store
import Testing

@testable import RegistryService

@Suite struct RegisterTests {
    private func step(_ run: String, name: String = "register", with extra: [String: JSONValue] = [:]) -> StepWork {
        work("registry/register", .object(extra.merging(["run": .string(run)]) { $1 }), step: name)
    }

    @Test func `G1 the same run registered twice is one version`() async throws {
        let registry = try Registry()
        try await registry.train("t1")
        let first = try await registry.register(step("t1"))
        #expect(first.outcome == .succeeded)
        #expect(first.outputs["version"] == 1)
        #expect(first.outputs["created"] == true)
        #expect(first.message == "Model registered: churn, Model Description: None, Model Version: 1")

        let again = try await registry.register(step("t1", name: "other"))
        #expect(again.outputs["version"] == 1)
        #expect(again.outputs["created"] == false)
        #expect(try await registry.said(ModelRegistered.self).count == 1)
    }

    @Test func `S0-18 the same step after a crash gives the same answer`() async throws {
        let registry = try Registry()
        try await registry.train("t1")
        let first = try await registry.register(step("t1"))
        #expect(try await registry.register(step("t1")) == first)
        #expect(try await registry.said(ModelRegistered.self).count == 1)
    }

    @Test func `C-7 concurrent registrations get dense numbers`() async throws {
        let registry = try Registry()
        for number in 1...20 { try await registry.train("t\(number)") }
        let numbers = try await withThrowingTaskGroup(of: Int?.self) { group in
            for number in 1...20 {
                group.addTask {
                    try await registry.register(step("t\(number)", name: "s\(number)")).outputs["version"]?.int
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(numbers.compactMap { $0 }.sorted() == Array(1...20))
    }

    @Test func `G13 a version carries the facts of its run`() async throws {
        let registry = try Registry()
        try await registry.train("t1", metrics: ["mse": 0.25, "auc": "NaN"], tags: ["data": "v3"])
        _ = try await registry.register(step("t1", with: ["tags": ["area": "churn", "BuildId": 7]]))
        let facts = try #require(try await registry.said(ModelRegistered.self).first)
        #expect(facts.metrics == ["mse": 0.25, "auc": "NaN"])
        #expect(facts.params == ["alpha": "0.1"])
        #expect(facts.tags == ["data": "v3", "area": "churn", "BuildId": "7"])
        #expect(facts.git?.sha == "c0ffee")
        #expect(facts.trainingRun == "t1")
        #expect(try await registry.envelopes().first?.actor == "pipeline:model-cd")
    }

    @Test func `G13 a version that the training's own code made is not the one that the step registers`() async throws {
        let registry = try Registry()
        try await registry.declare(trunk, requires: ["commit", "build"])
        try await registry.train("t1")
        let facts = ModelRegistered(
            model: "churn", version: 1, trainingRun: "t1",
            artifact: ModelArtifact(digest: Digest(of: Data("t1".utf8)), size: 2, files: ["model.pkl"]), metrics: [:],
            params: [:], tags: [:])
        let client = Transaction.ClientVersion(source: "runs:/1/model", run: "", runLink: "", user: "ship")
        try await registry.store.write { tx in
            try tx.haveModel("churn")
            try tx.insert(facts, client)
        }
        let result = try await registry.register(step("t1"))
        #expect(result.outputs["version"] == 2)
        #expect(result.outputs["created"] == true)
        let told = try #require(try await registry.said(ModelRegistered.self).last)
        #expect(told.git?.sha == "c0ffee")
        #expect(told.build?.number == 7)
        // The step's own version is still registered once.
        #expect(try await registry.register(step("t1", name: "other")).outputs["version"] == 2)
    }

    @Test func `S1-14 the description holds parameters and metrics, and the data set is linked`() async throws {
        let registry = try Registry()
        try await registry.train("t1", metrics: ["accuracy": 0.9, "loss": 0.1])
        let with: [String: JSONValue] = [
            "description_from": ["params", "metrics.accuracy", "metrics.unknown"],
            "dataset": ["role": "training data", "id": "d7"],
        ]
        _ = try await registry.register(step("t1", with: with))
        let tags = try await registry.said(ModelRegistered.self).first?.tags
        #expect(tags == ["description": "alpha: 0.1, accuracy: 0.9", "dataset": "d7", "dataset_role": "training data"])
    }

    @Test func `S2-15 S2-17 a new version is told with its description, and what was not measured is no failure`()
        async throws
    {
        let registry = try Registry()
        try await registry.train("t1", metrics: ["mse": 0.25])
        let with: [String: JSONValue] = [
            "tags": ["area": "churn", "mse": "0.25", "auc": nil], "description_from": ["metrics.mse", "metrics.f1"],
        ]
        let first = try await registry.register(step("t1", with: with))
        #expect(first.outcome == .succeeded)
        #expect(
            first.message == """
                Model registered: churn, Model Description: mse: 0.25, Model Version: 1
                Could not find auc metric on parent run.
                Could not find f1 metric on parent run.
                """)
        #expect(try await registry.register(step("t1", with: with)) == first)
        let tags = try await registry.said(ModelRegistered.self).first?.tags
        #expect(tags == ["area": "churn", "mse": "0.25", "description": "mse: 0.25"])
    }

    @Test func `C-7 an unknown or failed run or one without a model is refused`() async throws {
        let registry = try Registry()
        let unknown = try await registry.register(step("nobody"))
        #expect(unknown.outcome == .failed)
        #expect(unknown.message?.contains("there is no training run 'nobody'") == true)

        try await registry.train("bad", outcome: .failed)
        #expect(try await registry.register(step("bad")).message?.contains("ended failed") == true)

        try await registry.tell(
            TrainingFinished(
                trainingRun: "empty", run: "run", outcome: .succeeded, metrics: [:], params: [:], tags: [:], seconds: 1)
        )
        #expect(try await registry.register(step("empty")).message?.contains("wrote no model") == true)
        #expect(try await registry.said(ModelRegistered.self).isEmpty)
    }

    @Test func `G12 a missing or damaged artifact is refused`() async throws {
        let registry = try Registry()
        try await registry.train("t1", content: "weights")
        let digest = Digest(of: Data("weights".utf8))
        let path = registry.artifacts.path(of: digest)
        chmod(path, 0o644)
        try Data("WEIGHTS".utf8).write(to: URL(fileURLWithPath: path))
        #expect(try await registry.register(step("t1")).message?.contains("damaged") == true)
        try FileManager.default.removeItem(atPath: path + ".damaged")
        #expect(try await registry.register(step("t1")).message?.contains("not in the store") == true)
        #expect(try await registry.said(ModelRegistered.self).isEmpty)
    }

    @Test func `G12 so is a list of files of which one is missing`() async throws {
        let registry = try Registry()
        let weights = try await registry.artifacts.put(Data("weights".utf8))
        let list = try await registry.artifacts.put(
            list: FileList(files: [.init(path: "model.pkl", digest: weights, size: 7)]))
        try await registry.tell(
            TrainingFinished(
                trainingRun: "t1", run: "run", outcome: .succeeded, metrics: [:], params: [:], tags: [:], model: list,
                seconds: 1))
        try FileManager.default.removeItem(atPath: registry.artifacts.path(of: weights))
        #expect(try await registry.register(step("t1")).message?.contains("not in the store") == true)
        #expect(try await registry.said(ModelRegistered.self).isEmpty)
        try await registry.artifacts.put(Data("weights".utf8))
        #expect(try await registry.register(step("t1")).outcome == .succeeded)
    }

    @Test func `S0-5 another project's model is refused`() async throws {
        let registry = try Registry()
        try await registry.declare(trunk, project: "elsewhere")
        try await registry.train("t1")
        #expect(try await registry.register(step("t1")).message?.contains("belongs to project 'elsewhere'") == true)
    }

    @Test func `G11 the facts of a version and its history cannot be altered`() async throws {
        let registry = try Registry()
        try await registry.declare(trunk)
        try await registry.versions("t1")
        _ = try await registry.move(1, to: "staged")
        for statement in [
            "UPDATE stage_history SET actor = 'nobody'", "DELETE FROM stage_history", "DELETE FROM version",
            "UPDATE version SET digest = 'sha256:0'",
        ] {
            await #expect(throws: DatabaseError.self) {
                try await registry.store.write { tx in try tx.db.execute(sql: statement) }
            }
        }
    }

    @Test func `a training run that tells more than an event may hold is not registered`() async throws {
        let registry = try Registry()
        try await registry.declare(trunk)
        try await registry.train("t1", tags: ["note": String(repeating: "x", count: 40_000)])
        let result = try await registry.register(work("registry/register", ["run": "t1"]))
        #expect(result.outcome == .failed)
        #expect(result.message?.contains("more than 32768") == true)
    }
}
