import Artifacts
import Foundation
import Messages
import Store
import Testing

@testable import RegistryService

/// Whose word a version carries: that of the code that made its files.
@Suite struct LineageTests {
    private static let git = GitReference(
        repository: "churn", url: "/git/churn", branch: "main", sha: String(repeating: "a", count: 40), message: "m")
    private static let predictions = Digest(of: Data("predictions".utf8))
    private static let caller = Caller(
        actor: Actor(name: "pipeline:ship"), name: "ship",
        training: .init(trainingRun: "r.job.train", run: "r", project: "churn"))

    /// A training that lasts, with a model in the run that its code told of.
    private struct Training {
        var code: Door
        var ada: Door
        var run: String

        func end(model: ModelArtifact? = nil) async throws {
            try await ada.registry.tell(
                TrainingFinished(
                    trainingRun: "r.job.train", run: "r", outcome: .succeeded, metrics: ["auc": 0.9], params: [:],
                    tags: [:], model: model, git: LineageTests.git, seconds: 1, predictions: LineageTests.predictions))
        }

        func register(_ source: String) async throws -> ModelRegistered {
            let answer = try await ada.post(
                "/model-versions/create",
                ["name": "churn", "source": .string(source), "run_id": .string(run)])
            #expect(answer.status == 200, "\(answer.message)")
            return try #require(try await ada.registry.said(ModelRegistered.self).last)
        }

        func answers(_ requests: [(path: String, body: [String: JSONValue])]) async throws -> [Int] {
            var statuses: [Int] = []
            for request in requests {
                let body = request.body.merging(["run_id": .string(run)]) { $1 }
                statuses.append(try await ada.post(request.path, .object(body)).status)
            }
            return statuses
        }
    }

    private func training() async throws -> Training {
        let registry = try Registry()
        try await registry.declare(trunk)
        var started = TrainingStarted(
            trainingRun: "r.job.train", run: "r", backend: "local", handle: "r/job/train/1", project: "churn",
            pipeline: "ship", token: "run-r", tokenDigest: Digest(of: Data("secret".utf8)))
        started.git = Self.git
        try await registry.tell(started)
        try await registry.tell(
            TestSuiteFinished(
                run: "r", step: "job/test", passed: 1, failed: 0, errors: 0, skipped: 0, status: "passed"))
        let code = try await Door(registry) { _, _ in Self.caller }
        let ada = try await Door(registry)
        _ = try await ada.post("/registered-models/create", ["name": "churn"])
        let run = try await code.run()
        try await code.put("0/\(run)/artifacts/model/MLmodel", "good")
        _ = try await code.post(
            "/runs/log-metric", ["run_id": .string(run), "key": "auc", "value": 0.9, "timestamp": 1])
        return Training(code: code, ada: ada, run: run)
    }

    @Test func `S0-15 a version of other files gets nothing of the training run that it names`() async throws {
        let training = try await training()
        try await training.end()
        let own = try await training.ada.run()
        try await training.ada.put("0/\(own)/artifacts/model/MLmodel", "other")
        for source in ["runs:/\(own)/model", "mlflow-artifacts:/0/\(own)/artifacts/model"] {
            let facts = try await training.register(source)
            #expect(facts.trainingRun == nil && facts.run == nil)
            #expect(facts.git == nil && facts.tests == nil && facts.predictions == nil)
            #expect(facts.metrics.isEmpty)
            #expect(facts.mlflowRun == training.run, "what its client said is kept")
        }
    }

    @Test func `S0-15 a version of the training's own files has its facts, and so has a copy`() async throws {
        let training = try await training()
        try await training.end()
        for source in ["runs:/\(training.run)/model", "models:/churn/1"] {
            let facts = try await training.register(source)
            #expect(facts.trainingRun == "r.job.train" && facts.run == "r")
            #expect(facts.git == Self.git && facts.tests == "passed" && facts.predictions == Self.predictions)
            #expect(facts.metrics == ["auc": 0.9])
        }
    }

    @Test func `S0-15 so has one of the model that the training ended with, wherever it lies`() async throws {
        let training = try await training()
        let made = try await training.register("runs:/\(training.run)/model").artifact
        try await training.end(model: made)
        let own = try await training.ada.run()
        try await training.ada.put("0/\(own)/artifacts/model/MLmodel", "good")
        let facts = try await training.register("runs:/\(own)/model")
        #expect(facts.artifact.digest == made.digest)
        #expect(facts.trainingRun == "r.job.train" && facts.git == Self.git)
    }

    @Test func `S0-15 a version shows whose its files are, and not what its model is called`() async throws {
        let training = try await training()
        try await training.end()
        let (ada, run) = (training.ada, training.run)
        try await ada.model(run)
        _ = try await training.register("runs:/\(run)/model")
        for model in [run, "churn"] {
            _ = try await ada.get(MLflowDoor.artifactRoot, [("path", "versions/\(model)/1")])
        }
        for source in ["versions/\(run)", "versions/\(run)/1", "versions/\(run)/1/MLmodel"] {
            let facts = try await training.register("mlflow-artifacts:/\(source)")
            #expect(facts.trainingRun == nil && facts.git == nil && facts.metrics.isEmpty, "\(source)")
        }
        let copy = try await training.register("mlflow-artifacts:/versions/churn/1")
        #expect(copy.trainingRun == "r.job.train" && copy.git == Self.git)
    }

    @Test func `S0-15 what a training measured and made is written by its own code alone`() async throws {
        let training = try await training()
        let (ada, run) = (training.ada, training.run)
        let folder = "0/\(run)/artifacts/model"
        for path in [folder + "/MLmodel", folder + "/more"] {
            await #expect(throws: (any Error).self) { try await ada.put(path, "other") }
        }
        for path in [folder, "0/\(run)", "0"] {
            let answer = try await ada.send("DELETE", "\(MLflowDoor.artifactRoot)/\(path)")
            #expect(answer.status == 403 && answer.message.contains("r.job.train"), "\(path): \(answer.message)")
        }
        let measured: JSONValue = [["key": "auc", "value": 1, "timestamp": 2]]
        let made = try await training.answers([
            ("/runs/log-metric", ["key": "auc", "value": 1, "timestamp": 2]),
            ("/runs/log-parameter", ["key": "alpha", "value": "1"]), ("/runs/log-batch", ["metrics": measured]),
            ("/runs/log-model", ["model_json": "{\"artifact_path\": \"other\"}"]),
            ("/runs/outputs", ["models": [["model_id": "m-other"]]]),
            ("/logged-models", ["experiment_id": "0", "name": "model", "source_run_id": .string(run)]),
        ])
        #expect(made == Array(repeating: 403, count: 6))
        // As clients before 3.0 say which models a run made.
        let listed = try await training.answers([
            ("/runs/set-tag", ["key": "mlflow.log-model.history", "value": "[]"]),
            ("/runs/delete-tag", ["key": "mlflow.log-model.history"]),
            ("/runs/log-batch", ["tags": [["key": "mlflow.log-model.history", "value": "[]"]]]),
        ])
        #expect(listed == [403, 403, 403])
        let called = try await training.answers([
            ("/runs/set-tag", ["key": "note", "value": "good"]),
            ("/runs/log-batch", ["tags": [["key": "team", "value": "ml"]]]), ("/runs/update", ["run_name": "best"]),
        ])
        #expect(called == [200, 200, 200])
        try await training.code.put(folder + "/more", "its own")
        let file = try await ada.get("\(MLflowDoor.artifactRoot)/\(folder)/MLmodel")
        #expect(String(decoding: file.bytes, as: UTF8.self) == "good")
    }

    @Test func `S2-11 code in training tags and describes no version but its own`() async throws {
        let training = try await training()
        let (code, ada) = (training.code, training.ada)
        try await ada.model("churn")
        try await code.model("churn")
        for (version, status) in [("1", 403), ("2", 200)] {
            let named: [String: JSONValue] = ["name": "churn", "version": .string(version)]
            let tag = JSONValue.object(named.merging(["key": "auc", "value": "0"]) { $1 })
            #expect(try await code.post("/model-versions/set-tag", tag).status == status)
            #expect(try await ada.post("/model-versions/set-tag", tag).status == 200)
            #expect(try await code.json("DELETE", "/model-versions/delete-tag", tag).status == status)
            let text = JSONValue.object(named.merging(["description": "best"]) { $1 })
            #expect(try await code.json("PATCH", "/model-versions/update", text).status == status)
        }
    }

    @Test(arguments: [false, true])
    func `a fork's code measures others' models for its own run alone`(isUntrusted: Bool) async throws {
        let training = try await training()
        let wish: JSONValue = ["experiment_id": "0", "name": "champion"]
        let made = try await training.ada.post("/logged-models", wish).json["model"]?["info"]?["model_id"]?.string
        let model = try #require(made)
        var caller = Self.caller
        caller.training?.isUntrusted = isUntrusted
        let code = try await Door(training.ada.registry) { [caller] _, _ in caller }
        let (run, metric) = (training.run, JSONValue.object(["key": "auc", "value": 0, "timestamp": 2]))
        let members = (metric.object ?? [:]).merging(["model_id": .string(model)]) { $1 }
        let single = JSONValue.object(members.merging(["run_id": .string(run)]) { $1 })
        #expect(try await code.post("/runs/log-metric", single).status == 200)
        let batch: JSONValue = ["run_id": .string(run), "metrics": [.object(members)]]
        #expect(try await code.post("/runs/log-batch", batch).status == 200)
        let told = try await training.ada.get("/logged-models/\(model)").json["model"]?["data"]?["metrics"]
        #expect((told == nil) == isUntrusted)
        let history = try await code.get("/metrics/get-history", [("run_id", run), ("metric_key", "auc")])
        #expect(history.json["metrics"]?.array?.count == 2)
    }
}
