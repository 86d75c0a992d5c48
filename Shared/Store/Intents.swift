import Foundation
import GRDB
import Messages

/// Something that has to happen outside the database, kept until it is settled.
package struct Intent: Sendable, Hashable {
    package var kind: String
    /// The idempotency key of the effect.
    package var id: String
    package var payload: Data
    /// How often it was tried before.
    package var attempts: Int
    package var due: Timestamp

    package func decode<Payload: Decodable>(_ type: Payload.Type) throws -> Payload {
        try Wire.decode(type, from: payload)
    }

    init(row: Row) {
        kind = row["kind"]
        id = row["id"]
        payload = row["payload"]
        attempts = row["attempts"]
        due = Timestamp(milliseconds: row["due"])
    }

    /// For tests of an effect.
    package init(kind: String, id: String, payload: some Encodable, attempts: Int = 0) throws {
        self.kind = kind
        self.id = id
        self.payload = try Wire.encode(payload)
        self.attempts = attempts
        due = Timestamp(milliseconds: 0)
    }
}

enum Intents {
    /// - Returns: `false`: it is there already, and stays as it is.
    static func insert(
        kind: String, id: String, payload: Data, due: Timestamp, at now: Timestamp, in db: Database
    ) throws -> Bool {
        try db.cachedStatement(
            sql: "INSERT INTO intent (kind, id, payload, due, since) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
        ).execute(arguments: [kind, id, payload, due.milliseconds, now.milliseconds])
        return db.changesCount == 1
    }

    static func delete(kind: String, id: String, in db: Database) throws {
        try db.cachedStatement(sql: "DELETE FROM intent WHERE kind = ? AND id = ?").execute(arguments: [kind, id])
    }

    /// - Returns: whether it was due later.
    static func hasten(kind: String, id: String, to now: Timestamp, in db: Database) throws -> Bool {
        try db.cachedStatement(sql: "UPDATE intent SET due = ? WHERE kind = ? AND id = ? AND due > ?").execute(
            arguments: [now.milliseconds, kind, id, now.milliseconds])
        return db.changesCount == 1
    }

    static func due(
        at now: Timestamp, kinds: [String], limit: Int, in db: Database
    ) throws -> (due: [Intent], next: Timestamp?) {
        let marks = databaseQuestionMarks(count: kinds.count)
        let rows = try Row.fetchAll(
            db, sql: "SELECT * FROM intent WHERE kind IN (\(marks)) ORDER BY due LIMIT ?",
            arguments: StatementArguments(kinds) + [limit + 1]
        )
        let intents = rows.map(Intent.init(row:))
        let due = intents.prefix(limit).filter { $0.due <= now }
        return (Array(due), intents.dropFirst(due.count).first?.due)
    }
}

extension Transaction {
    /// Another try at `due`, with the reason for operators.
    package func postpone(_ intent: Intent, until due: Timestamp, reason: String) throws {
        try db.cachedStatement(
            sql: "UPDATE intent SET attempts = attempts + 1, due = ?, since = ?, reason = ? WHERE kind = ? AND id = ?"
        ).execute(arguments: [due.milliseconds, now.milliseconds, reason, intent.kind, intent.id]
        )
    }
}

extension StateStore {
    /// The intents to be carried out next, the longest due first, and when the one after them is due.
    package func dueIntents(
        at now: Timestamp, kinds: [String], limit: Int
    ) async throws -> (due: [Intent], next: Timestamp?) {
        try await read { db in try Intents.due(at: now, kinds: kinds, limit: limit, in: db) }
    }

    /// So many of each kind, whatever is due of the others; within a kind the longest due first.
    package func dueIntents(
        at now: Timestamp, kinds: [String], limitOfEach limit: Int
    ) async throws -> (due: [Intent], next: Timestamp?) {
        try await read { db in
            var due: [Intent] = []
            var next: Timestamp?
            for kind in kinds {
                let found = try Intents.due(at: now, kinds: [kind], limit: limit, in: db)
                due += found.due
                next = [next, found.next].compactMap(\.self).min()
            }
            return (due, next)
        }
    }
}
