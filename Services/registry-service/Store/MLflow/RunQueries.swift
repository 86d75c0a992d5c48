import Foundation
import GRDB
import Messages
import Store

enum RunQueries {
    static let place = FilterSQL.Place(
        columns: [
            "run_name": "r.name", "status": "r.status", "user_id": "r.user", "run_id": "r.uuid",
            "start_time": "r.started", "end_time": "r.ended",
            "artifact_uri": "('mlflow-artifacts:/' || r.experiment || '/' || r.uuid || '/artifacts')",
        ], tags: ("run_tag", "x.run = r.id"), parameters: ("parameter", "x.run = r.id"),
        metrics: ("latest_metric", "x.run = r.id"), inputs: ("run_input", "x.run = r.id"))

    static func info(_ row: Row) -> JSONValue {
        let uuid: String = row["uuid"]
        var info: [String: JSONValue] = [
            "run_id": .string(uuid), "run_uuid": .string(uuid),
            "experiment_id": .string(String(row["experiment"] as Int64)),
            "run_name": .string(row["name"]), "user_id": .string(row["user"]), "status": .string(row["status"]),
            "start_time": .int(row["started"]), "artifact_uri": .string(ArtifactPath.run(row["experiment"], uuid).uri),
            "lifecycle_stage": (row["deleted"] as Int64?) == nil ? "active" : "deleted",
        ]
        if let ended: Int = row["ended"] { info["end_time"] = .int(ended) }
        return .object(info)
    }

    static func json(_ row: Row, _ db: Database) throws -> JSONValue {
        let id: Int64 = row["id"]
        var data: [String: JSONValue] = [:]
        let metrics = try db.rows(
            "SELECT key, time, step, value, is_nan FROM latest_metric WHERE run = ?", [id])
        if !metrics.isEmpty { data["metrics"] = .array(metrics.map { MetricQueries.json($0) }) }
        let parameters = try db.pairs("SELECT key, value FROM parameter WHERE run = ?", [id])
        if !parameters.isEmpty { data["params"] = .array(parameters) }
        let tags = try db.pairs("SELECT key, value FROM run_tag WHERE run = ?", [id])
        if !tags.isEmpty { data["tags"] = .array(tags) }
        return [
            "info": info(row), "data": .object(data), "inputs": try inputs(id, db), "outputs": try outputs(id, db),
        ]
    }

    private static func inputs(_ id: Int64, _ db: Database) throws -> JSONValue {
        var inputs: [String: JSONValue] = [:]
        let datasets = try db.rows("SELECT dataset, tags FROM run_input WHERE run = ?", [id])
        if !datasets.isEmpty {
            inputs["dataset_inputs"] = .array(
                try datasets.map { row in
                    [
                        "dataset": try Wire.decode(JSONValue.self, from: row["dataset"]),
                        "tags": try Wire.decode(JSONValue.self, from: row["tags"]),
                    ]
                })
        }
        let models = try db.rows("SELECT model FROM run_model WHERE run = ? AND role = 'input'", [id])
        if !models.isEmpty { inputs["model_inputs"] = .array(models.map { ["model_id": .string($0["model"])] }) }
        return .object(inputs)
    }

    private static func outputs(_ id: Int64, _ db: Database) throws -> JSONValue {
        let models = try db.rows("SELECT model, step FROM run_model WHERE run = ? AND role = 'output'", [id])
        guard !models.isEmpty else { return .object([:]) }
        return ["model_outputs": .array(models.map { ["model_id": .string($0["model"]), "step": .int($0["step"])] })]
    }

    /// - Throws: `MLflowError` when there is none.
    static func row(_ uuid: String, _ db: Database) throws -> Row {
        guard let row = try db.row("SELECT * FROM run WHERE uuid = ?", [uuid]) else { throw MLflowError.noRun(uuid) }
        return row
    }

    /// The tag by which clients before 3.0 say which models a run made.
    static let modelTag = "mlflow.log-model.history"

    /// What that tag says; any client may set it like any other, and what is no list says nothing.
    static func loggedModels(_ id: Int64, _ db: Database) throws -> [JSONValue] {
        let text: String? = try db.value("SELECT value FROM run_tag WHERE run = ? AND key = ?", [id, modelTag])
        return text.flatMap { try? Wire.decode(JSONValue.self, from: Data($0.utf8)).array } ?? []
    }

    /// One that may still be written to.
    static func active(_ uuid: String, _ db: Database) throws -> Row {
        let row = try row(uuid, db)
        guard (row["deleted"] as Int64?) == nil else {
            throw MLflowError.invalid("The run \(uuid) must be in the 'active' state. Current state is deleted.")
        }
        return row
    }

    static func search(
        experiments: [Int64], _ filter: Filter, _ order: [Ordering], view: ViewType, page: PageToken, limit: Int,
        _ db: Database
    ) throws -> (items: [JSONValue], next: PageToken) {
        guard !experiments.isEmpty else { return ([], .start) }
        var condition = try FilterSQL(filter, place)
        condition.add("r.experiment IN (\(FilterSQL.marks(experiments.count)))", StatementArguments(experiments))
        if let lifecycle = view.condition("r.deleted") { condition.add(lifecycle) }
        if case .after(let place) = page, place.count == 2, let started = place[0].int, let uuid = place[1].string {
            condition.add("r.started <= ? AND (r.started < ? OR r.uuid > ?)", [started, started, uuid])
        }
        let ordering = try OrderSQL(order, place, last: ["r.started DESC", "r.uuid"])
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT r.* FROM run r \(ordering.joinClause) \(condition.whereClause) \(ordering.orderClause)
                LIMIT ? OFFSET ?
                """, arguments: ordering.arguments + condition.arguments + [limit + 1, page.offset])
        var next = PageToken.start
        if rows.count > limit {
            let last = rows[limit - 1]
            next =
                order.isEmpty ? .after([.int(last["started"]), .string(last["uuid"])]) : .offset(page.offset + limit)
        }
        return (try rows.prefix(limit).map { try json($0, db) }, next)
    }
}

extension Transaction {
    /// What a client, or a training run's code, says of a run that begins.
    struct NewRun: Sendable {
        var uuid: String
        var experiment: Int64
        var name: String
        var user: String
        var started: Int64
        var tags: [KeyValue]
        var trainingRun: String?
    }

    func create(_ run: NewRun) throws {
        try db.run(
            """
            INSERT INTO run (uuid, experiment, name, user, status, started, training_run)
            VALUES (?, ?, ?, ?, 'RUNNING', ?, ?)
            """, [run.uuid, run.experiment, run.name, run.user, run.started, run.trainingRun])
        let id = db.lastInsertedRowID
        for tag in run.tags { try setTag(tag, ofRun: id) }
    }

    func setTag(_ tag: KeyValue, ofRun id: Int64) throws {
        try db.run(
            "INSERT INTO run_tag (run, key, value) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
            [id, tag.key, tag.value])
        if tag.key == "mlflow.runName" { try db.run("UPDATE run SET name = ? WHERE id = ?", [tag.value, id]) }
    }

    func removeTag(_ key: String, ofRun row: Row) throws {
        try db.run("DELETE FROM run_tag WHERE run = ? AND key = ?", [row["id"] as Int64, key])
        guard db.changesCount > 0 else {
            throw MLflowError.missing("No tag with name: \(key) in run with id \(row["uuid"] as String)")
        }
    }

    func update(run row: Row, status: String?, ended: Int64?, name: String?) throws {
        let id: Int64 = row["id"]
        if let status { try db.run("UPDATE run SET status = ? WHERE id = ?", [status, id]) }
        if let ended { try db.run("UPDATE run SET ended = ? WHERE id = ?", [ended, id]) }
        if let name, !name.isEmpty { try setTag(KeyValue(key: "mlflow.runName", value: name), ofRun: id) }
    }

    func setRun(_ row: Row, deleted: Bool) throws {
        try db.run(
            "UPDATE run SET deleted = ? WHERE id = ?", [deleted ? now.milliseconds : nil, row["id"] as Int64])
    }

    /// A parameter is said once; the same value again is no change.
    func log(_ parameter: KeyValue, ofRun row: Row) throws {
        let id: Int64 = row["id"]
        if let held = try db.row("SELECT value FROM parameter WHERE run = ? AND key = ?", [id, parameter.key]) {
            let value: String = held["value"]
            guard value != parameter.value else { return }
            throw MLflowError.invalid(
                "Changing param values is not allowed. Param with key='\(parameter.key)' was already logged with "
                    + "value='\(value)' for run ID='\(row["uuid"] as String)'. Attempted logging new value "
                    + "'\(parameter.value)'.")
        }
        try db.run("INSERT INTO parameter (run, key, value) VALUES (?, ?, ?)", [id, parameter.key, parameter.value])
    }

    func logInput(_ dataset: JSONValue, tags: JSONValue, ofRun id: Int64) throws {
        guard let name = dataset["name"]?.string, let digest = dataset["digest"]?.string else {
            throw MLflowError.invalid("Missing value for required parameter 'dataset.name' or 'dataset.digest'")
        }
        let context = tags.array?.first { $0["key"] == "mlflow.data.context" }?["value"]?.string
        try db.run(
            """
            INSERT INTO run_input (run, name, digest, dataset, tags, context) VALUES (?, ?, ?, ?, ?, ?)
            ON CONFLICT DO UPDATE SET dataset = excluded.dataset, tags = excluded.tags, context = excluded.context
            """, [id, name, digest, try Wire.encode(dataset), try Wire.encode(tags), context])
    }

    func logModel(_ model: String, role: String, step: Int, ofRun id: Int64) throws {
        try db.run(
            """
            INSERT INTO run_model (run, model, role, step) VALUES (?, ?, ?, ?)
            ON CONFLICT DO UPDATE SET step = excluded.step
            """, [id, model, role, step])
    }

    /// Adds what a client before 3.0 says of a model to the run's tag that lists them.
    func appendModel(_ model: JSONValue, toRun id: Int64) throws {
        var models = try RunQueries.loggedModels(id, db)
        // Sent again, it is the same model.
        guard !models.contains(model) else { return }
        models.append(model)
        let list = String(decoding: try Wire.encode(JSONValue.array(models)), as: UTF8.self)
        try setTag(KeyValue(key: RunQueries.modelTag, value: list), ofRun: id)
    }
}
