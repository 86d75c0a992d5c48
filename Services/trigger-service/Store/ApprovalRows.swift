import Foundation
import GRDB
import Messages
import Store

extension Transaction {
    func save(_ approval: Approval) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO approval (id, run, job, model, state, body) VALUES (?, ?, ?, ?, ?, ?)
                ON CONFLICT (id) DO UPDATE SET state = excluded.state, body = excluded.body
                """
        ).execute(arguments: [
            approval.id, approval.run, approval.job,
            // By the model they are found that may become void.
            approval.watchesChampion == false ? nil : approval.model, approval.result?.rawValue ?? "waiting",
            try Wire.encode(approval),
        ])
    }

    func approval(_ id: String) throws -> Approval? {
        try Row.fetchOne(db.cachedStatement(sql: "SELECT body FROM approval WHERE id = ?"), arguments: [id])?
            .decode(Approval.self, "body")
    }

    /// The runs in which people are asked about what a model's champion was compared with.
    func runs(waitingForApprovalOf model: String) throws -> [String] {
        try String.fetchAll(
            db.cachedStatement(
                sql: "SELECT DISTINCT run FROM approval WHERE model = ? AND state = 'waiting' ORDER BY run"),
            arguments: [model])
    }

    /// Also of other runs than the one that decided.
    func runs(waitingForApprovalOfDecision decision: String) throws -> [String] {
        try String.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT DISTINCT run FROM approval
                    WHERE state = 'waiting' AND json_extract(CAST(body AS TEXT), '$.decision') = ?
                    """), arguments: [decision])
    }
}
