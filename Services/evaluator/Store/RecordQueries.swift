import Artifacts
import Foundation
import GRDB
import Messages
import Processes
import Store

enum RecordQueries {
    /// What was decided for a work item before.
    static func decision(of item: String, _ db: Database) throws -> (decision: Decision, digest: Digest)? {
        guard let body = try Data.fetchOne(db, sql: "SELECT body FROM decision WHERE item = ?", arguments: [item])
        else {
            return nil
        }
        return (try Wire.decode(Decision.self, from: body), Digest(of: body))
    }

    /// The process that runs a work item's tests.
    static func testProcess(of item: String, _ db: Database) throws -> ProcessIdentity? {
        try Row.fetchOne(db, sql: "SELECT pid, start_time, boot FROM test_run WHERE item = ?", arguments: [item]).map {
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
        try db.execute(
            sql: "INSERT INTO decision (digest, item, body, time) VALUES (?, ?, ?, ?)",
            arguments: [digest.text, decision.inputs.item, body, now.milliseconds])
        return digest
    }

    func remember(testProcess: ProcessIdentity, of item: String) throws {
        try db.execute(
            sql: """
                INSERT INTO test_run (item, pid, start_time, boot) VALUES (?, ?, ?, ?)
                ON CONFLICT (item) DO UPDATE SET pid = excluded.pid, start_time = excluded.start_time,
                    boot = excluded.boot
                """,
            arguments: [
                item, testProcess.pid, Int64(bitPattern: testProcess.startTime), testProcess.boot,
            ])
    }

    func forget(testProcessOf item: String) throws {
        try db.execute(sql: "DELETE FROM test_run WHERE item = ?", arguments: [item])
    }
}
