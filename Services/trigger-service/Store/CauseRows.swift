import Foundation
import GRDB
import Messages
import Store

/// What became of a cause for one pipeline.
struct StoredVerdict: Sendable, Hashable {
    var cause: String
    var project: String
    var pipeline: String
    var matched: Bool
    var code: String
    var reason: String
    var run: String?
}

extension Transaction {
    /// What the services told of before is no cause.
    func servicesHeardSince() throws -> Timestamp {
        let since = try Int64.fetchOne(db.cachedStatement(sql: "SELECT since FROM services_heard"))
        return Timestamp(milliseconds: since ?? 0)
    }

    /// `false`: this event was taken before.
    func insert(_ cause: Cause) throws -> Bool {
        try db.cachedStatement(
            sql: """
                INSERT INTO cause (id, type, body, state, at, item, line) VALUES (?, ?, ?, 'waiting', ?, ?, ?)
                ON CONFLICT DO NOTHING
                """
        ).execute(arguments: [
            cause.id, cause.type, try Wire.encode(cause), now.milliseconds, cause.startingItem, cause.line,
        ])
        return db.changesCount == 1
    }

    func knowsCause(_ id: String) throws -> Bool {
        try Bool.fetchOne(db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM cause WHERE id = ?)"), arguments: [id])
            ?? false
    }

    /// How many events led to what follows from this one; `nil` where it was no cause here. The cause's id may be the event's
    /// with a project behind it.
    func depth(after event: String) throws -> Int? {
        try Row.fetchOne(
            db.cachedStatement(
                sql: "SELECT body FROM cause WHERE id = ?1 OR (id > ?1 || '@' AND id < ?1 || 'A') LIMIT 1"),
            arguments: [event])?
            .decode(Cause.self, "body").because.depth
    }

    /// `nil` when it is unknown or was judged already.
    func waitingCause(_ id: String) throws -> Cause? {
        try Row.fetchOne(
            db.cachedStatement(sql: "SELECT body FROM cause WHERE id = ? AND state = 'waiting'"), arguments: [id])?
            .decode(Cause.self, "body")
    }

    /// The one whose turn it is: rows grow in the order in which causes came.
    func firstWaiting(inLine line: String) throws -> Cause? {
        try Row.fetchOne(
            db.cachedStatement(
                sql: "SELECT body FROM cause WHERE line = ? AND state = 'waiting' ORDER BY rowid LIMIT 1"),
            arguments: [line])?
            .decode(Cause.self, "body")
    }

    func cause(_ id: String) throws -> Cause? {
        try Row.fetchOne(db.cachedStatement(sql: "SELECT body FROM cause WHERE id = ?"), arguments: [id])?.decode(
            Cause.self, "body")
    }

    func verdicts(of cause: String) throws -> [StoredVerdict] { try CauseQueries.verdicts(of: cause, in: db) }

    func markJudged(_ cause: Cause) throws {
        try db.cachedStatement(sql: "UPDATE cause SET state = 'judged', body = ? WHERE id = ?").execute(arguments: [
            try Wire.encode(cause), cause.id,
        ])
    }

    /// A step that asks for a run was stopped before its commit was read: nothing starts any more.
    func forgetCause(startedBy item: String) throws {
        try db.cachedStatement(sql: "UPDATE cause SET state = 'judged' WHERE item = ? AND state = 'waiting'").execute(
            arguments: [item])
    }

    func insert(_ verdict: StoredVerdict) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO verdict (cause, project, pipeline, matched, code, reason, run, at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: [
            verdict.cause, verdict.project, verdict.pipeline, verdict.matched, verdict.code, verdict.reason,
            verdict.run, now.milliseconds,
        ])
    }

    func verdict(of cause: String, project: String, pipeline: String) throws -> StoredVerdict? {
        try verdicts(of: cause).first { $0.project == project && $0.pipeline == pipeline }
    }

    /// What became of a cause that has waited for others.
    func replace(_ verdict: StoredVerdict) throws {
        try db.cachedStatement(
            sql: """
                UPDATE verdict SET matched = ?, code = ?, reason = ?, run = ?
                WHERE cause = ? AND project = ? AND pipeline = ?
                """
        ).execute(arguments: [
            verdict.matched, verdict.code, verdict.reason, verdict.run, verdict.cause, verdict.project,
            verdict.pipeline,
        ])
    }
}

enum CauseQueries {
    static func verdicts(of cause: String, in db: Database) throws -> [StoredVerdict] {
        try Row.fetchAll(
            db.cachedStatement(sql: "SELECT * FROM verdict WHERE cause = ? ORDER BY pipeline"), arguments: [cause]
        ).map {
            StoredVerdict(
                cause: $0["cause"], project: $0["project"], pipeline: $0["pipeline"], matched: $0["matched"],
                code: $0["code"], reason: $0["reason"], run: $0["run"])
        }
    }
}
