import EventLog
import Foundation
import GRDB
import Messages

/// An event whose handler failed: it waits for another try, or is dead and waits for an operator (bus.md 5).
package struct ParkedEvent: Sendable, Hashable {
    package var id: String
    package var position: LogPosition
    package var key: String
    package var topic: String
    package var body: Data
    package var attempts: Int
    package var reason: String

    init(row: Row) {
        id = row["id"]
        let source: String = row["source"]
        position = LogPosition(source: Source(stringLiteral: source), epoch: row["epoch"], seq: row["seq"])
        key = row["key"]
        topic = row["topic"]
        body = row["body"]
        attempts = row["attempts"]
        reason = row["reason"]
    }
}

extension Transaction {
    /// Whether any event waits for another try.
    package func hasParked() throws -> Bool {
        try Bool.fetchOne(
            db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM parked WHERE state = 'waiting')")) ?? false
    }

    /// Whether an event of this key waits for another try: later ones park behind it.
    package func isParked(key: String) throws -> Bool {
        try Bool.fetchOne(
            db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM parked WHERE key = ? AND state = 'waiting')"),
            arguments: [key]
        ) ?? false
    }

    package func park(
        _ record: LogRecord, key: String, attempts: Int, due: Timestamp, reason: String, dead: Bool
    ) throws -> String {
        let id = newID()
        try db.cachedStatement(
            sql: """
                INSERT INTO parked (id, source, epoch, seq, key, topic, body, attempts, due, since, reason, state)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: [
            id, record.source.name, record.epoch, record.seq, key, record.topic, record.body, attempts,
            due.milliseconds, now.milliseconds, reason, dead ? "dead" : "waiting",
        ]
        )
        return id
    }

    /// Whether it still waits: its log may have gone on without it since it was read.
    package func isWaiting(_ parked: ParkedEvent) throws -> Bool {
        try Bool.fetchOne(
            db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM parked WHERE id = ? AND state = 'waiting')"),
            arguments: [parked.id]) ?? false
    }

    package func postpone(_ parked: ParkedEvent, until due: Timestamp, reason: String) throws {
        try db.cachedStatement(
            sql: "UPDATE parked SET attempts = attempts + 1, due = ?, since = ?, reason = ? WHERE id = ?"
        ).execute(arguments: [due.milliseconds, now.milliseconds, reason, parked.id]
        )
    }

    package func declareDead(_ parked: ParkedEvent, reason: String) throws {
        try db.cachedStatement(
            sql: "UPDATE parked SET attempts = attempts + 1, state = 'dead', reason = ? WHERE id = ?"
        ).execute(arguments: [reason, parked.id]
        )
    }

    package func unpark(_ id: String) throws {
        try db.cachedStatement(sql: "DELETE FROM parked WHERE id = ?").execute(arguments: [id])
    }

    package func deadLetter(_ id: String) throws -> ParkedEvent? {
        try Row.fetchOne(
            db.cachedStatement(sql: "SELECT * FROM parked WHERE id = ? AND state = 'dead'"), arguments: [id]
        )
        .map(ParkedEvent.init(row:))
    }
}

extension StateStore {
    /// The first waiting event of each key whose time has come, and when the next one's comes.
    package func dueParked(at now: Timestamp) async throws -> (due: [ParkedEvent], next: Timestamp?) {
        try await read { db in
            let rows = try Row.fetchAll(
                db.cachedStatement(
                    sql: """
                        SELECT p.* FROM parked p WHERE p.state = 'waiting' AND p.rowid = (
                            SELECT min(q.rowid) FROM parked q WHERE q.key = p.key AND q.state = 'waiting'
                        ) ORDER BY p.due LIMIT 256
                        """))
            let dues: [Int64] = rows.map { $0["due"] }
            let count = dues.prefix { $0 <= now.milliseconds }.count
            return (
                rows.prefix(count).map(ParkedEvent.init(row:)),
                dues.dropFirst(count).first.map(Timestamp.init(milliseconds:))
            )
        }
    }
}

extension StateStore {
    /// The first waiting event of a key; `nil` when its time has not come, or none waits.
    package func nextParked(of key: String, at now: Timestamp) async throws -> ParkedEvent? {
        try await read { db in
            let row = try Row.fetchOne(
                db.cachedStatement(
                    sql: "SELECT * FROM parked WHERE key = ? AND state = 'waiting' ORDER BY rowid LIMIT 1"),
                arguments: [key])
            guard let row else { return nil }
            let due: Int64 = row["due"]
            return due <= now.milliseconds ? ParkedEvent(row: row) : nil
        }
    }
}

/// A key whose events wait behind one that could not be handled.
package struct ParkedKey: Sendable, Hashable {
    package var key: String
    /// How many wait, the failed one among them.
    package var events: Int
    package var attempts: Int
    package var due: Timestamp
    package var reason: String
}

extension StateStore {
    /// The keys that wait, those with the most events first.
    package func parkedKeys(limit: Int) async throws -> [ParkedKey] {
        try await read { db in
            // The bare columns are those of the row with the smallest number: the event that the others wait behind.
            try Row.fetchAll(
                db.cachedStatement(
                    sql: """
                        SELECT key, count(*) AS events, min(rowid), attempts, due, reason FROM parked
                        WHERE state = 'waiting' GROUP BY key ORDER BY events DESC, key LIMIT ?
                        """), arguments: [limit]
            ).map { row in
                ParkedKey(
                    key: row["key"], events: row["events"], attempts: row["attempts"],
                    due: Timestamp(milliseconds: row["due"]), reason: row["reason"])
            }
        }
    }
}
