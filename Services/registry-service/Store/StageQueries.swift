import GRDB
import Messages
import Store

enum StageQueries {
    /// The stage of each version of the model that has one.
    static func holders(of model: String, _ db: Database) throws -> [Int: String] {
        let rows = try Row.fetchAll(
            db, sql: "SELECT version, stage FROM version WHERE model = ? AND stage IS NOT NULL", arguments: [model])
        return Dictionary(rows.map { ($0["version"] as Int, $0["stage"] as String) }, uniquingKeysWith: { $1 })
    }

    static func history(of model: String, _ db: Database) throws -> [StageRecord] {
        try Row.fetchAll(
            db,
            sql: """
                SELECT id, event, about, version, from_stage, to_stage, run, compensates
                FROM stage_history WHERE model = ? ORDER BY id
                """, arguments: [model]
        ).map { row in
            StageRecord(
                id: row["id"], event: row["event"], about: row["about"], version: row["version"],
                from: row["from_stage"], to: row["to_stage"], run: row["run"], compensates: row["compensates"])
        }
    }
}

extension Transaction {
    /// Moves a version and whoever has to make room, writes the history and says so: all in this transaction (X6).
    ///
    /// - Parameter note: what is remembered with it; its moves are filled in here.
    @discardableResult
    func move(_ own: StageMove, replaced: [StageMove], note: ModelStageChanged, because: Causation) throws -> Envelope {
        var body = note
        (body.version, body.from, body.to, body.replaced) = (own.version, own.from, own.to, replaced)
        let envelope = try publish(
            body, subject: "model/\(body.model)/\(own.version)", key: body.model, because: because)
        for move in replaced + [own] {
            // Whoever gets a stage back was not the one that failed.
            let isGivenBack = body.compensates != nil && move.version != own.version
            let reason = isGivenBack ? "given back: " + body.reason.droppingPrefix("taken back: ") : body.reason
            try db.execute(
                sql: "UPDATE version SET stage = ? WHERE model = ? AND version = ?",
                arguments: [move.to, body.model, move.version])
            try db.execute(
                sql: """
                    INSERT INTO stage_history (event, model, about, version, from_stage, to_stage, actor, reason, run,
                        decision, approval, compensates, time)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    envelope.id, body.model, own.version, move.version, move.from, move.to, because.actor, reason,
                    body.run, body.decision, body.approval, body.compensates, now.milliseconds,
                ])
        }
        return envelope
    }
}

extension String {
    fileprivate func droppingPrefix(_ prefix: String) -> String {
        hasPrefix(prefix) ? String(dropFirst(prefix.count)) : self
    }
}
