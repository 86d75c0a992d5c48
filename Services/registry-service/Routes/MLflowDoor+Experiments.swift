import GRDB
import Hummingbird
import Messages
import Store

extension MLflowDoor {
    func addExperiments(_ routes: MLflowRoutes) {
        routes.post("/experiments/create", .writing) { call in
            let name = try call.required("name")
            try Names.checkExperiment(name)
            if let location = try call.text("artifact_location"), !location.isEmpty {
                throw MLflowError.invalid(
                    "artifact_location '\(location)' cannot be chosen: this server keeps all artifacts itself; leave it out"
                )
            }
            let tags = try call.pairs("tags")
            return try await create(call, "experiment") { tx in
                ["experiment_id": .string(String(try tx.createExperiment(name, tags: tags)))]
            }
        }
        routes.get("/experiments/get", .reading) { call in
            let id = try call.required("experiment_id")
            return try await read { db in
                ["experiment": try ExperimentQueries.json(ExperimentQueries.row(id, db), db)]
            }
        }
        routes.get("/experiments/get-by-name", .reading) { call in
            let name = try call.required("experiment_name")
            return try await read { db in
                guard let row = try ExperimentQueries.row(named: name, db) else {
                    throw MLflowError.missing("Could not find experiment with name '\(name)'")
                }
                return ["experiment": try ExperimentQueries.json(row, db)]
            }
        }
        routes.post("/experiments/search", .reading, searchExperiments)
        routes.get("/experiments/search", .reading, searchExperiments)
        routes.post("/experiments/update", .writing) { call in
            let (id, name) = (try call.required("experiment_id"), try call.required("new_name"))
            try Names.checkExperiment(name)
            try call.caller.checkWriting(to: nil, "experiment \(id)")
            return try await change(id) { tx, number in
                _ = try ExperimentQueries.active(id, tx.db)
                try tx.renameExperiment(number, to: name)
            }
        }
        routes.post("/experiments/delete", .writing) { call in
            let id = try call.required("experiment_id")
            try call.caller.checkWriting(to: nil, "experiment \(id)")
            return try await change(id) { tx, number in
                guard number != 0 else { throw MLflowError.invalid("Cannot delete default experiment '0'.") }
                _ = try ExperimentQueries.active(id, tx.db)
                try tx.setExperiment(number, deleted: true)
            }
        }
        routes.post("/experiments/restore", .writing) { call in
            let id = try call.required("experiment_id")
            try call.caller.checkWriting(to: nil, "experiment \(id)")
            return try await change(id) { tx, number in try tx.setExperiment(number, deleted: false) }
        }
        routes.post("/experiments/set-experiment-tag", .writing) { call in
            let (id, tag) = (try call.required("experiment_id"), try call.pair())
            try Names.checkKey(tag.key, "tag")
            try call.caller.checkWriting(to: nil, "experiment \(id)")
            return try await change(id) { tx, number in
                _ = try ExperimentQueries.active(id, tx.db)
                try tx.setExperimentTag(number, tag)
            }
        }
        routes.post("/experiments/delete-experiment-tag", .writing) { call in
            let (id, key) = (try call.required("experiment_id"), try call.required("key"))
            try call.caller.checkWriting(to: nil, "experiment \(id)")
            return try await change(id) { tx, number in try tx.removeExperimentTag(number, key) }
        }
    }

    @Sendable private func searchExperiments(_ call: MLflowCall) async throws -> Response {
        let filter = try FilterParser.filter(call.text("filter"), .experiments)
        let order = try FilterParser.ordering(call.texts("order_by"), .experiments)
        let (view, page) = (try call.view("view_type"), try call.page())
        let limit = try call.limit(default: 1000, most: Limits.mostRuns)
        return try await read { db in
            let found = try ExperimentQueries.search(filter, order, view: view, page: page, limit: limit, db)
            return Self.page("experiments", found.items, found.next)
        }
    }

    private func change(
        _ id: String, _ body: @escaping @Sendable (Transaction, Int64) throws -> Void
    ) async throws -> Response {
        try await write { tx in
            try body(tx, try ExperimentQueries.row(id, tx.db)["id"])
            return Self.done
        }
    }

    /// What is empty is left out.
    static func page(_ name: String, _ items: [JSONValue], _ next: PageToken) -> JSONValue {
        var answer: [String: JSONValue] = [:]
        if !items.isEmpty { answer[name] = .array(items) }
        if let token = next.text { answer["next_page_token"] = .string(token) }
        return .object(answer)
    }
}
