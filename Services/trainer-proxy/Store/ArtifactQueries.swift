import Foundation
import GRDB
import Messages
import Store

enum ArtifactQueries {
    /// A pipeline's run, by its id or its number.
    static func run(_ text: String, project: String, pipeline: String, in db: Database) throws -> String? {
        try String.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT run FROM artifact WHERE project = ?1 AND pipeline = ?2 AND (run = ?3 OR CAST(number AS TEXT) = ?3)
                    UNION
                    SELECT run FROM finished_run WHERE project = ?1 AND pipeline = ?2 AND (run = ?3 OR CAST(number AS TEXT) = ?3)
                    """), arguments: [project, pipeline, text])
    }

    /// The newest run that succeeded: one that ended `not_promoted` or failed has nothing to hand on (S2-21).
    ///
    /// - Parameter branch: `nil`: any, and no pull request, which may be a stranger's.
    static func latestSuccess(project: String, pipeline: String, branch: String?, in db: Database) throws -> String? {
        try String.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT run FROM finished_run
                    WHERE project = ?1 AND pipeline = ?2 AND outcome = 'succeeded'
                    AND (branch = ?3 OR ?3 IS NULL AND coalesce(branch, '') NOT LIKE 'pull/%')
                    ORDER BY number DESC LIMIT 1
                    """), arguments: [project, pipeline, branch])
    }

    static func digest(run: String, name: String, file: String, in db: Database) throws -> Digest? {
        let sql = "SELECT digest FROM artifact WHERE run = ? AND name = ? AND file = ?"
        return try String.fetchOne(db, sql: sql, arguments: [run, name, file]).flatMap { Digest($0) }
    }

    static func names(run: String, in db: Database) throws -> [String] {
        try String.fetchAll(
            db.cachedStatement(sql: "SELECT name || '/' || file FROM artifact WHERE run = ? ORDER BY 1"),
            arguments: [run])
    }
}

extension Transaction {
    func keep(_ artifact: ArtifactPublished, number: Int) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO artifact (run, name, file, project, pipeline, number, digest, size) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (run, name, file) DO UPDATE SET digest = excluded.digest, size = excluded.size
                """
        ).execute(arguments: [
            artifact.run, artifact.name, artifact.file, artifact.project, artifact.pipeline, number,
            artifact.digest.text, artifact.size,
        ])
    }

    /// A run that is tried again ends again; its last word counts.
    func keep(_ run: RunFinished) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO finished_run (run, number, project, pipeline, branch, outcome) VALUES (?, ?, ?, ?, ?, ?)
                ON CONFLICT (run) DO UPDATE SET outcome = excluded.outcome
                """
        ).execute(arguments: [run.run, run.number, run.project, run.pipeline, run.branch, run.outcome.rawValue])
    }
}
