import Foundation
import GRDB
import Messages
import Store

enum EnvironmentQueries {
    /// The environment that an earlier step of the job made its own.
    static func current(run: String, job: String, in db: Database) throws -> Digest? {
        let sql = "SELECT digest FROM job_environment WHERE run = ? AND job = ?"
        return try String.fetchOne(db, sql: sql, arguments: [run, job]).flatMap { Digest($0) }
    }

    /// The execution that was the last to build it.
    static func builder(of digest: Digest, in db: Database) throws -> Execution? {
        let sql = "SELECT execution.* FROM environment JOIN execution ON item = builder WHERE digest = ?"
        return try Row.fetchOne(db, sql: sql, arguments: [digest.text]).map(Execution.init(row:))
    }
}

extension Transaction {
    func use(_ environment: Digest, run: String, job: String) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO job_environment (run, job, digest, time) VALUES (?, ?, ?, ?)
                ON CONFLICT (run, job) DO UPDATE SET digest = excluded.digest, time = excluded.time,
                    name = NULL, version = NULL, definition = NULL
                """
        ).execute(arguments: [run, job, environment.text, now.milliseconds])
    }

    func setBuilder(of environment: Digest, to item: String) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO environment (digest, builder) VALUES (?, ?)
                ON CONFLICT (digest) DO UPDATE SET builder = excluded.builder
                """
        ).execute(arguments: [environment.text, item])
    }
}
