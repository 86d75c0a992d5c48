import Foundation
import GRDB
import Messages
import Store

extension Transaction {
    /// What the columns say of a run that is not over; `nil` when it is, or there is none.
    func openRun(_ id: String) throws -> RunHeader? {
        try Row.fetchOne(
            db.cachedStatement(
                sql: "SELECT number, project, pipeline, sha, started_by FROM run WHERE id = ? AND state <> 'finished'"),
            arguments: [id]
        ).map { row in
            RunHeader(
                id: id, number: row["number"], project: row["project"], pipeline: row["pipeline"], sha: row["sha"],
                startedBy: row["started_by"])
        }
    }

    func knowsRun(_ id: String) throws -> Bool {
        try Bool.fetchOne(db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM run WHERE id = ?)"), arguments: [id])
            ?? false
    }

    /// The approvals of a run that people are asked for.
    func waitingApprovals(of run: String) throws -> [String] {
        try String.fetchAll(
            db.cachedStatement(sql: "SELECT id FROM approval WHERE run = ? AND state = 'waiting' ORDER BY id"),
            arguments: [run])
    }

    /// Ends a run of which no more than the columns can be read.
    func endDamaged(_ run: String, message: String) throws {
        var status = RunStatus()
        status.phase = .finished
        status.outcome = .failed
        status.message = message
        status.finished = now
        try db.cachedStatement(
            sql: "UPDATE run SET state = 'finished', outcome = 'failed', parked = 0, status = ? WHERE id = ?"
        ).execute(arguments: [try Wire.encode(status), run])
        try db.cachedStatement(
            sql: "UPDATE job SET state = 'finished', outcome = 'canceled' WHERE run = ? AND state <> 'finished'"
        ).execute(arguments: [run])
        try db.cachedStatement(
            sql: """
                UPDATE step SET state = 'finished', outcome = 'canceled', session = NULL, token = NULL, canceling = 0
                WHERE run = ? AND state <> 'finished'
                """
        ).execute(arguments: [run])
    }
}
