import EventLog
import Foundation
import GRDB
import Messages

/// The logs that a service owns: dense, chained, in the order of their commits (bus.md 3).
enum Outbox {
    static func begin(_ source: Source, now: Timestamp, in db: Database) throws {
        let known = try Bool.fetchOne(
            db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM log WHERE source = ?)"), arguments: [source.name])
        if known == true { return }
        let epoch = now.milliseconds
        let chain = Chain.start(of: source, epoch: epoch, parent: nil)
        try db.cachedStatement(
            sql: "INSERT INTO log (source, epoch, last, chain, base_epoch, base_chain) VALUES (?, ?, 0, ?, ?, ?)"
        ).execute(arguments: [source.name, epoch, chain.hex, epoch, chain.hex]
        )
    }

    /// The log's last place: all that appending needs.
    static func tip(of source: Source, in db: Database) throws -> LogCursor {
        let row = try Row.fetchOne(
            db.cachedStatement(sql: "SELECT epoch, last, chain FROM log WHERE source = ?"), arguments: [source.name])
        guard let row, let chain = Chain(hex: row["chain"]) else { throw unknown(source) }
        return LogCursor(epoch: row["epoch"], seq: row["last"], chain: chain)
    }

    static func head(of source: Source, in db: Database) throws -> LogHead {
        let row = try Row.fetchOne(
            db.cachedStatement(sql: "SELECT * FROM log WHERE source = ?"), arguments: [source.name])
        guard let row, let chain = Chain(hex: row["chain"]), let baseChain = Chain(hex: row["base_chain"]) else {
            throw unknown(source)
        }
        let base = LogCursor(epoch: row["base_epoch"], seq: row["base_seq"], chain: baseChain)
        let epoch: Int64 = row["epoch"]
        return LogHead(
            source: source, epoch: epoch, first: base.epoch == epoch ? base.seq + 1 : 1, last: row["last"],
            chain: chain, lineage: try lineage(of: source, in: db), base: base)
    }

    private static func lineage(of source: Source, in db: Database) throws -> [LogParent] {
        let rows = try Row.fetchAll(
            db.cachedStatement(sql: "SELECT epoch, seq, chain FROM ended_epoch WHERE source = ? ORDER BY epoch"),
            arguments: [source.name])
        return rows.compactMap { row in
            Chain(hex: row["chain"]).map { LogParent(epoch: row["epoch"], seq: row["seq"], chain: $0) }
        }
    }

    private static func unknown(_ source: Source) -> StoreError {
        StoreError(path: source.name, problem: "has no log of that name", hint: "this service does not own it")
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

    /// What a transaction adds to a log.
    struct Growth {
        var tip: LogCursor
        var records = 0
        var bytes = 0
    }

    static func grow(_ source: Source, by growth: Growth, in db: Database) throws {
        let statement = try db.cachedStatement(
            sql: """
                UPDATE log SET epoch = ?, last = ?, chain = ?, records = records + ?, bytes = bytes + ? WHERE source = ?
                """)
        try statement.execute(arguments: [
            growth.tip.epoch, growth.tip.seq, growth.tip.chain.hex, growth.records, growth.bytes, source.name,
        ])
    }

    /// Ends the present epoch where it stands; the next one goes on from there once the log is moved to its start.
    static func endEpoch(of source: Source, at tip: LogCursor, next epoch: Int64, in db: Database) throws -> LogCursor {
        try db.cachedStatement(sql: "INSERT INTO ended_epoch (source, epoch, seq, chain) VALUES (?, ?, ?, ?)").execute(
            arguments: [source.name, tip.epoch, tip.seq, tip.chain.hex])
        let parent = LogParent(epoch: tip.epoch, seq: tip.seq, chain: tip.chain)
        return LogCursor(epoch: epoch, seq: 0, chain: .start(of: source, epoch: epoch, parent: parent))
    }

    static func record(_ row: Row, of source: Source) -> LogRecord? {
        guard let prev = Chain(hex: row["prev"]) else { return nil }
        return LogRecord(
            source: source, epoch: row["epoch"], seq: row["seq"], prev: prev, topic: row["topic"], body: row["body"])
    }

    /// Rows until their bodies come to more than `maxBytes`, but one at least.
    static func read(_ rows: RowCursor, of source: Source, maxBytes: Int) throws -> [LogRecord] {
        var records: [LogRecord] = []
        var bytes = 0
        while let row = try rows.next(), let record = record(row, of: source) {
            bytes += record.body.count
            if bytes > maxBytes, !records.isEmpty { break }
            records.append(record)
        }
        return records
    }
}

/// Where the logs stand within one commit: read once and written once, however many share it.
final class LogTips {
    private var logs: [Source: Outbox.Growth] = [:]

    func tip(of source: Source, in db: Database) throws -> LogCursor {
        try logs[source]?.tip ?? Outbox.tip(of: source, in: db)
    }

    func move(_ grown: [Source: Outbox.Growth]) {
        for (source, growth) in grown {
            var all = logs[source] ?? Outbox.Growth(tip: growth.tip)
            all.tip = growth.tip
            all.records += growth.records
            all.bytes += growth.bytes
            logs[source] = all
        }
    }

    func write(in db: Database) throws {
        for (source, growth) in logs { try Outbox.grow(source, by: growth, in: db) }
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
            return try Outbox.read(rows, of: source, maxBytes: maxBytes)
        }
    }

    package func snapshot(
        of source: Source, after: LogPlace?, limit: Int, maxBytes: Int
    ) async throws -> (head: LogHead, records: [LogRecord], more: Bool) {
        try await read { db in
            let after = after ?? LogPlace(epoch: 0, seq: 0)
            // One more than asked for tells whether there is more.
            let rows = try Row.fetchCursor(
                db,
                sql: """
                    SELECT * FROM kept WHERE source = ? AND (epoch, seq) > (?, ?) ORDER BY epoch, seq LIMIT ?
                    """, arguments: [source.name, after.epoch, after.seq, limit])
            let records = try Outbox.read(rows, of: source, maxBytes: maxBytes)
            let last = records.last?.place ?? after
            let more = try Bool.fetchOne(
                db.cachedStatement(
                    sql: "SELECT EXISTS (SELECT 1 FROM kept WHERE source = ? AND (epoch, seq) > (?, ?))"),
                arguments: [source.name, last.epoch, last.seq])
            return (try Outbox.head(of: source, in: db), records, more ?? false)
        }
    }
}
