import Artifacts
import Foundation
import Messages
import Store
import Testing

@testable import RegistryService

@Suite struct RunTests {
    private func log(_ door: Door, _ run: String, _ value: JSONValue, step: Int = 0, time: Int = 1) async throws
        -> Door.Answer
    {
        try await door.post(
            "/runs/log-metric",
            ["run_id": .string(run), "key": "m", "value": value, "step": .int(step), "timestamp": .int(time)])
    }

    private func last(_ door: Door, _ run: String) async throws -> JSONValue? {
        try await door.get("/runs/get", [("run_id", run)]).json["run"]?["data"]?["metrics"]?[0]?["value"]
    }

    @Test func `the last of a metric is that of the highest step, then of the latest time, then the largest`()
        async throws
    {
        let door = try await Door()
        let run = try await door.run()
        for (value, step, time) in [(1, 0, 5), (2, 3, 1), (3, 2, 9), (4, 3, 2), (0, 3, 2)] {
            _ = try await log(door, run, .int(value), step: step, time: time)
        }
        #expect(try await last(door, run) == 4)
    }

    @Test(
        arguments: [
            ("NaN", "NaN"), ("Infinity", 1.7976931348623157e308), ("-Infinity", -1.7976931348623157e308), ("2.5", 2.5),
        ] as [(JSONValue, JSONValue)])
    func `what JSON has no number for is kept`(said: JSONValue, told: JSONValue) async throws {
        let door = try await Door()
        let run = try await door.run()
        #expect(try await log(door, run, said).status == 200)
        #expect(try await last(door, run) == told)
    }

    @Test func `the same measurement again changes nothing`() async throws {
        let door = try await Door()
        let run = try await door.run()
        for _ in 0..<3 { _ = try await log(door, run, 1.5) }
        let history = try await door.get("/metrics/get-history", [("run_id", run), ("metric_key", "m")])
        #expect(history.json["metrics"]?.array?.count == 1)
    }

    @Test func `a history is read page by page`() async throws {
        let door = try await Door()
        let run = try await door.run()
        for step in 0..<5 { _ = try await log(door, run, .int(step), step: step, time: step) }
        var (values, token): ([JSONValue], String?) = ([], nil)
        repeat {
            let page = try await door.get(
                "/metrics/get-history",
                [("run_id", run), ("metric_key", "m"), ("max_results", "2")]
                    + (token.map { [("page_token", $0)] } ?? []))
            values += page.json["metrics"]?.array?.compactMap { $0["value"] } ?? []
            token = page.json["next_page_token"]?.string
        } while token != nil
        #expect(values == [0, 1, 2, 3, 4])
    }

    @Test func `a batch is stored whole or not at all`() async throws {
        let door = try await Door()
        let run = try await door.run()
        _ = try await door.post("/runs/log-parameter", ["run_id": .string(run), "key": "p", "value": "1"])
        let answer = try await door.post(
            "/runs/log-batch",
            [
                "run_id": .string(run), "metrics": [["key": "m", "value": 1, "timestamp": 1]],
                "params": [["key": "q", "value": "1"], ["key": "p", "value": "2"]],
                "tags": [["key": "t", "value": "1"]],
            ])
        #expect(answer.message.contains("Changing param values is not allowed"))
        #expect(try await last(door, run) == nil)
    }

    @Test func `the list of a run's models is kept whole, and one that is none says nothing`() async throws {
        let door = try await Door()
        let registry = door.registry
        let code = try await Door(registry) { _, _ in
            Caller(
                actor: Actor(name: "pipeline:ship"), name: "ship",
                training: .init(trainingRun: "r.job.train", run: "r", project: "churn"))
        }
        let run = try await code.run()
        try await code.put("0/\(run)/artifacts/model/MLmodel")
        func set(_ value: String) async throws -> Int {
            let tag: JSONValue = ["run_id": .string(run), "key": "mlflow.log-model.history", "value": .string(value)]
            let answer = try await code.post("/runs/set-tag", tag)
            return answer.status
        }
        func told() async throws -> Door.Answer { try await door.get("/api/v1/training-runs/r.job.train") }
        for broken in ["x", "{}", "[1", "[1]"] {
            #expect(try await set(broken) == 200)
            let answer = try await told()
            #expect(answer.status == 200 && answer.json["model"] == nil, "\(broken): \(answer.message)")
        }
        let long = String(repeating: "x", count: Limits.tagValue)
        #expect(try await set(#"[{"artifact_path": "model", "signature": "\#(long)"}]"#) == 200)
        #expect(try await told().json["model"]?["files"] == ["MLmodel"])
        #expect(try await set("broken") == 200)
        let model: JSONValue = ["run_id": .string(run), "model_json": #"{"artifact_path": "model"}"#]
        #expect(try await code.post("/runs/log-model", model).status == 200)
        #expect(try await told().json["model"]?["files"] == ["MLmodel"])
    }

    @Test func `a model of too many files takes nothing else of its training with it`() async throws {
        let registry = try Registry()
        let code = try await Door(registry) { _, _ in
            Caller(
                actor: Actor(name: "pipeline:ship"), name: "ship",
                training: .init(trainingRun: "r.job.train", run: "r", project: "churn"))
        }
        let run = try await code.run()
        #expect(try await log(code, run, 0.5).status == 200)
        let model: JSONValue = ["run_id": .string(run), "model_json": #"{"artifact_path": "model"}"#]
        #expect(try await code.post("/runs/log-model", model).status == 200)
        try await registry.store.write { tx in
            for number in 0...VersionFiles.most {
                let path = try ArtifactPath("0/\(run)/artifacts/model/\(number)")
                let file = StoredFile(path: path.text, digest: Digest(of: Data()), size: 0)
                try tx.put(file, at: path)
            }
        }
        let told = try await code.get("/api/v1/training-runs/r.job.train")
        #expect(told.status == 200 && told.json["metrics"] == ["m": 0.5])
        #expect(told.json["model"] == nil)
        #expect(told.json["problem"]?.string?.contains("more than 10000 files") == true)
    }

    @Test func `limits are MLflow's own`() async throws {
        let door = try await Door()
        let run = try await door.run()
        func batch(_ field: String, _ count: Int) async throws -> Door.Answer {
            let items = (0..<count).map { number -> JSONValue in
                field == "metrics"
                    ? ["key": .string("k\(number)"), "value": 1, "timestamp": 1]
                    : ["key": .string("k\(number)"), "value": "v"]
            }
            return try await door.post("/runs/log-batch", ["run_id": .string(run), field: .array(items)])
        }
        #expect(try await batch("metrics", 1000).status == 200)
        #expect(try await batch("metrics", 1001).code == "INVALID_PARAMETER_VALUE")
        #expect(try await batch("params", 101).code == "INVALID_PARAMETER_VALUE")
        #expect(try await batch("tags", 101).code == "INVALID_PARAMETER_VALUE")
        let long = String(repeating: "x", count: 1_000_001)
        let large = try await door.post("/runs/log-batch", ["run_id": .string(run), "padding": .string(long)])
        #expect(large.message.contains("at most 1000000 bytes"))
    }

    @Test(arguments: ["/runs/search", "/logged-models/search"])
    func `a search that SQLite could not answer is refused, and not tried again by clients`(_ path: String) async throws
    {
        let door = try await Door()
        func search(_ more: [String: JSONValue]) async throws -> Door.Answer {
            let asked: [String: JSONValue] = ["experiment_ids": ["0"]]
            return try await door.post(path, .object(asked.merging(more) { $1 }))
        }
        func order(_ count: Int) -> JSONValue {
            let fields = (0..<count).map { JSONValue.string("metrics.m\($0)") }
            return .array(path == "/runs/search" ? fields : fields.map { ["field_name": $0] })
        }
        func experiments(_ count: Int) -> JSONValue { .array((0..<count).map { .string(String($0)) }) }
        func filter(_ count: Int) -> JSONValue {
            .string("tags.t IN (\(Array(repeating: "'a'", count: count).joined(separator: ",")))")
        }
        let pattern = String(repeating: "x", count: 50_001)
        for (status, more) in [
            (200, ["order_by": order(50), "experiment_ids": experiments(20_000), "filter": filter(4_000)]),
            (400, ["order_by": order(51)]), (400, ["order_by": order(64)]),
            (400, ["experiment_ids": experiments(20_001)]), (400, ["filter": filter(33_000)]),
            (400, ["filter": .string("tags.t ILIKE '\(pattern)'")]),
        ] as [(Int, [String: JSONValue])] {
            let answer = try await search(more)
            #expect(answer.status == status, "\(answer.message.prefix(200))")
            if status == 400 { #expect(answer.code == "INVALID_PARAMETER_VALUE") }
        }
    }

    @Test func `runs are found page by page in the order that is asked for`() async throws {
        let door = try await Door()
        var runs: [String] = []
        for number in 0..<5 {
            let run = try await door.run()
            if number != 2 { _ = try await log(door, run, number == 3 ? "NaN" : .int(number)) }
            runs.append(run)
        }
        func pages(_ order: [String]) async throws -> [String] {
            var (found, token): ([String], String?) = ([], nil)
            repeat {
                let page = try await door.post(
                    "/runs/search",
                    [
                        "experiment_ids": ["0"], "order_by": .array(order.map { .string($0) }), "max_results": 2,
                        "page_token": .string(token ?? ""),
                    ])
                found += page.json["runs"]?.array?.compactMap { $0["info"]?["run_id"]?.string } ?? []
                token = page.json["next_page_token"]?.string
            } while token != nil
            return found
        }
        // What has no number comes last either way.
        #expect(try await Array(pages(["metrics.m DESC"]).prefix(3)) == [runs[4], runs[1], runs[0]])
        #expect(try await Array(pages(["metrics.m ASC"]).prefix(3)) == [runs[0], runs[1], runs[4]])
        #expect(try await pages([]) == runs.sorted())
        let deleted = try await door.post("/runs/delete", ["run_id": .string(runs[0])])
        #expect(deleted.status == 200)
        #expect(try await pages([]).count == 4)
        #expect(try await log(door, runs[0], 1).message.contains("'active' state"))
    }

    @Test func `artifacts are listed by folder, and a file is no folder`() async throws {
        let door = try await Door()
        let run = try await door.run()
        for path in ["a/one", "a/two", "b", "a/deep/three"] { try await door.put("0/\(run)/artifacts/\(path)") }
        func list(_ path: String) async throws -> [String] {
            let answer = try await door.get(
                "/api/2.0/mlflow-artifacts/artifacts", [("path", "0/\(run)/artifacts" + path)])
            return answer.json["files"]?.array?.map { ($0["path"]?.string ?? "") + ($0["is_dir"] == true ? "/" : "") }
                ?? []
        }
        #expect(try await list("") == ["a/", "b"])
        #expect(try await list("/a") == ["deep/", "one", "two"])
        #expect(try await list("/b") == [])
        await #expect(throws: (any Error).self) { try await door.put("0/\(run)/artifacts/b/c") }
        await #expect(throws: (any Error).self) { try await door.put("0/\(run)/artifacts/a") }
        _ = try await door.send("DELETE", "/api/2.0/mlflow-artifacts/artifacts/0/\(run)/artifacts/a")
        #expect(try await list("") == ["b"])
    }
}
