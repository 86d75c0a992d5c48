import EventLog
import Foundation
import GRDB
import Messages

/// The stage history as evidence: with the chain that shows what was altered.
extension StageQueries {
    private static let columns =
        "event, about, version, from_stage, to_stage, actor, reason, run, decision, approval, compensates, time, chain"

    static func moves(of model: String, _ db: Database) throws -> [(move: HistoryMove, chain: String?)] {
        try Row.fetchAll(
            db, sql: "SELECT \(columns) FROM stage_history WHERE model = ? ORDER BY id", arguments: [model]
        ).map { ($0.historyMove, $0["chain"]) }
    }

    /// How far the history reaches, by its last row.
    static func mark(of model: String, _ db: Database) throws -> HistoryMark {
        let row = try Row.fetchOne(
            db.cachedStatement(sql: "SELECT moves, chain FROM stage_history WHERE model = ? ORDER BY id DESC LIMIT 1"),
            arguments: [model])
        guard let row, let moves: Int = row["moves"], let chain: String = row["chain"] else {
            return HistoryChain.start
        }
        return HistoryMark(moves: moves, chain: chain)
    }

    /// Of the events that tell moves; part of an index.
    static let topic = "e/registry-service/\(ModelStageChanged.eventType)"

    /// What this service's own log says of the chain, as far back as it is kept; stage changes always are.
    static func toldMarks(of model: String, _ db: Database) throws -> [HistoryMark] {
        // An index of a part of the table is used only where the condition is there word for word. `0` follows `/`.
        let bodies = try Data.fetchAll(
            db,
            sql: """
                SELECT body FROM kept WHERE source = ?1 AND entity >= ?2 AND entity < ?3 AND topic = '\(topic)'
                UNION ALL SELECT body FROM outbox WHERE source = ?1 AND topic = '\(topic)'
                """, arguments: [Source.registryService.name, "version/\(model)/", "version/\(model)0"])
        return try bodies.compactMap { bytes in
            let body = try Wire.decode(Envelope.self, from: bytes).body(ModelStageChanged.self)
            return body?.model == model ? body?.history : nil
        }.sorted { $0.moves < $1.moves }
    }

    /// Histories from before there was a chain get one, as they stand.
    static func chainOlderHistory(_ db: Database) throws {
        let guardTrigger = try String.fetchOne(
            db.cachedStatement(sql: "SELECT sql FROM sqlite_master WHERE name = 'stage_history_is_not_altered'"))
        try db.execute(sql: "DROP TRIGGER IF EXISTS stage_history_is_not_altered")
        var marks: [String: HistoryMark] = [:]
        for row in try Row.fetchAll(db, sql: "SELECT id, model, \(columns) FROM stage_history ORDER BY id") {
            let model: String = row["model"]
            let mark = try HistoryChain.next(marks[model] ?? HistoryChain.start, row.historyMove)
            marks[model] = mark
            try db.cachedStatement(sql: "UPDATE stage_history SET moves = ?, chain = ? WHERE id = ?").execute(
                arguments: [mark.moves, mark.chain, row["id"] as Int64])
        }
        if let guardTrigger { try db.execute(sql: guardTrigger) }
    }
}

extension Row {
    fileprivate var historyMove: HistoryMove {
        HistoryMove(
            event: self["event"], about: self["about"], version: self["version"], from: self["from_stage"],
            to: self["to_stage"], actor: self["actor"], reason: self["reason"], run: self["run"],
            decision: self["decision"], approval: self["approval"], compensates: self["compensates"],
            time: Timestamp(milliseconds: self["time"]))
    }
}
