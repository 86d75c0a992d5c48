import EventLog
import Foundation
import GRDB
import Messages

/// How much of a log stays to be fetched (bus.md 7).
package struct Retention: Sendable, Hashable {
    /// What is younger stays, unless the log is too large.
    package var age: Duration
    /// The newest so many stay, unless the log is too large.
    package var events: Int64
    /// Bytes of bodies; the log is never larger for long.
    package var bytes: Int64

    package init(age: Duration = .seconds(7 * 24 * 3600), events: Int64 = 100_000, bytes: Int64 = 2 << 30) {
        self.age = age
        self.events = events
        self.bytes = bytes
    }

    /// How many of the oldest records may go. The newest one always stays: its chain is the log's end.
    ///
    /// - Parameters:
    ///   - oldest: times and sizes of the oldest records, in order.
    ///   - records: how many there are in all.
    ///   - total: the bytes of all.
    package func surplus(
        _ oldest: [(time: Timestamp, bytes: Int64)], records: Int64, total: Int64, now: Timestamp
    ) -> Int {
        let horizon = now.advanced(by: .zero - age)
        var (records, total) = (records, total)
        var count = 0
        for record in oldest {
            let isOld = record.time < horizon && records > events
            guard records > 1, isOld || total > bytes else { break }
            records -= 1
            total -= record.bytes
            count += 1
        }
        return count
    }
}

extension StateStore {
    /// Deletes the oldest records of a log that need not stay, in one short transaction; what of them makes the state
    /// is kept for snapshots.
    ///
    /// - Returns: whether there may be more to delete.
    package func prune(_ log: Source, by rule: Retention, atOnce most: Int = 500) async throws -> Bool {
        // Looking is free; a transaction costs an fsync.
        let now = clock.now()
        let surplus = try await read { try Pruning(log, rule, most, now, in: $0) }
        guard surplus.count > 0 else { return false }
        let pruned = try await write { transaction in
            let pruning = try Pruning(log, rule, most, now, in: transaction.db)
            try pruning.carryOut(at: now, in: transaction.db)
            return pruning.count > 0
        }
        tail.forget(log)
        return pruned
    }

    /// Records that can be fetched with the bytes of their bodies, and facts kept for snapshots.
    package func size(of log: Source) async throws -> (records: Int64, bytes: Int64, kept: Int64) {
        try await read { db in
            let sums = try Row.fetchOne(
                db.cachedStatement(
                    sql: """
                        SELECT records, bytes, (SELECT count(*) FROM kept WHERE kept.source = log.source) AS kept
                        FROM log WHERE source = ?
                        """), arguments: [log.name])
            return sums.map { ($0["records"], $0["bytes"], $0["kept"]) } ?? (0, 0, 0)
        }
    }

    /// Forgets facts whose time is over, at most so many.
    package func forgetExpiredFacts(atOnce most: Int = 500) async throws {
        let now = clock.now()
        let any = try await read {
            try Bool.fetchOne(
                $0, sql: "SELECT EXISTS (SELECT 1 FROM kept WHERE expires < ?)", arguments: [now.milliseconds])
        }
        guard any == true else { return }
        try await write { transaction in
            try transaction.db.cachedStatement(
                sql: "DELETE FROM kept WHERE rowid IN (SELECT rowid FROM kept WHERE expires < ? LIMIT ?)"
            ).execute(arguments: [now.milliseconds, most])
        }
    }
}

/// One step of pruning: a prefix of the log, as long as the rule and the step's limits allow.
private struct Pruning {
    private static let mostBytes: Int64 = 4 << 20

    let log: Source
    var count = 0
    private var bytes: Int64 = 0
    private var last = LogPlace(epoch: 0, seq: 0)

    init(_ log: Source, _ rule: Retention, _ most: Int, _ now: Timestamp, in db: Database) throws {
        self.log = log
        let sums = try Row.fetchOne(
            db.cachedStatement(sql: "SELECT records, bytes FROM log WHERE source = ?"), arguments: [log.name])
        guard let sums else { return }
        let rows = try Row.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT epoch, seq, time, length(body) AS size FROM outbox WHERE source = ? ORDER BY epoch, seq LIMIT ?
                    """), arguments: [log.name, most])
        let oldest = rows.map { (time: Timestamp(milliseconds: $0["time"]), bytes: $0["size"] as Int64) }
        let surplus = rule.surplus(oldest, records: sums["records"], total: sums["bytes"], now: now)
        for row in rows.prefix(surplus) {
            let size: Int64 = row["size"]
            if count > 0, bytes + size > Self.mostBytes { break }
            bytes += size
            count += 1
            last = LogPlace(epoch: row["epoch"], seq: row["seq"])
        }
    }

    func carryOut(at now: Timestamp, in db: Database) throws {
        guard count > 0 else { return }
        let rows = try Row.fetchCursor(
            db, sql: "SELECT * FROM outbox WHERE source = ? AND (epoch, seq) <= (?, ?) ORDER BY epoch, seq",
            arguments: [log.name, last.epoch, last.seq])
        var end: LogRecord?
        while let row = try rows.next() {
            guard let record = Outbox.record(row, of: log) else { break }
            try keep(record, now, in: db)
            end = record
        }
        guard let end, end.place == last else {
            throw StoreError(
                path: log.name, problem: "has a record that cannot be read", hint: "restore it from a backup")
        }
        try db.cachedStatement(sql: "DELETE FROM outbox WHERE source = ? AND (epoch, seq) <= (?, ?)").execute(
            arguments: [log.name, last.epoch, last.seq])
        try db.cachedStatement(
            sql: """
                UPDATE log SET base_epoch = ?, base_seq = ?, base_chain = ?, records = records - ?, bytes = bytes - ?
                WHERE source = ?
                """
        ).execute(arguments: [end.epoch, end.seq, end.chain.hex, count, bytes, log.name])
    }

    private func keep(_ record: LogRecord, _ now: Timestamp, in db: Database) throws {
        guard let envelope = try? Wire.decode(Envelope.self, from: record.body), let fact = envelope.fact else {
            return
        }
        if fact.replacesEntity {
            try db.cachedStatement(sql: "DELETE FROM kept WHERE source = ? AND entity = ?").execute(arguments: [
                log.name, fact.entity,
            ])
        }
        let expires = fact.days.map { envelope.time.milliseconds + Int64($0) * 24 * 3_600_000 }
        if let expires, expires < now.milliseconds { return }
        try db.cachedStatement(
            sql: """
                INSERT OR REPLACE INTO kept (source, epoch, seq, topic, prev, body, entity, aspect, expires)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: [
            log.name, record.epoch, record.seq, record.topic, record.prev.hex, record.body, fact.entity,
            fact.aspect, expires,
        ])
    }
}
