import EventLog
import GRDB
import Messages
import Store

enum StageQueries {
    /// The stage of each version of the model that has one.
    static func holders(of model: String, _ db: Database) throws -> [Int: String] {
        let rows = try Row.fetchAll(
            db.cachedStatement(
                sql: "SELECT version, stage FROM version WHERE model = ? AND stage IS NOT NULL AND deleted IS NULL"),
            arguments: [model])
        return Dictionary(rows.map { ($0["version"] as Int, $0["stage"] as String) }, uniquingKeysWith: { $1 })
    }

    /// The last change that was about this version, unless another one has moved it since; `nil` for none.
    static func latest(of version: Int, _ model: String, _ db: Database) throws -> Transition.Latest? {
        let row = try Row.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT event, about, from_stage, to_stage, actor, run FROM stage_history
                    WHERE model = ? AND version = ? ORDER BY id DESC LIMIT 1
                    """), arguments: [model, version])
        guard let row, (row["about"] as Int) == version else { return nil }
        let (event, to): (String, String?) = (row["event"], row["to_stage"])
        let replaced = try Int.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT version FROM stage_history WHERE event = ? AND version <> ? AND from_stage = ? ORDER BY version
                    """), arguments: [event, version, to])
        return Transition.Latest(
            from: row["from_stage"], to: to, replaced: replaced, actor: row["actor"], run: row["run"])
    }

    static func history(of model: String, _ db: Database) throws -> [StageRecord] {
        try Row.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT id, event, about, version, from_stage, to_stage, run, compensates
                    FROM stage_history WHERE model = ? ORDER BY id
                    """), arguments: [model]
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
        let id = newID()
        var mark = try StageQueries.mark(of: body.model, db)
        for move in HistoryMove.moves(of: body, event: id, actor: because.actor, time: now) {
            mark = try HistoryChain.next(mark, move)
            try db.cachedStatement(sql: "UPDATE version SET stage = ?, updated = ? WHERE model = ? AND version = ?")
                .execute(arguments: [move.to, now.milliseconds, body.model, move.version])
            try db.cachedStatement(
                sql: """
                    INSERT INTO stage_history (event, model, about, version, from_stage, to_stage, actor, reason, run,
                        decision, approval, compensates, time, moves, chain)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """
            ).execute(arguments: [
                id, body.model, move.about, move.version, move.from, move.to, move.actor, move.reason, move.run,
                move.decision, move.approval, move.compensates, now.milliseconds, mark.moves,
                mark.chain,
            ])
        }
        body.history = mark
        return try publish(
            body, id: id, subject: "model/\(body.model)/\(own.version)", key: body.model, because: because)
    }
}
