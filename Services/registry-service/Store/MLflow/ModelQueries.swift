import Foundation
import GRDB
import Messages
import Store

/// Registered models as MLflow's clients see them.
enum ModelQueries {
    static let place: FilterSQL.Place = {
        var place = FilterSQL.Place(
            columns: ["name": "m.name", "creation_timestamp": "m.created", "last_updated_timestamp": "m.updated"],
            tags: ("model_tag", "x.model = m.model"))
        place.absentIsUnequal = true
        return place
    }()

    /// By its first name too, which nobody can give to another model: whoever registers by that goes on.
    ///
    /// - Throws: `MLflowError` when there is none of that name.
    static func row(named name: String, _ db: Database) throws -> Row {
        for column in ["name", "model"] {
            let row = try db.row("SELECT * FROM registered_model WHERE \(column) = ? AND deleted IS NULL", [name])
            if let row { return row }
        }
        throw MLflowError.noModel(name)
    }

    /// Martlet's own name of the model.
    static func key(of name: String, _ db: Database) throws -> String { try row(named: name, db)["model"] }

    /// Also one that was deleted.
    static func row(of key: String, _ db: Database) throws -> Row {
        guard let row = try db.row("SELECT * FROM registered_model WHERE model = ?", [key]) else {
            throw MLflowError.noModel(key)
        }
        return row
    }

    /// What clients call the model.
    static func name(of key: String, _ db: Database) throws -> String { try row(of: key, db)["name"] }

    static func json(_ row: Row, _ db: Database) throws -> JSONValue {
        let key: String = row["model"]
        var model = bare(row)
        let tags = try db.pairs("SELECT key, value FROM model_tag WHERE model = ?", [key])
        if !tags.isEmpty { model["tags"] = .array(tags) }
        let latest = try latestVersions(of: key, db)
        if !latest.isEmpty { model["latest_versions"] = .array(latest) }
        let aliases = try db.rows("SELECT alias, version FROM model_alias WHERE model = ?", [key])
        if !aliases.isEmpty {
            model["aliases"] = .array(
                aliases.map { ["alias": .string($0["alias"]), "version": .string(String($0["version"] as Int))] })
        }
        return .object(model)
    }

    private static func bare(_ row: Row) -> [String: JSONValue] {
        var model: [String: JSONValue] = [
            "name": .string(row["name"]), "creation_timestamp": .int(row["created"]),
            "last_updated_timestamp": .int(row["updated"]),
        ]
        if let description: String = row["description"], !description.isEmpty {
            model["description"] = .string(description)
        }
        return model
    }

    /// The newest version of each stage, without looking at all versions.
    static func latestVersions(
        of key: String, stages: [String]? = nil, aliases: Bool = false, _ db: Database
    ) throws -> [JSONValue] {
        var numbers: [Int] = []
        let wanted = stages.map { Set($0.map { $0.lowercased() }) }
        func add(_ condition: String, _ arguments: StatementArguments, stage: String) throws {
            guard wanted?.contains(stage.lowercased()) ?? true else { return }
            let newest: Int? = try db.value(
                "SELECT max(version) FROM version WHERE model = ? AND deleted IS NULL AND \(condition)",
                [key] + arguments)
            if let newest { numbers.append(newest) }
        }
        try add("stage IS NULL", [], stage: "None")
        var last = ""
        while let stage: String = try db.value(
            "SELECT min(stage) FROM version WHERE model = ? AND deleted IS NULL AND stage > ?", [key, last])
        {
            try add("stage = ?", [stage], stage: stage)
            last = stage
        }
        let mirror = try KnowledgeQueries.mirror(of: key, db)
        return try numbers.sorted().compactMap { number in
            try VersionSearch.row(number, of: key, db).map {
                try VersionSearch.json($0, mirror: mirror, aliases: aliases, db)
            }
        }
    }

    static func search(
        _ filter: Filter, _ order: [Ordering], page: PageToken, limit: Int, _ db: Database
    ) throws -> (items: [JSONValue], next: PageToken) {
        var condition = try FilterSQL(filter, place)
        condition.add("m.deleted IS NULL")
        if case .after(let place) = page, let name = place.first?.string { condition.add("m.name > ?", [name]) }
        let ordering = try OrderSQL(order, place, last: ["m.name"])
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT m.* FROM registered_model m \(ordering.joinClause) \(condition.whereClause)
                \(ordering.orderClause) LIMIT ? OFFSET ?
                """, arguments: ordering.arguments + condition.arguments + [limit + 1, page.offset])
        var next = PageToken.start
        if rows.count > limit {
            next = order.isEmpty ? .after([.string(rows[limit - 1]["name"])]) : .offset(page.offset + limit)
        }
        return (try rows.prefix(limit).map { try json($0, db) }, next)
    }

    static func alias(_ alias: String, of key: String, _ db: Database) throws -> Int? {
        try db.value("SELECT version FROM model_alias WHERE model = ? AND alias = ?", [key, alias])
    }

    static func aliases(of version: Int, _ key: String, _ db: Database) throws -> [String] {
        try db.rows("SELECT alias FROM model_alias WHERE model = ? AND version = ?", [key, version])
            .map { $0["alias"] }
    }

    static func isDeclared(_ key: String, _ db: Database) throws -> Bool {
        try db.has("SELECT 1 FROM declaration WHERE model = ?", [key])
    }
}

extension Transaction {
    /// A model that a pipeline registers exists from then on; its own name comes before names that clients gave others.
    func haveModel(_ key: String) throws {
        if try db.has("SELECT 1 FROM registered_model WHERE model = ? AND deleted IS NULL", [key]) {
            return try touch(model: key)
        }
        try db.run("UPDATE registered_model SET name = model WHERE name = ? AND model <> ?", [key, key])
        try db.run(
            """
            INSERT INTO registered_model (model, name, created, updated) VALUES (?, ?, ?, ?)
            ON CONFLICT (model) DO UPDATE SET deleted = NULL, created = excluded.created, updated = excluded.updated
            """, [key, key, now.milliseconds, now.milliseconds])
    }

    func createModel(_ name: String, description: String?, tags: [KeyValue]) throws {
        if let held = try db.row(
            "SELECT model, deleted FROM registered_model WHERE name = ? OR model = ?", [name, name])
        {
            guard (held["deleted"] as Int64?) != nil, held["model"] == name else {
                throw MLflowError.exists("Registered Model (name=\(name)) already exists.")
            }
        }
        try haveModel(name)
        try db.run("UPDATE registered_model SET description = ?, name = ? WHERE model = ?", [description, name, name])
        for tag in tags { try setTag(tag, ofModel: name) }
    }

    func touch(model key: String) throws {
        try db.run("UPDATE registered_model SET updated = ? WHERE model = ?", [now.milliseconds, key])
    }

    func describe(model key: String, _ description: String) throws {
        try db.run("UPDATE registered_model SET description = ? WHERE model = ?", [description, key])
        try touch(model: key)
    }

    func rename(model key: String, to name: String) throws {
        let isTaken = try db.has(
            "SELECT 1 FROM registered_model WHERE (name = ? OR model = ?) AND model <> ?", [name, name, key])
        guard try !isTaken && (name == key || !ModelQueries.isDeclared(name, db)) else {
            throw MLflowError.exists("Registered Model (name=\(name)) already exists.")
        }
        try db.run("UPDATE registered_model SET name = ? WHERE model = ?", [name, key])
        try touch(model: key)
    }

    func setTag(_ tag: KeyValue, ofModel key: String) throws {
        try db.run(
            """
            INSERT INTO model_tag (model, key, value) VALUES (?, ?, ?)
            ON CONFLICT DO UPDATE SET value = excluded.value
            """,
            [key, tag.key, tag.value])
    }

    func removeTag(_ tag: String, ofModel key: String) throws {
        try db.run("DELETE FROM model_tag WHERE model = ? AND key = ?", [key, tag])
    }

    /// Its versions must be marked before.
    func delete(model key: String) throws {
        try db.run("DELETE FROM model_tag WHERE model = ?", [key])
        try db.run("DELETE FROM model_alias WHERE model = ?", [key])
        try db.run(
            "UPDATE registered_model SET deleted = ?, name = model, description = NULL WHERE model = ?",
            [now.milliseconds, key])
    }

    func setAlias(_ alias: String, to version: Int, of key: String) throws {
        try db.run(
            """
            INSERT INTO model_alias (model, alias, version) VALUES (?, ?, ?)
            ON CONFLICT DO UPDATE SET version = excluded.version
            """, [key, alias, version])
    }

    func removeAlias(_ alias: String, of key: String) throws {
        try db.run("DELETE FROM model_alias WHERE model = ? AND alias = ?", [key, alias])
    }
}
