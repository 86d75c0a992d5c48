import Foundation
import GRDB
import Messages
import Store

/// Versions as MLflow's clients see them.
enum VersionSearch {
    private static let columns = """
        SELECT v.model, v.version, v.registered, v.updated, v.stage, v.source, v.mlflow_run, v.run_link,
            v.logged_model, v.user, v.description, m.name AS name
        FROM version v JOIN registered_model m ON m.model = v.model
        """

    static let place: FilterSQL.Place = {
        var place = FilterSQL.Place(
            columns: [
                "name": "m.name", "version_number": "v.version", "run_id": "v.mlflow_run", "source_path": "v.source",
                "current_stage": "ifnull(v.stage, 'None')", "creation_timestamp": "v.registered",
                "last_updated_timestamp": "v.updated",
            ], tags: ("tag", "x.model = v.model AND x.version = v.version"))
        place.tagged = ("(v.model, v.version)", "x.model, x.version")
        place.absentIsUnequal = true
        return place
    }()

    /// With the tag by which a project has the stage shown: it is stored nowhere, and found like any other.
    private static func mirroring(_ db: Database) throws -> FilterSQL.Place {
        var mirroring = Self.place
        let mirrors = try KnowledgeQueries.mirrors(db)
        guard !mirrors.isEmpty else { return mirroring }
        mirroring.mirrored = (
            mirrors,
            """
            CASE WHEN v.stage IS NOT NULL
                AND EXISTS (SELECT 1 FROM declaration d WHERE d.mirror = ? AND d.model = v.model)
            THEN v.stage
            ELSE (SELECT x.value FROM tag x WHERE x.model = v.model AND x.version = v.version AND x.key = ?) END
            """
        )
        return mirroring
    }

    /// `nil`: there is none, or not any more.
    static func row(_ number: Int, of key: String, _ db: Database) throws -> Row? {
        try db.row("\(columns) WHERE v.model = ? AND v.version = ? AND v.deleted IS NULL", [key, number])
    }

    /// - Throws: `MLflowError` when the model or the version is not there.
    static func row(named name: String, version: String, _ db: Database) throws -> Row {
        guard let number = Int(version), number > 0 else {
            throw MLflowError.invalid("Model version must be an integer, got '\(version)'")
        }
        guard let key = try? ModelQueries.key(of: name, db), let row = try row(number, of: key, db) else {
            throw MLflowError.noVersion(name, version)
        }
        return row
    }

    /// - Parameter aliases: told only where one version was asked for.
    static func json(_ row: Row, mirror: String?, aliases: Bool = false, _ db: Database) throws -> JSONValue {
        let (key, number): (String, Int) = (row["model"], row["version"])
        let stage: String? = row["stage"]
        var tags = try VersionQueries.tags(of: number, model: key, db)
        var version: [String: JSONValue] = [
            "name": .string(row["name"]), "version": .string(String(number)),
            "creation_timestamp": .int(row["registered"]), "last_updated_timestamp": .int(row["updated"]),
            "current_stage": .string(stage ?? "None"), "status": "READY",
            "source": .string(row["source"] as String? ?? ArtifactPath.version(key, number).uri),
            "run_id": .string(row["mlflow_run"] as String? ?? ""),
            "run_link": .string(row["run_link"] as String? ?? ""),
            "description": .string(row["description"] as String? ?? tags["description"] ?? ""),
        ]
        if let mirror, let stage { tags[mirror] = stage }
        if !tags.isEmpty {
            version["tags"] = .array(
                tags.sorted { $0.key < $1.key }.map { ["key": .string($0.key), "value": .string($0.value)] })
        }
        if let user: String = row["user"], !user.isEmpty { version["user_id"] = .string(user) }
        if let model: String = row["logged_model"], !model.isEmpty { version["model_id"] = .string(model) }
        if aliases {
            let held = try ModelQueries.aliases(of: number, key, db)
            if !held.isEmpty { version["aliases"] = .array(held.map(JSONValue.string)) }
        }
        return .object(version)
    }

    static func json(_ number: Int, of key: String, aliases: Bool = false, _ db: Database) throws -> JSONValue {
        guard let row = try row(number, of: key, db) else { throw MLflowError.noVersion(key, String(number)) }
        return try json(row, mirror: KnowledgeQueries.mirror(of: key, db), aliases: aliases, db)
    }

    /// - Parameter few: so few versions with a tag are all looked at, rather than versions in the order of the answer until
    ///   enough of them have it.
    static func search(
        _ filter: Filter, _ order: [Ordering], page: PageToken, limit: Int, few: Int = 1000, _ db: Database
    ) throws -> (items: [JSONValue], next: PageToken) {
        let place = try mirroring(db)
        var condition = try FilterSQL(filter, place) { key, value in
            let found = try? Int.fetchOne(
                db.cachedStatement(sql: "SELECT count(*) FROM (SELECT 1 FROM tag WHERE key = ? AND value = ? LIMIT ?)"),
                arguments: [key, value, few])
            return found.flatMap(\.self).map { $0 < few } ?? false
        }
        condition.add("v.deleted IS NULL AND m.deleted IS NULL")
        if case .after(let last) = page, last.count == 2, let name = last[0].string, let number = last[1].int {
            condition.add("m.name >= ? AND (m.name > ? OR v.version < ?)", [name, name, number])
        }
        let ordering = try OrderSQL(order, place, last: ["m.name", "v.version DESC"])
        var arguments = ordering.arguments + condition.arguments + ordering.termArguments
        arguments += [limit + 1, page.offset]
        let rows = try Row.fetchAll(
            db,
            sql: "\(columns) \(ordering.joinClause) \(condition.whereClause) \(ordering.orderClause) LIMIT ? OFFSET ?",
            arguments: arguments)
        var next = PageToken.start
        if rows.count > limit {
            let last = rows[limit - 1]
            next =
                order.isEmpty ? .after([.string(last["name"]), .int(last["version"])]) : .offset(page.offset + limit)
        }
        var mirrors: [String: String?] = [:]
        let items = try rows.prefix(limit).map { row in
            let key: String = row["model"]
            let mirror = try mirrors[key] ?? KnowledgeQueries.mirror(of: key, db)
            mirrors[key] = .some(mirror)
            return try json(row, mirror: mirror, db)
        }
        return (items, next)
    }

    /// How many versions a model has that were not deleted.
    static func numbers(of key: String, _ db: Database) throws -> [Int] {
        try db.rows("SELECT version FROM version WHERE model = ? AND deleted IS NULL ORDER BY version", [key])
            .map { $0["version"] }
    }

    /// The artifact that a version was registered with.
    static func artifact(_ number: Int, of key: String, _ db: Database) throws -> ModelArtifact? {
        let row = try db.row("SELECT facts FROM version WHERE model = ? AND version = ?", [key, number])
        return try row.map { try Wire.decode(ModelRegistered.self, from: $0["facts"]).artifact }
    }
}

extension Transaction {
    /// What an MLflow client says of a version beside its facts.
    struct ClientVersion: Sendable {
        var source: String
        var run: String
        var runLink: String
        var loggedModel: String?
        /// The training run whose code made the files.
        var maker: String?
        var user: String
        var description: String?
    }

    func insert(_ facts: ModelRegistered, _ client: ClientVersion) throws {
        try db.run(
            """
            INSERT INTO version (model, version, training_run, digest, item, facts, registered, updated, source,
                mlflow_run, run_link, logged_model, user, description)
            VALUES (?, ?, ?, ?, '', ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                facts.model, facts.version, facts.trainingRun ?? "", facts.artifact.digest.text,
                try Wire.encode(facts), now.milliseconds, now.milliseconds, client.source,
                client.run.isEmpty ? nil : client.run, client.runLink, client.loggedModel, client.user,
                client.description,
            ])
        try change(tagsOf: facts.version, model: facts.model, set: facts.tags, removed: [])
        try touch(model: facts.model)
    }

    func describe(version: Int, of key: String, _ description: String) throws {
        try db.run("UPDATE version SET description = ? WHERE model = ? AND version = ?", [description, key, version])
        try touch(version: version, of: key)
    }

    func touch(version: Int, of key: String) throws {
        try db.run(
            "UPDATE version SET updated = ? WHERE model = ? AND version = ?", [now.milliseconds, key, version])
        try touch(model: key)
    }

    /// It keeps its number and its history, and is shown no more.
    func markDeleted(version: Int, of key: String) throws {
        try db.run(
            "UPDATE version SET deleted = ? WHERE model = ? AND version = ?", [now.milliseconds, key, version])
    }
}
