import Foundation
import GRDB
import Messages
import Store

/// What the registry said of versions: enough to fetch their files.
enum VersionQueries {
    /// The newest version that a selector means. What endpoints serve is not known here.
    static func find(
        _ selector: VersionSelector, of model: String, in db: Database
    ) throws -> (version: Int, digest: Digest)? {
        let (condition, arguments): (String, StatementArguments)
        switch selector {
        case .number(let number): (condition, arguments) = ("version = ?", [number])
        case .latest: (condition, arguments) = ("1", [])
        case .stage(let stage): (condition, arguments) = ("stage IS ?", [stage.lowercased() == "none" ? nil : stage])
        case .tag(let key, let value):
            (condition, arguments) = (
                "version IN (SELECT version FROM model_tag WHERE model = ? AND key = ? AND value = ?)",
                [model, key, value]
            )
        case .current: return nil
        }
        let sql = """
            SELECT version, digest FROM model_version WHERE model = ? AND \(condition) ORDER BY version DESC LIMIT 1
            """
        return try Row.fetchOne(db, sql: sql, arguments: [model] + arguments).flatMap { row in
            Digest(row["digest"] as String).map { (version: row["version"] as Int, digest: $0) }
        }
    }
}

extension Transaction {
    /// A number that is known already is that of a version that the registry has lost: the new one takes its place.
    func remember(_ version: ModelRegistered) throws {
        try db.cachedStatement(
            sql: """
                DELETE FROM model_tag WHERE model = ?1 AND version = ?2 AND EXISTS (
                    SELECT 1 FROM model_version WHERE model = ?1 AND version = ?2 AND digest <> ?3)
                """
        ).execute(arguments: [version.model, version.version, version.artifact.digest.text])
        try db.cachedStatement(
            sql: """
                INSERT INTO model_version (model, version, digest) VALUES (?, ?, ?)
                ON CONFLICT (model, version) DO UPDATE SET
                    stage = CASE WHEN digest = excluded.digest THEN stage END, digest = excluded.digest
                """
        ).execute(arguments: [version.model, version.version, version.artifact.digest.text])
        try tag(ModelTagged(model: version.model, version: version.version, set: version.tags, removed: []))
    }

    func tag(_ change: ModelTagged) throws {
        for (key, value) in change.set {
            try db.cachedStatement(
                sql: """
                    INSERT INTO model_tag (model, version, key, value) VALUES (?, ?, ?, ?)
                    ON CONFLICT DO UPDATE SET value = excluded.value
                    """
            ).execute(arguments: [change.model, change.version, key, value])
        }
        for key in change.removed {
            try db.cachedStatement(sql: "DELETE FROM model_tag WHERE model = ? AND version = ? AND key = ?").execute(
                arguments: [change.model, change.version, key])
        }
    }

    func forget(_ deleted: ModelVersionDeleted) throws {
        for table in ["model_tag", "model_version"] {
            try db.execute(
                sql: "DELETE FROM \(table) WHERE model = ? AND version = ?",
                arguments: [deleted.model, deleted.version])
        }
    }

    func move(_ change: ModelStageChanged) throws {
        for move in change.replaced + [StageMove(version: change.version, from: change.from, to: change.to)] {
            try db.cachedStatement(sql: "UPDATE model_version SET stage = ? WHERE model = ? AND version = ?").execute(
                arguments: [move.to, change.model, move.version])
        }
    }
}
