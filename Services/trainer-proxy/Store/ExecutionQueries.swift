import Foundation
import GRDB
import Messages
import Store

extension Execution {
    init(row: Row) throws {
        self.init(
            item: row["item"], run: row["run"], job: row["job"], marker: row["marker"], boot: row["boot"],
            space: row["space"], restarts: row["restarts"], hasEnded: row["phase"] == "ended",
            stop: (row["stop"] as String?).flatMap(Stop.init(rawValue:)),
            started: Timestamp(milliseconds: row["started"]))
    }
}

enum ExecutionQueries {
    static func find(_ item: String, in db: Database) throws -> Execution? {
        try Row.fetchOne(db.cachedStatement(sql: "SELECT * FROM execution WHERE item = ?"), arguments: [item]).map(
            Execution.init(row:))
    }

    static func begun(run: String, before time: Timestamp, in db: Database) throws -> [Execution] {
        let sql = "SELECT * FROM execution WHERE run = ? AND phase = 'begun' AND started < ?"
        return try Row.fetchAll(db, sql: sql, arguments: [run, time.milliseconds]).map(Execution.init(row:))
    }

    static func isBusy(run: String, in db: Database) throws -> Bool {
        let sql = "SELECT EXISTS (SELECT 1 FROM execution WHERE run = ? AND phase = 'begun')"
        return try Bool.fetchOne(db, sql: sql, arguments: [run]) ?? false
    }
}

extension Transaction {
    /// The row that stands before its process does.
    func begin(_ work: StepWork, boot: String, space: String) throws -> Execution {
        let execution = Execution(
            item: work.item, run: work.run.id, job: work.job, marker: newID(), boot: boot, space: space,
            hasEnded: false, stop: nil, started: now)
        try db.cachedStatement(
            sql: """
                INSERT INTO execution (item, run, job, marker, boot, space, phase, started)
                VALUES (?, ?, ?, ?, ?, ?, 'begun', ?)
                """
        ).execute(arguments: [
            execution.item, execution.run, execution.job, execution.marker, execution.boot, space, now.milliseconds,
        ])
        return execution
    }

    /// Its container has ended; it goes on in this one.
    func beginAgain(_ item: String, space: String) throws {
        try db.cachedStatement(sql: "UPDATE execution SET space = ?, restarts = restarts + 1 WHERE item = ?").execute(
            arguments: [space, item])
    }

    /// The first reason stands.
    func note(_ stop: Execution.Stop, of item: String) throws -> Execution.Stop {
        try db.cachedStatement(sql: "UPDATE execution SET stop = COALESCE(stop, ?) WHERE item = ?").execute(arguments: [
            stop.rawValue, item,
        ])
        return try ExecutionQueries.find(item, in: db)?.stop ?? stop
    }

    func endExecution(_ item: String) throws {
        try db.cachedStatement(sql: "UPDATE execution SET phase = 'ended', ended = ? WHERE item = ?").execute(
            arguments: [now.milliseconds, item])
    }

    /// Rows that nobody asks for any more; results themselves are kept by the service's work items.
    func forgetOldExecutions() throws {
        let month = now.milliseconds - 30 * 24 * 3_600_000
        try db.cachedStatement(sql: "DELETE FROM execution WHERE phase = 'ended' AND ended < ?").execute(arguments: [
            month
        ])
        try db.cachedStatement(sql: "DELETE FROM job_environment WHERE time < ?").execute(arguments: [month])
        try db.cachedStatement(sql: "DELETE FROM step_dataset WHERE time < ?").execute(arguments: [month])
    }
}
