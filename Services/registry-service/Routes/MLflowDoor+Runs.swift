import Foundation
import GRDB
import Hummingbird
import Messages
import Store

extension MLflowDoor {
    func addRuns(_ routes: MLflowRoutes) {
        routes.post("/runs/create", .writing) { call in
            let wish = try Self.newRun(call)
            let experiment = try call.text("experiment_id") ?? "0"
            return try await create(call, "run") { tx in
                var run = wish
                run.experiment = try ExperimentQueries.active(experiment.isEmpty ? "0" : experiment, tx.db)
                try tx.create(run)
                return ["run": try RunQueries.json(RunQueries.row(run.uuid, tx.db), tx.db)]
            }
        }
        routes.get("/runs/get", .reading) { call in
            let id = try call.run()
            return try await read { db in ["run": try RunQueries.json(RunQueries.row(id, db), db)] }
        }
        routes.post("/runs/update", .writing) { call in
            let status = try call.text("status").flatMap { $0.isEmpty ? nil : $0 }
            if let status, !["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"].contains(status) {
                throw MLflowCall.invalid(.string(status), "status")
            }
            let (ended, name) = (try call.number("end_time"), try call.text("run_name"))
            return try await change(call) { tx, row in
                try tx.update(run: row, status: status, ended: ended, name: name)
                return ["run_info": RunQueries.info(try RunQueries.row(row["uuid"], tx.db))]
            }
        }
        routes.post("/runs/delete", .writing) { call in
            try await change(call, deleted: nil) { tx, row in
                try tx.setRun(row, deleted: true)
                return Self.done
            }
        }
        routes.post("/runs/restore", .writing) { call in
            try await change(call, deleted: nil) { tx, row in
                try tx.setRun(row, deleted: false)
                return Self.done
            }
        }
        routes.post("/runs/search", .reading) { call in
            let experiments = try call.experiments()
            let filter = try FilterParser.filter(call.text("filter"), .runs)
            let order = try FilterParser.ordering(call.texts("order_by"), .runs)
            let (view, page) = (try call.view("run_view_type"), try call.page())
            let limit = try call.limit(default: 1000, most: Limits.mostRuns)
            return try await read { db in
                let found = try RunQueries.search(
                    experiments: experiments, filter, order, view: view, page: page, limit: limit, db)
                return Self.page("runs", found.items, found.next)
            }
        }
        addRunFacts(routes)
    }

    private func addRunFacts(_ routes: MLflowRoutes) {
        routes.post("/runs/log-parameter", .writing) { call in
            let parameter = try Self.parameter(call.pair())
            return try await change(call, making: true) { tx, row in
                try tx.log(parameter, ofRun: row)
                return Self.done
            }
        }
        routes.post("/runs/set-tag", .writing) { call in
            let tag = try Self.tag(call.pair())
            return try await change(call, making: tag.key == RunQueries.modelTag) { tx, row in
                try tx.setTag(tag, ofRun: row["id"])
                return Self.done
            }
        }
        routes.post("/runs/delete-tag", .writing) { call in
            let key = try call.required("key")
            return try await change(call, making: key == RunQueries.modelTag) { tx, row in
                try tx.removeTag(key, ofRun: row)
                return Self.done
            }
        }
        routes.post("/runs/log-inputs", .writing) { call in
            let (datasets, models) = (try call.list("datasets"), try call.list("models"))
            return try await change(call, making: true) { tx, row in
                for item in datasets {
                    guard let dataset = item["dataset"] else { throw MLflowCall.lacks("dataset") }
                    try tx.logInput(dataset, tags: item["tags"] ?? .array([]), ofRun: row["id"])
                }
                for model in models { try Self.note(model, role: "input", row, tx) }
                return Self.done
            }
        }
        routes.post("/runs/outputs", .writing) { call in
            let models = try call.list("models")
            return try await change(call, making: true) { tx, row in
                for model in models { try Self.note(model, role: "output", row, tx) }
                return Self.done
            }
        }
        // Clients before 3.0 say it with a run's tag.
        routes.post("/runs/log-model", .writing) { call in
            let text = try call.required("model_json")
            guard let model = try? Wire.decode(JSONValue.self, from: Data(text.utf8)), model.object != nil else {
                throw MLflowError.invalid("Malformed model info. \n \(text.prefix(200)) \n is not a valid JSON.")
            }
            return try await change(call, making: true) { tx, row in
                try tx.appendModel(model, toRun: row["id"])
                return Self.done
            }
        }
    }

    /// Changes a run that exists and, unless `deleted` is `nil`, was not deleted.
    ///
    /// - Parameter making: says what was measured or made, and not only what a run is called and tagged.
    func change(
        _ call: MLflowCall, deleted: Bool? = false, making: Bool = false,
        _ body: @escaping @Sendable (Transaction, Row) throws -> JSONValue
    ) async throws -> Response {
        let (id, caller) = (try call.run(), call.caller)
        return try await write { tx in
            let row = try deleted == nil ? RunQueries.row(id, tx.db) : RunQueries.active(id, tx.db)
            try caller.checkWriting(to: row["training_run"], "run \(id)")
            if making { try caller.checkMaking(by: row["training_run"], "run \(id)") }
            return try body(tx, row)
        }
    }

    private static func newRun(_ call: MLflowCall) throws -> Transaction.NewRun {
        var tags = try call.pairs("tags").map(tag)
        let mirrored = tags.first { $0.key == "mlflow.runName" }?.value
        let given = try call.text("run_name").flatMap { $0.isEmpty ? nil : $0 }
        if let given, let mirrored, given != mirrored {
            throw MLflowError.invalid(
                "Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values "
                    + "(run_name='\(given)', mlflow.runName='\(mirrored)').")
        }
        let name = given ?? mirrored ?? RunName.name(.random(in: .min ... .max))
        if mirrored == nil { tags.append(KeyValue(key: "mlflow.runName", value: name)) }
        if let training = call.caller.training {
            // The one join between what a pipeline ran and what its code told (S1-13).
            tags.append(KeyValue(key: "external_run_id", value: training.run))
            tags.append(KeyValue(key: "martlet.training_run", value: training.trainingRun))
        }
        return Transaction.NewRun(
            uuid: newID(), experiment: 0, name: name, user: try call.text("user_id") ?? "",
            started: try call.number("start_time") ?? 0, tags: tags, trainingRun: call.caller.training?.trainingRun)
    }

    /// 32 hex digits, as MLflow's ids are.
    static func newID() -> String { UUID().uuidString.replacingOccurrences(of: "-", with: "").lowercased() }

    static func tag(_ tag: KeyValue) throws(MLflowError) -> KeyValue {
        try Names.checkKey(tag.key, "tag")
        // A list that is cut is none.
        if tag.key == RunQueries.modelTag { return tag }
        return KeyValue(key: tag.key, value: cut(tag.value, Limits.tagValue))
    }

    static func parameter(_ parameter: KeyValue) throws(MLflowError) -> KeyValue {
        try Names.checkKey(parameter.key, "param")
        return KeyValue(key: parameter.key, value: cut(parameter.value, Limits.parameterValue))
    }

    /// MLflow's server cuts what is too long rather than to let a training fail for it.
    private static func cut(_ text: String, _ most: Int) -> String {
        text.unicodeScalars.count <= most ? text : String(String.UnicodeScalarView(text.unicodeScalars.prefix(most)))
    }

    private static func note(_ model: JSONValue, role: String, _ row: Row, _ tx: Transaction) throws {
        guard let id = model["model_id"]?.string, !id.isEmpty else { throw MLflowCall.lacks("model_id") }
        try tx.logModel(id, role: role, step: model["step"]?.int ?? 0, ofRun: row["id"])
    }
}
