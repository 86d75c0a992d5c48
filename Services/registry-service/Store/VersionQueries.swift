import Foundation
import GRDB
import Messages
import Store

enum VersionQueries {
    static func version(_ number: Int, of model: String, _ db: Database) throws -> Version? {
        let row = try Row.fetchOne(
            db.cachedStatement(sql: "SELECT facts, registered, stage FROM version WHERE model = ? AND version = ?"),
            arguments: [model, number])
        return try row.map { row in
            Version(
                facts: try Wire.decode(ModelRegistered.self, from: row["facts"]),
                registered: Timestamp(milliseconds: row["registered"]), stage: row["stage"],
                ownTags: try tags(of: number, model: model, db))
        }
    }

    static func tags(of number: Int, model: String, _ db: Database) throws -> [String: String] {
        let rows = try Row.fetchAll(
            db.cachedStatement(sql: "SELECT key, value FROM tag WHERE model = ? AND version = ?"),
            arguments: [model, number])
        return Dictionary(rows.map { ($0["key"] as String, $0["value"] as String) }, uniquingKeysWith: { $1 })
    }

    /// The versions that a selector means, newest first; two are enough to tell one from several.
    static func matches(
        _ selector: VersionSelector, of model: String, mirror: String?, limit: Int = 2, _ db: Database
    ) throws -> [Int] {
        switch selector {
        case .number(let number):
            return try numbers("version = ?", [model, number], limit, db)
        case .latest:
            return try numbers("TRUE", [model], 1, db)
        case .tag(let key, let stage) where key == mirror:
            return try numbers("stage = ?", [model, stage], limit, db)
        case .stage(let stage) where stage.lowercased() == "none":
            return try numbers("stage IS NULL", [model], limit, db)
        case .stage(let stage):
            return try numbers("stage = ?", [model, stage], limit, db)
        case .tag(let key, let value):
            return try Int.fetchAll(
                db.cachedStatement(
                    sql: """
                        SELECT t.version FROM tag t JOIN version v ON v.model = t.model AND v.version = t.version
                        WHERE t.model = ? AND t.key = ? AND t.value = ? AND v.deleted IS NULL
                        ORDER BY t.version DESC LIMIT ?
                        """), arguments: [model, key, value, limit])
        case .current:
            return Set(try KnowledgeQueries.serving(model, db).values).sorted(by: >)
        }
    }

    /// Every version that has this value of a tag (S3-25).
    static func tagged(_ key: String, _ value: String, of model: String, _ db: Database) throws -> [Int] {
        try Int.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT t.version FROM tag t JOIN version v ON v.model = t.model AND v.version = t.version
                    WHERE t.model = ? AND t.key = ? AND t.value = ? AND v.deleted IS NULL ORDER BY t.version
                    """), arguments: [model, key, value])
    }

    private static func numbers(_ condition: String, _ arguments: StatementArguments, _ limit: Int, _ db: Database)
        throws -> [Int]
    {
        try Int.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT version FROM version WHERE model = ? AND \(condition) AND deleted IS NULL
                    ORDER BY version DESC LIMIT ?
                    """), arguments: arguments + [limit])
    }

    static func exists(_ model: String, _ db: Database) throws -> Bool {
        try db.has("SELECT 1 FROM version WHERE model = ? AND deleted IS NULL LIMIT 1", [model])
    }

    /// The version that a step made of this run's artifact, and that step.
    ///
    /// What the training's code made through MLflow's door is another: it has not the facts that a step gives (G13).
    static func registered(
        model: String, trainingRun: String, digest: Digest, _ db: Database
    ) throws -> (version: Int, item: String)? {
        try Row.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT version, item FROM version
                    WHERE model = ? AND training_run = ? AND digest = ? AND item <> '' AND deleted IS NULL
                    """), arguments: [model, trainingRun, digest.text]
        ).map { ($0["version"], $0["item"]) }
    }
}

extension Transaction {
    /// The next number of the model: dense, because registrations come one after the other.
    func nextVersion(of model: String) throws -> Int {
        (try db.value("SELECT max(version) FROM version WHERE model = ?", [model]) ?? 0) + 1
    }

    func insert(_ facts: ModelRegistered, trainingRun: String, item: String) throws {
        try haveModel(facts.model)
        try db.cachedStatement(
            sql: """
                INSERT INTO version (model, version, training_run, digest, item, facts, registered, updated)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: [
            facts.model, facts.version, trainingRun, facts.artifact.digest.text, item, try Wire.encode(facts),
            now.milliseconds, now.milliseconds,
        ])
        try change(tagsOf: facts.version, model: facts.model, set: facts.tags, removed: [])
    }

    func change(tagsOf version: Int, model: String, set: [String: String], removed: [String]) throws {
        for (key, value) in set {
            try db.cachedStatement(
                sql: """
                    INSERT INTO tag (model, version, key, value) VALUES (?, ?, ?, ?)
                    ON CONFLICT DO UPDATE SET value = excluded.value
                    """
            ).execute(arguments: [model, version, key, value])
        }
        for key in removed {
            try db.cachedStatement(sql: "DELETE FROM tag WHERE model = ? AND version = ? AND key = ?").execute(
                arguments: [model, version, key])
        }
    }
}
