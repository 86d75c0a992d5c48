import Foundation
import GRDB
import Messages
import Store

enum ExperimentQueries {
    static let place = FilterSQL.Place(
        columns: [
            "name": "e.name", "experiment_id": "CAST(e.id AS TEXT)", "creation_time": "e.created",
            "last_update_time": "e.updated",
        ], tags: ("experiment_tag", "x.experiment = e.id"))

    static func json(_ row: Row, _ db: Database) throws -> JSONValue {
        let id: Int64 = row["id"]
        var experiment: [String: JSONValue] = [
            "experiment_id": .string(String(id)), "name": .string(row["name"]),
            "artifact_location": .string("mlflow-artifacts:/\(id)"),
            "lifecycle_stage": (row["deleted"] as Int64?) == nil ? "active" : "deleted",
            "last_update_time": .int(row["updated"]), "creation_time": .int(row["created"]),
        ]
        let tags = try db.pairs("SELECT key, value FROM experiment_tag WHERE experiment = ?", [id])
        if !tags.isEmpty { experiment["tags"] = .array(tags) }
        return .object(experiment)
    }

    /// - Throws: `MLflowError` when there is none.
    static func row(_ id: String, _ db: Database) throws -> Row {
        guard let number = Int64(id), let row = try db.row("SELECT * FROM experiment WHERE id = ?", [number]) else {
            throw MLflowError.noExperiment(id)
        }
        return row
    }

    static func row(named name: String, _ db: Database) throws -> Row? {
        try db.row("SELECT * FROM experiment WHERE name = ?", [name])
    }

    /// One that new runs may go into.
    static func active(_ id: String, _ db: Database) throws -> Int64 {
        let row = try row(id, db)
        guard (row["deleted"] as Int64?) == nil else {
            throw MLflowError.invalid(
                "The experiment \(id) must be in the 'active' state. Current state is deleted.")
        }
        return row["id"]
    }

    static func search(
        _ filter: Filter, _ order: [Ordering], view: ViewType, page: PageToken, limit: Int, _ db: Database
    ) throws -> (items: [JSONValue], next: PageToken) {
        var condition = try FilterSQL(filter, place)
        if let lifecycle = view.condition("e.deleted") { condition.add(lifecycle) }
        // The newest first, as MLflow does it.
        let ordering = try OrderSQL(order, place, last: order.isEmpty ? ["e.updated DESC", "e.id"] : ["e.id"])
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT e.* FROM experiment e \(ordering.joinClause) \(condition.whereClause) \(ordering.orderClause)
                LIMIT ? OFFSET ?
                """, arguments: ordering.arguments + condition.arguments + [limit + 1, page.offset])
        return (
            try rows.prefix(limit).map { try json($0, db) },
            rows.count > limit ? .offset(page.offset + limit) : .start
        )
    }
}

/// Whether what was deleted is shown.
enum ViewType: String, Sendable {
    case active = "ACTIVE_ONLY"
    case deleted = "DELETED_ONLY"
    case all = "ALL"

    func condition(_ column: String) -> String? {
        switch self {
        case .active: "\(column) IS NULL"
        case .deleted: "\(column) IS NOT NULL"
        case .all: nil
        }
    }
}

extension Database {
    /// Rows of `key` and `value` as MLflow lists them.
    func pairs(_ sql: String, _ arguments: StatementArguments) throws -> [JSONValue] {
        try rows(sql, arguments).map { ["key": .string($0["key"]), "value": .string($0["value"])] }
    }
}

extension Transaction {
    func createExperiment(_ name: String, tags: [KeyValue]) throws -> Int64 {
        if let held = try ExperimentQueries.row(named: name, db) {
            let isDeleted = (held["deleted"] as Int64?) != nil
            throw MLflowError.exists(
                "Experiment(name=\(name)) already exists"
                    + (isDeleted ? " in deleted state. You can restore the experiment, or choose another name." : "."))
        }
        try db.run(
            "INSERT INTO experiment (name, created, updated) VALUES (?, ?, ?)",
            [name, now.milliseconds, now.milliseconds])
        let id = db.lastInsertedRowID
        for tag in tags { try setExperimentTag(id, tag) }
        return id
    }

    func setExperimentTag(_ id: Int64, _ tag: KeyValue) throws {
        try db.run(
            """
            INSERT INTO experiment_tag (experiment, key, value) VALUES (?, ?, ?)
            ON CONFLICT DO UPDATE SET value = excluded.value
            """, [id, tag.key, tag.value])
        try touchExperiment(id)
    }

    func removeExperimentTag(_ id: Int64, _ key: String) throws {
        try db.run("DELETE FROM experiment_tag WHERE experiment = ? AND key = ?", [id, key])
        guard db.changesCount > 0 else {
            throw MLflowError.missing("No tag with name: \(key) in experiment with id \(id)")
        }
    }

    func renameExperiment(_ id: Int64, to name: String) throws {
        if let held = try ExperimentQueries.row(named: name, db), (held["id"] as Int64) != id {
            throw MLflowError.exists("Experiment(name=\(name)) already exists.")
        }
        try db.run("UPDATE experiment SET name = ? WHERE id = ?", [name, id])
        try touchExperiment(id)
    }

    /// Its runs go and come back with it; those that were deleted before stay so.
    func setExperiment(_ id: Int64, deleted: Bool) throws {
        let time = now.milliseconds
        if deleted {
            try db.run("UPDATE experiment SET deleted = ?, updated = ? WHERE id = ?", [time, time, id])
            try db.run("UPDATE run SET deleted = ? WHERE experiment = ? AND deleted IS NULL", [time, id])
        } else {
            try db.run(
                """
                UPDATE run SET deleted = NULL
                WHERE experiment = ? AND deleted = (SELECT deleted FROM experiment WHERE id = ?)
                """, [id, id])
            try db.run("UPDATE experiment SET deleted = NULL, updated = ? WHERE id = ?", [time, id])
        }
    }

    private func touchExperiment(_ id: Int64) throws {
        try db.run("UPDATE experiment SET updated = ? WHERE id = ?", [now.milliseconds, id])
    }
}

/// A tag or parameter as a client sends it.
struct KeyValue: Hashable, Sendable {
    var key: String
    var value: String
}
