import GRDB
import Messages
import Store

enum TrainingQueries {
    /// What was published under a name and, where it is named, a version; the newest first.
    static func published(
        _ name: String, version: String?, project: String, in db: Database
    ) throws -> [PublishedTraining] {
        let sql = """
            SELECT version, digest FROM published_training WHERE project = ?1 AND name = ?2 AND (?3 IS NULL OR version = ?3)
            ORDER BY time DESC, item DESC LIMIT 100
            """
        return try Row.fetchAll(db, sql: sql, arguments: [project, name, version]).compactMap { row in
            Digest(row["digest"] as String).map {
                PublishedTraining(name: name, version: row["version"], digest: $0)
            }
        }
    }
}

extension Transaction {
    /// The same step again publishes nothing a second time; another step does (S2-5).
    func keep(_ published: PublishedTraining, of work: StepWork) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO published_training (item, project, name, version, digest, time) VALUES (?, ?, ?, ?, ?, ?)
                ON CONFLICT DO NOTHING
                """
        ).execute(arguments: [
            work.item, work.run.project, published.name, published.version, published.digest.text,
            now.milliseconds,
        ])
    }
}
