import GRDB
import Messages
import Store

enum LoggedModelQueries {
    static let place = FilterSQL.Place(
        columns: [
            "name": "l.name", "model_id": "l.uuid", "model_type": "l.type", "status": "l.status",
            "source_run_id": "l.run", "creation_timestamp": "l.created", "last_updated_timestamp": "l.updated",
        ], tags: ("logged_model_tag", "x.model = l.id"), parameters: ("logged_model_parameter", "x.model = l.id"),
        metrics: ("logged_model_metric", "x.model = l.uuid"), hasManyMeasurements: true)

    static func json(_ row: Row, _ db: Database) throws -> JSONValue {
        let (id, uuid): (Int64, String) = (row["id"], row["uuid"])
        var info: [String: JSONValue] = [
            "model_id": .string(uuid), "experiment_id": .string(String(row["experiment"] as Int64)),
            "name": .string(row["name"]), "creation_timestamp_ms": .int(row["created"]),
            "last_updated_timestamp_ms": .int(row["updated"]),
            "artifact_uri": .string(ArtifactPath.loggedModel(row["experiment"], uuid).uri),
            "status": .string(row["status"]), "model_type": .string(row["type"]), "source_run_id": .string(row["run"]),
        ]
        let tags = try db.pairs("SELECT key, value FROM logged_model_tag WHERE model = ?", [id])
        if !tags.isEmpty { info["tags"] = .array(tags) }
        var data: [String: JSONValue] = [:]
        let parameters = try db.pairs("SELECT key, value FROM logged_model_parameter WHERE model = ?", [id])
        if !parameters.isEmpty { data["params"] = .array(parameters) }
        let metrics = try db.rows("SELECT * FROM logged_model_metric WHERE model = ?", [uuid]).map(metric)
        if !metrics.isEmpty { data["metrics"] = .array(metrics) }
        return ["info": .object(info), "data": .object(data)]
    }

    private static func metric(_ row: Row) -> JSONValue {
        var metric = MetricQueries.json(row, run: row["run"]).object ?? [:]
        metric["model_id"] = .string(row["model"])
        let (name, digest): (String, String) = (row["dataset_name"], row["dataset_digest"])
        if !name.isEmpty { metric["dataset_name"] = .string(name) }
        if !digest.isEmpty { metric["dataset_digest"] = .string(digest) }
        return .object(metric)
    }

    /// - Throws: `MLflowError` when there is none.
    static func row(_ uuid: String, _ db: Database) throws -> Row {
        guard let row = try db.row("SELECT * FROM logged_model WHERE uuid = ? AND deleted IS NULL", [uuid]) else {
            throw MLflowError.noLoggedModel(uuid)
        }
        return row
    }

    static func search(
        experiments: [Int64], _ filter: Filter, _ order: [Ordering], page: PageToken, limit: Int, _ db: Database
    ) throws -> (items: [JSONValue], next: PageToken) {
        guard !experiments.isEmpty else { return ([], .start) }
        var condition = try FilterSQL(filter, place)
        condition.add("l.experiment IN (\(FilterSQL.marks(experiments.count)))", StatementArguments(experiments))
        condition.add("l.deleted IS NULL")
        let ordering = try OrderSQL(order, place, last: ["l.created DESC", "l.uuid"])
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT l.* FROM logged_model l \(ordering.joinClause) \(condition.whereClause)
                \(ordering.orderClause) LIMIT ? OFFSET ?
                """, arguments: ordering.arguments + condition.arguments + [limit + 1, page.offset])
        return (
            try rows.prefix(limit).map { try json($0, db) },
            rows.count > limit ? .offset(page.offset + limit) : .start
        )
    }
}

extension Transaction {
    struct NewLoggedModel: Sendable {
        var uuid: String
        var experiment: Int64
        var name: String
        var type: String
        var run: String
        var tags: [KeyValue]
        var parameters: [KeyValue]
        var trainingRun: String?
    }

    func create(_ model: NewLoggedModel) throws {
        try db.run(
            """
            INSERT INTO logged_model (uuid, experiment, name, type, run, status, created, updated, training_run)
            VALUES (?, ?, ?, ?, ?, 'LOGGED_MODEL_PENDING', ?, ?, ?)
            """,
            [
                model.uuid, model.experiment, model.name, model.type, model.run, now.milliseconds, now.milliseconds,
                model.trainingRun,
            ])
        let id = db.lastInsertedRowID
        for tag in model.tags { try setTag(tag, ofLoggedModel: id) }
        for parameter in model.parameters { try log(parameter, ofLoggedModel: id) }
    }

    func setTag(_ tag: KeyValue, ofLoggedModel id: Int64) throws {
        try db.run(
            """
            INSERT INTO logged_model_tag (model, key, value) VALUES (?, ?, ?)
            ON CONFLICT DO UPDATE SET value = excluded.value
            """, [id, tag.key, tag.value])
    }

    func removeTag(_ key: String, ofLoggedModel row: Row) throws {
        try db.run("DELETE FROM logged_model_tag WHERE model = ? AND key = ?", [row["id"] as Int64, key])
        guard db.changesCount > 0 else {
            throw MLflowError.missing("No tag with key '\(key)' found for model with ID '\(row["uuid"] as String)'.")
        }
    }

    func log(_ parameter: KeyValue, ofLoggedModel id: Int64) throws {
        try db.run(
            """
            INSERT INTO logged_model_parameter (model, key, value) VALUES (?, ?, ?)
            ON CONFLICT DO UPDATE SET value = excluded.value
            """, [id, parameter.key, parameter.value])
    }

    func finish(loggedModel id: Int64, status: String) throws {
        try db.run(
            "UPDATE logged_model SET status = ?, updated = ? WHERE id = ?", [status, now.milliseconds, id])
    }

    func delete(loggedModel id: Int64) throws {
        try db.run(
            "UPDATE logged_model SET deleted = ?, updated = ? WHERE id = ?", [now.milliseconds, now.milliseconds, id])
    }
}

extension LoggedModelQueries {
    /// The run that logged the model; `nil` where none did.
    static func run(of model: String, _ db: Database) throws -> String? {
        try db.value("SELECT run FROM logged_model WHERE uuid = ? AND run <> ''", [model])
    }

    /// Where the newest model of that name stands that a run logged.
    static func latest(of run: String, named name: String, _ db: Database) throws -> ArtifactPath? {
        try db.row(
            """
            SELECT experiment, uuid FROM logged_model WHERE run = ? AND name = ? AND deleted IS NULL
            ORDER BY created DESC, id DESC LIMIT 1
            """, [run, name]
        ).map { .loggedModel($0["experiment"], $0["uuid"]) }
    }
}
