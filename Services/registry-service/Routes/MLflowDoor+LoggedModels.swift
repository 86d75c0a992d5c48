import GRDB
import Hummingbird
import Messages
import Store

extension MLflowDoor {
    func addLoggedModels(_ routes: MLflowRoutes) {
        routes.post("/logged-models", .writing) { call in
            let experiment = try call.required("experiment_id")
            let name = try call.text("name") ?? ""
            let wish = Transaction.NewLoggedModel(
                uuid: "m-" + Self.newID(), experiment: 0,
                name: name.isEmpty ? RunName.name(.random(in: .min ... .max)) : name,
                type: try call.text("model_type") ?? "", run: try call.text("source_run_id") ?? "",
                tags: try call.pairs("tags").map(Self.tag), parameters: try call.pairs("params").map(Self.parameter),
                trainingRun: call.caller.training?.trainingRun)
            let caller = call.caller
            return try await create(call, "logged model") { tx in
                var model = wish
                // A run's model is what its other clients take it for: only the run's own code may say so.
                if !model.run.isEmpty { try caller.checkRun(model.run, tx.db) }
                model.experiment = try ExperimentQueries.active(experiment, tx.db)
                try tx.create(model)
                return try Self.told(model.uuid, tx.db)
            }
        }
        routes.get("/logged-models/{model_id}", .reading) { call in
            let id = try call.part("model_id")
            return try await read { db in try Self.told(id, db) }
        }
        routes.patch("/logged-models/{model_id}", .writing) { call in
            let status = try call.required("status")
            guard ["LOGGED_MODEL_PENDING", "LOGGED_MODEL_READY", "LOGGED_MODEL_UPLOAD_FAILED"].contains(status) else {
                throw MLflowCall.invalid(.string(status), "status")
            }
            return try await change(loggedModel: call, making: true) { tx, row in
                try tx.finish(loggedModel: row["id"], status: status)
                return try Self.told(row["uuid"], tx.db)
            }
        }
        routes.delete("/logged-models/{model_id}", .writing) { call in
            try await change(loggedModel: call) { tx, row in
                try tx.delete(loggedModel: row["id"])
                return Self.done
            }
        }
        routes.patch("/logged-models/{model_id}/tags", .writing) { call in
            let tags = try call.pairs("tags").map(Self.tag)
            return try await change(loggedModel: call) { tx, row in
                for tag in tags { try tx.setTag(tag, ofLoggedModel: row["id"]) }
                return Self.done
            }
        }
        routes.delete("/logged-models/{model_id}/tags/{tag_key}", .writing) { call in
            let key = try call.part("tag_key")
            return try await change(loggedModel: call) { tx, row in
                try tx.removeTag(key, ofLoggedModel: row)
                return Self.done
            }
        }
        routes.post("/logged-models/{model_id}/params", .writing) { call in
            let parameters = try call.pairs("params").map(Self.parameter)
            return try await change(loggedModel: call, making: true) { tx, row in
                for parameter in parameters { try tx.log(parameter, ofLoggedModel: row["id"]) }
                return Self.done
            }
        }
        routes.get("/logged-models/{model_id}/artifacts/directories", .reading) { call in
            let (id, folder) = (try call.part("model_id"), try call.text("artifact_directory_path") ?? "")
            let inside = try ArtifactPath(folder).text
            return try await read { db in
                let row = try LoggedModelQueries.row(id, db)
                let root = ArtifactPath.loggedModel(row["experiment"], row["uuid"])
                let items = try ArtifactQueries.list(root.appending(inside), limit: Limits.mostRuns, db)
                return ["root_uri": .string(root.uri), "files": .array(items.map { Self.under(inside, $0) })]
            }
        }
        routes.post("/logged-models/search", .reading) { call in
            let experiments = try call.experiments()
            var filter = try FilterParser.filter(call.text("filter"), .loggedModels)
            filter.datasets = try Self.datasets(call.list("datasets"))
            let order = try Self.ordering(call.list("order_by"))
            let page = try call.page()
            let limit = try call.limit(default: 100, most: Limits.mostRuns)
            return try await read { [filter] db in
                let found = try LoggedModelQueries.search(
                    experiments: experiments, filter, order, page: page, limit: limit, db)
                return Self.page("models", found.items, found.next)
            }
        }
    }

    private static func told(_ id: String, _ db: Database) throws -> JSONValue {
        ["model": try LoggedModelQueries.json(LoggedModelQueries.row(id, db), db)]
    }

    /// `order_by` of this search is a list of objects.
    private static func ordering(_ items: [JSONValue]) throws -> [Ordering] {
        try FilterParser.checkOrderings(items.count)
        return try items.flatMap { item in
            guard let field = item["field_name"]?.string else { throw MLflowCall.lacks("order_by.field_name") }
            let direction = item["ascending"]?.bool == false ? "DESC" : "ASC"
            var orderings = try FilterParser.ordering(["\(field) \(direction)"], .loggedModels)
            for index in orderings.indices { orderings[index].dataset = dataset(item) }
            return orderings
        }
    }

    private static func datasets(_ items: [JSONValue]) throws -> [MetricDataset] {
        guard items.count <= FilterParser.mostConditions else {
            throw MLflowError.invalid("Invalid filter: more than \(FilterParser.mostConditions) datasets")
        }
        return try items.map { item in
            let told = dataset(item)
            guard told.name != nil else {
                throw MLflowError.invalid("`dataset_name` in the `datasets` clause must be specified.")
            }
            return told
        }
    }

    /// What is empty is not said.
    private static func dataset(_ item: JSONValue) -> MetricDataset {
        func text(_ name: String) -> String? { item[name]?.string.flatMap { $0.isEmpty ? nil : $0 } }
        return MetricDataset(name: text("dataset_name"), digest: text("dataset_digest"))
    }

    /// Here paths begin at the root, not at the folder that is listed.
    static func under(_ folder: String, _ item: JSONValue) -> JSONValue {
        guard !folder.isEmpty, var members = item.object, let name = members["path"]?.string else { return item }
        members["path"] = .string(folder + "/" + name)
        return .object(members)
    }

    /// - Parameter making: says what was made, and not only how it is tagged.
    private func change(
        loggedModel call: MLflowCall, making: Bool = false,
        _ body: @escaping @Sendable (Transaction, Row) throws -> JSONValue
    ) async throws -> Response {
        let (id, caller) = (try call.part("model_id"), call.caller)
        return try await write { tx in
            let row = try LoggedModelQueries.row(id, tx.db)
            try caller.checkWriting(to: row["training_run"], "logged model \(id)")
            if making { try caller.checkMaking(by: row["training_run"], "logged model \(id)") }
            return try body(tx, row)
        }
    }
}
