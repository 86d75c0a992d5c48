import Foundation
import GRDB
import Messages
import Store

/// A worker that may claim steps.
struct Session: Sendable, Hashable {
    var id: String
    var worker: String
    /// `train/*` covers `train/run`.
    var verbs: [String]
    var slots: Int
}

extension Session {
    fileprivate init(row: Row) throws {
        self.init(
            id: row["id"], worker: row["worker"], verbs: try row.decode([String].self, "verbs"), slots: row["slots"])
    }
}

extension Transaction {
    func insert(_ session: Session, labels: JSONValue) throws {
        try db.cachedStatement(
            sql: "INSERT INTO session (id, worker, verbs, labels, slots, opened) VALUES (?, ?, ?, ?, ?, ?)"
        ).execute(arguments: [
            session.id, session.worker, try Wire.encode(session.verbs), try Wire.encode(labels), session.slots,
            now.milliseconds,
        ])
    }

    func session(ofWorker worker: String) throws -> Session? {
        try Row.fetchOne(db.cachedStatement(sql: "SELECT * FROM session WHERE worker = ?"), arguments: [worker]).map(
            Session.init(row:))
    }

    func deleteSession(_ id: String) throws {
        try db.cachedStatement(sql: "DELETE FROM session WHERE id = ?").execute(arguments: [id])
    }

    /// The runs of which a session holds steps.
    func runs(heldBy session: String) throws -> [String] {
        try String.fetchAll(
            db.cachedStatement(sql: "SELECT DISTINCT run FROM step WHERE session = ? AND state = 'held' ORDER BY run"),
            arguments: [session])
    }

    func heldCount(_ session: String) throws -> Int {
        try Int.fetchOne(
            db.cachedStatement(sql: "SELECT count(*) FROM step WHERE session = ? AND state = 'held'"),
            arguments: [session]) ?? 0
    }

    /// Grows with every grant and is never given twice.
    func nextToken() throws -> Int64 {
        try db.cachedStatement(sql: "UPDATE token SET last = last + 1").execute()
        return try Int64.fetchOne(db.cachedStatement(sql: "SELECT last FROM token")) ?? 0
    }
}

/// An offered step.
struct OfferedStep: Sendable, Hashable {
    var run: String
    var place: StepPlace
    /// When it was offered, in milliseconds since 1970.
    var since: Int64?
}

enum SessionQueries {
    static func session(_ id: String, in db: Database) throws -> Session? {
        try Row.fetchOne(db.cachedStatement(sql: "SELECT * FROM session WHERE id = ?"), arguments: [id])
            .map(Session.init(row:))
    }

    static func all(in db: Database) throws -> [Session] {
        try Row.fetchAll(db.cachedStatement(sql: "SELECT * FROM session ORDER BY id")).map(Session.init(row:))
    }

    /// What workers of these verbs may take. The oldest run goes first: runs end one after another, instead of all
    /// crawling together. Each verb's offers are read in the index's order, however many wait behind them.
    static func offered(_ verbs: [String], limit: Int, in db: Database) throws -> [OfferedStep] {
        let wanted = try offeredVerbs(in: db).filter { verb in
            verbs.contains { StepWork.pattern($0, covers: verb) }
        }
        var rows: [Row] = []
        for verb in wanted {
            rows += try Row.fetchAll(
                db.cachedStatement(
                    sql: """
                        SELECT seq, run, job, position, offered FROM step WHERE state = 'offered' AND verb = ?
                        ORDER BY seq, job, position LIMIT ?
                        """),
                arguments: [verb, limit])
        }
        func rank(_ row: Row) -> (Int64, Int, Int) { (row["seq"], row["job"], row["position"]) }
        if wanted.count > 1 { rows.sort { rank($0) < rank($1) } }
        return rows.prefix(limit).map {
            OfferedStep(
                run: $0["run"], place: StepPlace(job: $0["job"], step: $0["position"]), since: $0["offered"])
        }
    }

    /// One look into the index for each verb, not for each offer.
    private static func offeredVerbs(in db: Database) throws -> [String] {
        try String.fetchAll(
            db.cachedStatement(
                sql: """
                    WITH RECURSIVE known (verb) AS (
                        SELECT min(verb) FROM step WHERE state = 'offered'
                        UNION ALL
                        SELECT (SELECT min(verb) FROM step WHERE state = 'offered' AND verb > known.verb)
                        FROM known WHERE known.verb IS NOT NULL)
                    SELECT verb FROM known WHERE verb IS NOT NULL
                    """))
    }

    /// How many steps are offered, and since when the first of them is.
    static func waiting(in db: Database) throws -> (count: Int, since: Int64?) {
        let row = try Row.fetchOne(
            db.cachedStatement(
                sql: "SELECT count(*) AS steps, min(offered) AS since FROM step WHERE state = 'offered'"))
        guard let row else { return (0, nil) }
        return (row["steps"], row["since"])
    }

    /// Offered steps that no open session can take, by item; not more than `limit`.
    static func unserved(limit: Int, in db: Database) throws -> [String: OfferedStep] {
        let patterns = try all(in: db).flatMap(\.verbs)
        let verbs = try offeredVerbs(in: db)
        var found: [String: OfferedStep] = [:]
        for verb in verbs where !patterns.contains(where: { StepWork.pattern($0, covers: verb) }) {
            let rows = try Row.fetchAll(
                db.cachedStatement(
                    sql: "SELECT item, run, job, position FROM step WHERE state = 'offered' AND verb = ? LIMIT ?"),
                arguments: [verb, limit - found.count])
            for row in rows {
                found[row["item"]] = OfferedStep(
                    run: row["run"], place: StepPlace(job: row["job"], step: row["position"]))
            }
        }
        return found
    }

    /// Items that a session holds and that are to be stopped.
    static func canceled(in session: String, _ db: Database) throws -> [String] {
        try String.fetchAll(
            db.cachedStatement(
                sql: "SELECT item FROM step WHERE session = ? AND state = 'held' AND canceling = 1 ORDER BY item"),
            arguments: [session])
    }
}
