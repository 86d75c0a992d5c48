import Artifacts
import Foundation
import GRDB
import Messages
import Processes
import Store

enum RecordQueries {
    /// What was decided for a work item before.
    static func decision(of item: String, _ db: Database) throws -> (decision: Decision, digest: Digest)? {
        guard
            let body = try Data.fetchOne(
                db.cachedStatement(sql: "SELECT body FROM decision WHERE item = ?"), arguments: [item])
        else {
            return nil
        }
        return (try Wire.decode(Decision.self, from: body), Digest(of: body))
    }

    /// What was decided last at each gate of a run, by `<job>/<step>`.
    static func decisions(ofRun run: String, _ db: Database) throws -> [String: (decision: Decision, digest: Digest)] {
        // An item begins with its run; `0` follows `/`.
        let bodies = try Data.fetchAll(
            db.cachedStatement(sql: "SELECT body FROM decision WHERE item >= ? AND item < ? ORDER BY time, rowid"),
            arguments: [run + "/", run + "0"])
        var decisions: [String: (Decision, Digest)] = [:]
        for body in bodies {
            let decision = try Wire.decode(Decision.self, from: body)
            decisions[decision.step] = (decision, Digest(of: body))
        }
        return decisions
    }

    /// What a person said about a gate of a run.
    static func bypass(run: String, step: String, _ db: Database) throws -> (bypass: GateBypass, of: Decision)? {
        try Row.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT decision, actor, reason, body FROM bypass JOIN decision ON digest = decision
                    WHERE run = ? AND step = ?
                    """), arguments: [run, step]
        ).map { row in
            (
                GateBypass(by: row["actor"], reason: row["reason"], decision: row["decision"]),
                try Wire.decode(Decision.self, from: row["body"])
            )
        }
    }

    /// The process that runs a work item's tests.
    static func testProcess(of item: String, _ db: Database) throws -> ProcessIdentity? {
        try Row.fetchOne(
            db.cachedStatement(sql: "SELECT pid, start_time, boot FROM test_run WHERE item = ?"), arguments: [item]
        ).map {
            ProcessIdentity(
                pid: $0["pid"], startTime: UInt64(bitPattern: $0["start_time"] as Int64), boot: $0["boot"])
        }
    }
}

extension Transaction {
    /// Stores a decision under the digest of its canonical JSON.
    func insert(_ decision: Decision) throws -> Digest {
        let body = try Wire.encode(decision)
        let digest = Digest(of: body)
        try db.cachedStatement(sql: "INSERT INTO decision (digest, item, body, time) VALUES (?, ?, ?, ?)").execute(
            arguments: [digest.text, decision.inputs.item, body, now.milliseconds])
        return digest
    }

    func remember(_ bypass: GateBypass, run: String, step: String) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO bypass (run, step, decision, actor, reason, time) VALUES (?, ?, ?, ?, ?, ?)
                ON CONFLICT (run, step) DO UPDATE SET decision = excluded.decision, actor = excluded.actor,
                    reason = excluded.reason, time = excluded.time
                """
        ).execute(arguments: [run, step, bypass.decision, bypass.by, bypass.reason, now.milliseconds])
    }

    func remember(testProcess: ProcessIdentity, of item: String) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO test_run (item, pid, start_time, boot) VALUES (?, ?, ?, ?)
                ON CONFLICT (item) DO UPDATE SET pid = excluded.pid, start_time = excluded.start_time,
                    boot = excluded.boot
                """
        ).execute(arguments: [
            item, testProcess.pid, Int64(bitPattern: testProcess.startTime), testProcess.boot,
        ])
    }

    func forget(testProcessOf item: String) throws {
        try db.cachedStatement(sql: "DELETE FROM test_run WHERE item = ?").execute(arguments: [item])
    }

    /// Of both scorings of a comparison.
    func forget(testProcessesBelow item: String) throws {
        // `0` follows `/`.
        try db.cachedStatement(sql: "DELETE FROM test_run WHERE item >= ? AND item < ?").execute(arguments: [
            item + "/", item + "0",
        ])
    }
}
