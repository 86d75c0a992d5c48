import EventLog
import Foundation
import GRDB
import Messages

/// The logs that a service owns: dense, chained, in the order of their commits (bus.md 3).
enum Outbox {
    static func begin(_ source: Source, now: Timestamp, in db: Database) throws {
        let known = try Bool.fetchOne(
            db, sql: "SELECT EXISTS (SELECT 1 FROM log WHERE source = ?)", arguments: [source.name])
        if known == true { return }
        let epoch = now.milliseconds
        let chain = Chain.start(of: source, epoch: epoch, parent: nil)
        try db.execute(
            sql: "INSERT INTO log (source, epoch, first, last, chain) VALUES (?, ?, 1, 0, ?)",
            arguments: [source.name, epoch, chain.hex]
        )
    }

    static func head(of source: Source, in db: Database) throws -> LogHead {
        let row = try Row.fetchOne(
            db.cachedStatement(sql: "SELECT * FROM log WHERE source = ?"), arguments: [source.name])
        guard let row, let chain = Chain(hex: row["chain"]) else {
            throw StoreError(
                path: source.name, problem: "has no log of that name", hint: "this service does not own it")
        }
        return LogHead(
            source: source, epoch: row["epoch"], first: row["first"], last: row["last"], chain: chain,
            parent: parent(row))
    }

    private static func parent(_ row: Row) -> LogParent? {
        guard let epoch: Int64 = row["parent_epoch"], let seq: Int64 = row["parent_seq"],
            let hex: String = row["parent_chain"], let chain = Chain(hex: hex)
        else { return nil }
        return LogParent(epoch: epoch, seq: seq, chain: chain)
    }

    static func insert(_ record: LogRecord, id: String, at now: Timestamp, in db: Database) throws {
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO outbox (source, epoch, seq, id, topic, prev, body, time) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """)
        try statement.execute(arguments: [
            record.source.name, record.epoch, record.seq, id, record.topic, record.prev.hex, record.body,
            now.milliseconds,
        ])
    }

    static func move(_ head: LogHead, in db: Database) throws {
        let statement = try db.cachedStatement(sql: "UPDATE log SET last = ?, chain = ? WHERE source = ?")
        try statement.execute(arguments: [head.last, head.chain.hex, head.source.name])
    }
}

/// Where the logs stand within one commit: read once and written once, however many share it.
final class LogHeads {
    private var heads: [Source: LogHead] = [:]

    func head(of source: Source, in db: Database) throws -> LogHead {
        try heads[source] ?? Outbox.head(of: source, in: db)
    }

    func move(_ heads: [Source: LogHead]) { self.heads.merge(heads) { $1 } }

    func write(in db: Database) throws {
        for head in heads.values { try Outbox.move(head, in: db) }
    }
}

extension StateStore: LogReader {
    package func head(of source: Source) async throws -> LogHead {
        try await read { db in try Outbox.head(of: source, in: db) }
    }

    package func records(
        of source: Source, epoch: Int64, after: Int64, limit: Int, maxBytes: Int
    ) async throws -> [LogRecord] {
        if let recent = tail.records(of: source, epoch: epoch, after: after, limit: limit, maxBytes: maxBytes) {
            return recent
        }
        return try await read { db in
            let rows = try Row.fetchCursor(
                db,
                sql: "SELECT * FROM outbox WHERE source = ? AND epoch = ? AND seq > ? ORDER BY seq LIMIT ?",
                arguments: [source.name, epoch, after, limit]
            )
            var records: [LogRecord] = []
            var bytes = 0
            while let row = try rows.next() {
                guard let prev = Chain(hex: row["prev"]) else { break }
                let record = LogRecord(
                    source: source, epoch: epoch, seq: row["seq"], prev: prev, topic: row["topic"], body: row["body"])
                bytes += record.body.count
                if bytes > maxBytes, !records.isEmpty { break }
                records.append(record)
            }
            return records
        }
    }
}
