import EventLog
import Foundation
import GRDB
import Messages

extension Transaction {
    package func cursor(for source: Source) throws -> LogCursor? { try Cursors.cursor(for: source, in: db) }

    /// Moves to a place of a log, in the transaction that applied what is before it.
    package func move(to cursor: LogCursor, of source: Source) throws {
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO cursor (source, epoch, seq, chain) VALUES (?, ?, ?, ?)
                ON CONFLICT (source) DO UPDATE SET epoch = excluded.epoch, seq = excluded.seq, chain = excluded.chain
                """)
        try statement.execute(arguments: [source.name, cursor.epoch, cursor.seq, cursor.chain.hex])
    }

    /// Applies what of a snapshot's part was not applied before, and remembers how far it is or, after the last part,
    /// moves the cursor: a snapshot that is broken off goes on where it was, and nothing of it happens twice.
    package func apply(_ part: SnapshotPart, _ body: ([LogRecord]) throws -> Void) throws {
        let done = [
            try Cursors.cursor(for: part.source, in: db)?.place,
            try Row.fetchOne(
                db.cachedStatement(sql: "SELECT epoch, seq FROM loading WHERE source = ?"),
                arguments: [part.source.name]
            )
            .map { LogPlace(epoch: $0["epoch"], seq: $0["seq"]) },
        ].compactMap(\.self).max()
        let fresh = part.records.filter { record in done.map { $0 < record.place } ?? true }
        if !fresh.isEmpty { try body(fresh) }
        if part.isLast {
            if let done, part.at.place < done { return }
            try move(to: part.at, of: part.source)
            try Cursors.forgetLoading(part.source, in: db)
        } else if let last = part.records.last?.place, done.map({ $0 < last }) ?? true {
            try db.cachedStatement(sql: "INSERT OR REPLACE INTO loading (source, epoch, seq) VALUES (?, ?, ?)").execute(
                arguments: [part.source.name, last.epoch, last.seq])
        }
    }
}

enum Cursors {
    static func cursor(for source: Source, in db: Database) throws -> LogCursor? {
        let row = try Row.fetchOne(
            db.cachedStatement(sql: "SELECT epoch, seq, chain FROM cursor WHERE source = ?"), arguments: [source.name])
        guard let row, let chain = Chain(hex: row["chain"]) else { return nil }
        return LogCursor(epoch: row["epoch"], seq: row["seq"], chain: chain)
    }

    static func forgetLoading(_ source: Source, in db: Database) throws {
        try db.cachedStatement(sql: "DELETE FROM loading WHERE source = ?").execute(arguments: [source.name])
    }
}

extension StateStore {
    package func cursor(for source: Source) async throws -> LogCursor? {
        try await read { try Cursors.cursor(for: source, in: $0) }
    }

    /// How far every log has been applied.
    package func cursors() async throws -> [Source: LogPlace] {
        try await read { db in
            let rows = try Row.fetchAll(db.cachedStatement(sql: "SELECT source, epoch, seq FROM cursor"))
            return Dictionary(
                rows.map { (Source(stringLiteral: $0["source"]), LogPlace(epoch: $0["epoch"], seq: $0["seq"])) },
                uniquingKeysWith: { $1 })
        }
    }
}
