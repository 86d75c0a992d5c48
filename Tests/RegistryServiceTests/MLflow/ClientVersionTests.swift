import Artifacts
import Foundation
import Messages
import Store
import Testing

@testable import RegistryService

/// MLflow's door and the steps of pipelines lead to the same versions, under the same rules.
@Suite struct ClientVersionTests {
    private func stage(_ door: Door, _ version: Int, _ stage: String, archive: Bool = false) async throws -> Door.Answer
    {
        try await door.post(
            "/model-versions/transition-stage",
            [
                "name": "churn", "version": .string(String(version)), "stage": .string(stage),
                "archive_existing_versions": .bool(archive),
            ])
    }

    @Test func `S0-19 a person's attempt at Production is refused, with an event that says why`() async throws {
        let door = try await Door()
        try await door.registry.declare(
            StageMachine(
                preset: "mlflow", tag: "stage",
                states: ["Production": StageRule(many: true, setBy: ["pipeline:model-ci"])]))
        try await door.model("churn")
        let answer = try await stage(door, 1, "Production")
        #expect(answer.status == 403 && answer.code == "PERMISSION_DENIED")
        let refused = try #require(try await door.registry.said(ModelTransitionRefused.self).first)
        #expect(refused.reason.contains("user:ada may not set stage 'Production'"))
        #expect(answer.message == refused.reason)
        #expect(try await door.registry.stages().isEmpty)
        #expect(try await stage(door, 1, "staging").json["model_version"]?["current_stage"] == "Staging")
        #expect(try await door.registry.move(1, to: "Production", pipeline: "model-ci").outcome == .succeeded)
    }

    @Test func `S0-19 G8 nor does one who may not set Production archive or delete what is in it`() async throws {
        let door = try await Door()
        try await door.registry.declare(
            StageMachine(
                preset: "mlflow", tag: "stage",
                states: ["Production": StageRule(many: true, setBy: ["pipeline:model-ci"])]))
        try await door.model("churn")
        #expect(try await door.registry.move(1, to: "Production", pipeline: "model-ci").outcome == .succeeded)
        #expect(try await stage(door, 1, "Archived").status == 403)
        let deleted = try await door.json("DELETE", "/model-versions/delete", ["name": "churn", "version": "1"])
        #expect(deleted.status == 403 && deleted.code == "PERMISSION_DENIED")
        let refused = try await door.registry.said(ModelTransitionRefused.self)
        #expect(refused.map(\.to) == ["Archived", "none"])
        #expect(refused.map(\.version) == ["1", "1"])
        #expect(refused.last?.reason == deleted.message)
        #expect(try await door.registry.envelopes().last?.actor == "user:ada")
        #expect(try await door.get("/model-versions/get", [("name", "churn"), ("version", "1")]).status == 200)
        #expect(try await door.registry.stages() == [1: "Production"])
        #expect(try await door.registry.said(ModelVersionDeleted.self).isEmpty)
    }

    @Test func `a declared machine's words are those of the door, and its exclusive stages stay so`() async throws {
        let door = try await Door()
        try await door.registry.declare(trunk)
        try await door.model("churn", versions: 2)
        #expect(try await stage(door, 1, "Production").status == 200)
        #expect(try await stage(door, 2, "PRODUCTION").status == 200)
        #expect(try await door.registry.stages() == [1: "surpassed", 2: "production"])
        let latest = try await door.post(
            "/registered-models/get-latest-versions", ["name": "churn", "stages": ["Production"]])
        #expect(latest.json["model_versions"]?[0]?["version"] == "2")
        #expect(latest.json["model_versions"]?[0]?["tags"]?[0] == ["key": "stage", "value": "production"])
        #expect(try await stage(door, 2, "Staging").message.contains("production, staged, surpassed, unstaged"))
    }

    @Test func `S3-20 no client sets or removes the tag that mirrors the stage`() async throws {
        let door = try await Door()
        try await door.registry.declare(trunk)
        try await door.model("churn")
        #expect(try await stage(door, 1, "staged").status == 200)
        let run = try await door.run()
        try await door.put("0/\(run)/artifacts/model/MLmodel")
        let version: [String: JSONValue] = ["name": "churn", "version": "1", "key": "stage"]
        let answers = [
            try await door.post(
                "/model-versions/set-tag", .object(version.merging(["value": "production"]) { $1 })),
            try await door.json("DELETE", "/model-versions/delete-tag", .object(version)),
            try await door.post(
                "/model-versions/create",
                [
                    "name": "churn", "source": .string("runs:/\(run)/model"),
                    "tags": [["key": "stage", "value": "production"]],
                ]),
        ]
        for answer in answers {
            #expect(answer.code == "PERMISSION_DENIED" && answer.message.contains("mirrors the stage"))
        }
        #expect(try await door.registry.said(ModelTagged.self).isEmpty)
        #expect(try await door.registry.said(ModelRegistered.self).count == 1)
        #expect(try await door.registry.stages() == [1: "staged"])
    }

    @Test func `archiving the others is one event with the promotion`() async throws {
        let door = try await Door()
        try await door.model("churn", versions: 3)
        _ = try await stage(door, 1, "Production")
        _ = try await stage(door, 2, "Production")
        #expect(try await stage(door, 3, "Production", archive: true).status == 200)
        #expect(try await door.registry.stages() == [1: "Archived", 2: "Archived", 3: "Production"])
        #expect(try await door.registry.said(ModelStageChanged.self).last?.replaced.count == 2)
    }

    @Test func `C-2 each change is an event in its own commit`() async throws {
        let door = try await Door()
        try await door.model("churn", versions: 2)
        _ = try await door.json("PATCH", "/registered-models/update", ["name": "churn", "description": "d"])
        _ = try await door.post("/registered-models/set-tag", ["name": "churn", "key": "k", "value": "v"])
        _ = try await door.post("/registered-models/alias", ["name": "churn", "alias": "best", "version": "2"])
        _ = try await door.post(
            "/model-versions/set-tag", ["name": "churn", "version": "1", "key": "k", "value": "v"])
        _ = try await door.json(
            "PATCH", "/model-versions/update", ["name": "churn", "version": "1", "description": "first"])
        _ = try await door.json("DELETE", "/model-versions/delete", ["name": "churn", "version": "2"])
        _ = try await door.post("/registered-models/rename", ["name": "churn", "new_name": "leaving"])
        _ = try await door.json("DELETE", "/registered-models/delete", ["name": "leaving"])
        let types = try await door.registry.envelopes().map { shortEventName($0.type) }
        #expect(
            types == [
                "model.created", "model.registered", "model.registered", "model.updated", "model.updated",
                "model.alias_changed", "model.tagged", "model.version_updated", "model.alias_changed",
                "model.version_deleted",
                "model.renamed", "model.version_deleted", "model.deleted",
            ])
        #expect(try await door.registry.envelopes().allSatisfy { $0.actor == "user:ada" && $0.partitionkey == "churn" })
    }

    @Test func `a renamed model is found by its first name too, which stays its own`() async throws {
        let door = try await Door()
        try await door.registry.declare(trunk)
        try await door.model("churn")
        try await door.model("other")
        func rename(_ name: String, _ new: String) async throws -> Door.Answer {
            try await door.post("/registered-models/rename", ["name": .string(name), "new_name": .string(new)])
        }
        #expect(try await rename("churn", "leaving").status == 200)
        for name in ["leaving", "churn"] {
            let model = try await door.get("/registered-models/get", [("name", name)])
            #expect(model.json["registered_model"]?["name"] == "leaving", "\(name): \(model.message)")
        }
        #expect(try await rename("other", "churn").code == "RESOURCE_ALREADY_EXISTS")
        // As a script does that registers under the name that it always had.
        try await door.model("churn")
        let versions = try await door.get("/model-versions/search", [("filter", "name='leaving'")])
        #expect(versions.json["model_versions"]?.array?.count == 2)
        let first = try await door.get("/model-versions/search", [("filter", "name='churn'")])
        #expect(first.status == 200 && (first.json["model_versions"]?.array ?? []).isEmpty, "a filter looks at names")
    }

    @Test func `what no event has room for is refused with advice, and nothing is changed`() async throws {
        let door = try await Door()
        try await door.model("churn")
        let told = try await door.registry.envelopes().count
        let answer = try await door.post(
            "/registered-models/set-tag",
            ["name": "churn", "key": "k", "value": .string(String(repeating: "x", count: 70_000))])
        #expect(answer.status == 400 && answer.code == "INVALID_PARAMETER_VALUE")
        #expect(answer.message.contains("store it as an artifact"))
        let model = try await door.get("/registered-models/get", [("name", "churn")]).json["registered_model"]
        #expect(model?["tags"] == nil)
        #expect(try await door.registry.envelopes().count == told)
    }

    @Test func `C-7 a version without files is refused, and nothing is made`() async throws {
        let door = try await Door()
        let run = try await door.run()
        _ = try await door.post("/registered-models/create", ["name": "churn"])
        let answer = try await door.post(
            "/model-versions/create", ["name": "churn", "source": .string("runs:/\(run)/model")])
        #expect(answer.code == "INVALID_PARAMETER_VALUE" && answer.message.contains("holds no files"))
        #expect(try await door.registry.said(ModelRegistered.self).isEmpty)
    }

    @Test func `G14 a client's version is held to the facts that its project requires`() async throws {
        let door = try await Door()
        try await door.registry.declare(trunk, requires: ["tags.owner", "metrics.auc"])
        let run = try await door.run()
        try await door.put("0/\(run)/artifacts/model/MLmodel")
        _ = try await door.post("/registered-models/create", ["name": "churn"])
        func register(_ tags: JSONValue) async throws -> Door.Answer {
            try await door.post(
                "/model-versions/create",
                ["name": "churn", "source": .string("runs:/\(run)/model"), "run_id": .string(run), "tags": tags])
        }
        let refused = try await register([])
        #expect(refused.code == "PERMISSION_DENIED")
        #expect(refused.message.contains("metrics.auc") && refused.message.contains("tags.owner (give it with tags)"))
        #expect(try await door.registry.said(ModelRegistered.self).isEmpty)
        _ = try await door.post(
            "/runs/log-metric", ["run_id": .string(run), "key": "auc", "value": 0.9, "timestamp": 1])
        #expect(try await register([["key": "owner", "value": "ada"]]).status == 200)
    }

    @Test func `G14 long parameters take no numbers with them, and what is required is kept however long the rest is`()
        async throws
    {
        let door = try await Door()
        try await door.registry.declare(trunk, requires: ["metrics.auc", "params.alpha"])
        let run = try await door.run()
        try await door.put("0/\(run)/artifacts/model/MLmodel")
        _ = try await door.post("/registered-models/create", ["name": "churn"])
        func log(metrics: [String], params: [String]) async throws -> Int {
            let long = String(repeating: "x", count: 5_000)
            let metrics = metrics.map { key -> JSONValue in ["key": .string(key), "value": 0.5, "timestamp": 1] }
            let params = params.map { key -> JSONValue in ["key": .string(key), "value": .string(long)] }
            let batch: JSONValue = [
                "run_id": .string(run), "metrics": .array(metrics), "params": .array(params),
            ]
            return try await door.post("/runs/log-batch", batch).status
        }
        func register() async throws -> ModelRegistered {
            let answer = try await door.post(
                "/model-versions/create",
                ["name": "churn", "source": .string("runs:/\(run)/model"), "run_id": .string(run)])
            #expect(answer.status == 200, "\(answer.message)")
            return try #require(try await door.registry.said(ModelRegistered.self).last)
        }
        let others = (0..<10).map { "p\($0)" }
        #expect(try await log(metrics: ["auc", "f1"], params: ["alpha"] + others) == 200)
        let first = try await register()
        #expect(first.metrics == ["auc": 0.5, "f1": 0.5])
        #expect(first.params.keys.sorted() == ["alpha"])
        let name = String(repeating: "m", count: 100)
        #expect(try await log(metrics: (0..<400).map { "\(name)\($0)" }, params: []) == 200)
        let second = try await register()
        #expect(second.metrics == ["auc": 0.5])
        #expect(second.params.keys.sorted() == ["alpha"])
    }

    @Test func `G12 what a version was made of can be unpacked, whatever becomes of the run's files`() async throws {
        let door = try await Door()
        try await door.model("churn")
        let artifact = try #require(try await door.registry.said(ModelRegistered.self).first).artifact
        #expect(artifact.files == ["MLmodel"])
        let folder = door.registry.folder + "/out"
        try await door.registry.artifacts.extract(artifact.digest, to: folder)
        #expect(try String(contentsOfFile: folder + "/MLmodel", encoding: .utf8) == "bytes")
        #expect(try await door.registry.artifacts.names(of: artifact.digest) == ["MLmodel"])
    }

    @Test func `a pipeline's version and a client's are counted together, and read the same way`() async throws {
        let door = try await Door()
        try await door.registry.declare(trunk)
        try await door.registry.versions("t1")
        try await door.model("churn")
        let found = try await door.get("/model-versions/search", [("filter", "name='churn'")])
        #expect(found.json["model_versions"]?.array?.map { $0["version"]?.string } == ["2", "1"])
        #expect(found.json["model_versions"]?[1]?["source"] == "mlflow-artifacts:/versions/churn/1")
        let resolved = try await door.registry.perform("registry/resolve", ["select": "latest"])
        #expect(resolved.outputs["version"] == 2)
    }

    @Test func `a deleted version keeps its number, and is shown no more`() async throws {
        let door = try await Door()
        try await door.model("churn", versions: 2)
        _ = try await stage(door, 2, "Production")
        #expect(
            try await door.json("DELETE", "/model-versions/delete", ["name": "churn", "version": "2"]).status == 200)
        #expect(try await door.get("/model-versions/get", [("name", "churn"), ("version", "2")]).status == 404)
        #expect(try await door.registry.stages().isEmpty)
        let history = try await door.registry.store.read { db in try StageQueries.history(of: "churn", db) }
        #expect(history.count == 2)
        try await door.model("churn")
        let next = try await door.get("/registered-models/get", [("name", "churn")])
        #expect(next.json["registered_model"]?["latest_versions"]?[0]?["version"] == "3")
    }

    @Test func `what serves is not deleted`() async throws {
        let door = try await Door()
        try await door.model("churn")
        try await door.registry.store.write { tx in try tx.remember(endpoint: "api", model: "churn", serves: 1) }
        let answer = try await door.json("DELETE", "/registered-models/delete", ["name": "churn"])
        #expect(answer.status == 403 && answer.message.contains("endpoint 'api'"))
        #expect(try await door.get("/model-versions/get", [("name", "churn"), ("version", "1")]).status == 200)
    }

    @Test func `a model that left martlet.yml is declared no more, and can be deleted`() async throws {
        let door = try await Door()
        try await door.registry.declare(trunk)
        try await door.registry.declare(trunk, model: "other", project: "elsewhere")
        for name in ["churn", "other"] { try await door.model(name) }
        func delete(_ name: String) async throws -> Int {
            try await door.json("DELETE", "/registered-models/delete", ["name": .string(name)]).status
        }
        #expect(try await delete("churn") == 403)
        try await door.registry.tell(
            ProjectLoaded(
                project: "churn", repository: "churn", sha: "c0ffee", digest: "e", pipelines: [], models: [],
                notifications: [], targets: [:]))
        #expect(try await delete("churn") == 200)
        #expect(try await delete("other") == 403)
    }

    @Test func `code in training writes what is its own, and decides nothing`() async throws {
        let registry = try Registry()
        let training = Caller(
            actor: Actor(name: "pipeline:ship"), name: "ship",
            training: .init(trainingRun: "r.job.train", run: "r", project: "churn"))
        let ada = try await Door(registry)
        let code = try await Door(registry) { _, _ in training }
        let foreign = try await ada.run()
        let own = try await code.run()
        func log(_ run: String) async throws -> Int {
            let metric: JSONValue = ["run_id": .string(run), "key": "m", "value": 1, "timestamp": 1]
            let answer = try await code.post("/runs/log-metric", metric)
            return answer.status
        }
        #expect(try await log(own) == 200)
        #expect(try await log(foreign) == 403)
        await #expect(throws: (any Error).self) { try await code.put("0/\(foreign)/artifacts/x") }
        let told = try await ada.get("/runs/get", [("run_id", own)]).json["run"]?["data"]?["tags"]?.array ?? []
        #expect(told.contains(["key": "external_run_id", "value": "r"]))
        for (run, status) in [(own, 200), (foreign, 403), ("nobody's", 403)] {
            let model: JSONValue = ["experiment_id": "0", "name": "m", "source_run_id": .string(run)]
            #expect(try await code.post("/logged-models", model).status == status)
        }
        let name: JSONValue = ["experiment_id": "0", "new_name": "taken"]
        #expect(try await code.post("/experiments/update", name).code == "PERMISSION_DENIED")
        let tag: JSONValue = ["experiment_id": "0", "key": "k"]
        _ = try await ada.post("/experiments/set-experiment-tag", ["experiment_id": "0", "key": "k", "value": "v"])
        #expect(try await code.post("/experiments/delete-experiment-tag", tag).code == "PERMISSION_DENIED")
        let other: JSONValue = ["experiment_id": "0", "key": "k", "value": "other"]
        #expect(try await code.post("/experiments/set-experiment-tag", other).code == "PERMISSION_DENIED")
        #expect(try await ada.post("/experiments/delete-experiment-tag", tag).status == 200)
        try await registry.declare(trunk, project: "other")
        #expect(try await code.post("/registered-models/create", ["name": "churn"]).code == "PERMISSION_DENIED")
    }
}
