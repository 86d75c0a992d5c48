import Messages
import Testing

@testable import RegistryService

/// `search_logged_models` as MLflow's own server answers it.
@Suite struct LoggedModelTests {
    /// Three models of one run, of which the third was never measured.
    private func measured() async throws -> Door {
        let door = try await Door()
        let run = try await door.run()
        let measurements: [String: [(value: Double, dataset: String, digest: String, time: Int)]] = [
            "a": [(0.99, "train", "d1", 1), (0.6, "holdout", "d1", 2)],
            "b": [(0.7, "train", "d1", 1), (0.8, "holdout", "d1", 2), (0.5, "holdout", "d2", 3)], "c": [],
        ]
        for (name, values) in measurements {
            let wish: JSONValue = ["experiment_id": "0", "name": .string(name), "source_run_id": .string(run)]
            let model = try await door.post("/logged-models", wish).json["model"]?["info"]?["model_id"]?.string ?? ""
            for (value, dataset, digest, time) in values {
                let logged = try await door.post(
                    "/runs/log-metric",
                    [
                        "run_id": .string(run), "model_id": .string(model), "key": "acc", "value": .double(value),
                        "timestamp": .int(time), "dataset_name": .string(dataset), "dataset_digest": .string(digest),
                    ])
                #expect(logged.status == 200)
            }
        }
        return door
    }

    private func names(_ door: Door, _ more: [String: JSONValue]) async throws -> [String] {
        let asked: [String: JSONValue] = ["experiment_ids": ["0"]]
        let answer = try await door.post("/logged-models/search", .object(asked.merging(more) { $1 }))
        #expect(answer.status == 200, "\(answer.json)")
        return answer.json["models"]?.array?.compactMap { $0["info"]?["name"]?.string } ?? []
    }

    @Test func `any measurement that fits is a find, on the data sets that are asked for`() async throws {
        let door = try await measured()
        let (holdout, first): (JSONValue, JSONValue) = (
            ["dataset_name": "holdout"], ["dataset_name": "holdout", "dataset_digest": "d1"]
        )
        let cases: [(filter: String, datasets: JSONValue, found: [String])] = [
            ("metrics.acc > 0.9", [], ["a"]), ("metrics.acc < 0.65", [], ["a", "b"]),
            ("metrics.acc > 0.75", [holdout], ["b"]), ("metrics.acc < 0.55", [holdout], ["b"]),
            ("metrics.acc < 0.65", [first], ["a"]), ("metrics.acc > 0.9", [holdout, ["dataset_name": "train"]], ["a"]),
            ("", [["dataset_name": "train"]], ["a", "b"]),
            ("", [["dataset_name": "holdout", "dataset_digest": "d2"]], ["b"]),
            ("name = 'a'", [first], ["a"]), ("", [["dataset_name": "nowhere"]], []), ("", [], ["a", "b", "c"]),
        ]
        for (filter, datasets, found) in cases {
            let names = try await names(door, ["filter": .string(filter), "datasets": datasets])
            #expect(names.sorted() == found, "\(filter) \(datasets)")
        }
        let unnamed: JSONValue = ["experiment_ids": ["0"], "datasets": [["dataset_digest": "d1"]]]
        let refused = try await door.post("/logged-models/search", unnamed)
        #expect(refused.code == "INVALID_PARAMETER_VALUE")
        #expect(refused.message == "`dataset_name` in the `datasets` clause must be specified.")
    }

    @Test func `the latest measurement gives the order, of the data set that is named`() async throws {
        let door = try await measured()
        let cases: [(order: [String: JSONValue], found: [String])] = [
            (["ascending": false], ["a", "b", "c"]), (["ascending": true], ["b", "a", "c"]),
            (["ascending": false, "dataset_name": "train"], ["a", "b", "c"]),
            (["ascending": false, "dataset_name": "holdout", "dataset_digest": "d1"], ["b", "a", "c"]),
            (["ascending": false, "dataset_name": "holdout"], ["a", "b", "c"]),
            (["ascending": true, "dataset_digest": "d1"], ["a", "b", "c"]),
        ]
        for (order, found) in cases {
            let field: JSONValue = .object(order.merging(["field_name": "metrics.acc"]) { $1 })
            #expect(try await names(door, ["order_by": [field]]) == found, "\(order)")
        }
    }
}
