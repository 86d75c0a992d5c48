import EventLog
import Foundation
import GRDB
import Messages

/// One unit of work: state, events and intents that exist together or not at all. Valid only inside its closure.
package struct Transaction {
    package let db: Database
    /// The same for everything in this transaction.
    package let now: Timestamp
    package let source: Source
    private let ids: UUIDv7
    /// Where the logs stand with those who share this commit.
    private let logs: LogTips
    private let progress = Progress()

    /// What has been written so far; a reference, because a transaction is handed on by value.
    private final class Progress {
        var logs: [Source: Outbox.Growth] = [:]
        var records: [LogRecord] = []
        var summary = CommitSummary()
    }

    init(db: Database, logs: LogTips, now: Timestamp, source: Source, ids: UUIDv7) {
        self.db = db
        self.logs = logs
        self.now = now
        self.source = source
        self.ids = ids
    }

    package func newID() -> String { ids.next(at: now) }

    /// Appends an event to this service's log.
    ///
    /// - Parameters:
    ///   - subject: the entity, for example `run/0192…`.
    ///   - key: what orders and parks it: a run id or a model's name.
    ///   - id: from `newID`, where something else in this transaction names the event.
    @discardableResult
    package func publish<Body: EventBody>(
        _ body: Body, id: String? = nil, subject: String, key: String, because: Causation, replayOf: String? = nil
    ) throws -> Envelope {
        precondition(Body.source == nil || Body.source == source, "\(Body.name) is not for \(source) to say")
        let envelope = Envelope(
            id: id ?? newID(), source: "/martlet/\(source)", type: Body.eventType, subject: subject, time: now,
            partitionkey: key, causation: because, dataschema: Body.schemaURI, replayof: replayOf,
            data: try Wire.tree(body)
        )
        try append(envelope, to: source)
        return envelope
    }

    /// Appends an envelope as it is: for `ingest`, which sequences what outsiders say.
    @discardableResult
    package func append(_ envelope: Envelope, to log: Source) throws -> LogPosition {
        var growth = try progress.logs[log] ?? Outbox.Growth(tip: logs.tip(of: log, in: db))
        let body = try Wire.encode(envelope)
        guard body.count <= Self.eventBytes else { throw EventTooLarge(type: envelope.type, bytes: body.count) }
        let record = LogRecord(
            source: log, epoch: growth.tip.epoch, seq: growth.tip.seq + 1, prev: growth.tip.chain,
            topic: "e/\(log)/\(envelope.type)", body: body
        )
        try Outbox.insert(record, id: envelope.id, at: now, in: db)
        growth.tip.seq = record.seq
        growth.tip.chain = record.chain
        growth.records += 1
        growth.bytes += body.count
        progress.logs[log] = growth
        progress.records.append(record)
        progress.summary.published = true
        return record.position
    }

    /// Bytes of an event's JSON. The bus carries 64 KiB with its frames (bus.md 3); what is larger must never get a
    /// number, or nobody could pass it.
    package static let eventBytes = 60 * 1024

    /// Notes something to be done in the world after the commit, and again after a crash, until it is settled.
    ///
    /// - Parameters:
    ///   - id: its idempotency key: the same kind and id twice is one intent.
    ///   - due: not before then; at once where it is not given.
    package func intend(_ kind: String, id: String, payload: some Encodable, at due: Timestamp? = nil) throws {
        let payload = try Wire.encode(payload)
        if try Intents.insert(kind: kind, id: id, payload: payload, due: due ?? now, at: now, in: db) {
            progress.summary.intended = true
        }
    }

    /// Takes an intent back, as a deadline that no longer matters. Nothing happens when it is not there.
    package func dropIntent(_ kind: String, id: String) throws {
        try Intents.delete(kind: kind, id: id, in: db)
    }

    /// What was to be done later is due now. Nothing happens when it is due already, or is not there.
    package func hasten(_ kind: String, id: String) throws {
        if try Intents.hasten(kind: kind, id: id, to: now, in: db) { progress.summary.intended = true }
    }

    /// What this transaction appended counts for those after it in the same commit.
    func finish() -> [LogRecord] {
        logs.move(progress.logs)
        return progress.records
    }

    /// A part that is taken back alone when it throws: one event of a batch that cannot be handled.
    package func attempt(_ body: (Transaction) throws -> Void) throws {
        let (grown, count) = (progress.logs, progress.records.count)
        do {
            try db.savepoint { try body(self) }
        } catch {
            progress.logs = grown
            progress.records.removeSubrange(count...)
            throw error
        }
    }

    /// `false`: SQLite has taken everything back, as it does when the disk is full.
    package var isOpen: Bool { db.isInsideTransaction }

    var summary: CommitSummary { progress.summary }

    /// Where this service's own log stands with what this transaction has appended.
    package func head() throws -> LogPosition {
        let tip = try progress.logs[source]?.tip ?? logs.tip(of: source, in: db)
        return LogPosition(source: source, epoch: tip.epoch, seq: tip.seq)
    }

    /// Ends a log's epoch where it stands and goes on with a new one (bus.md 3): after its database was restored,
    /// whoever had read more than that finds out.
    @discardableResult
    package func beginEpoch(of log: Source) throws -> LogCursor {
        var growth = try progress.logs[log] ?? Outbox.Growth(tip: logs.tip(of: log, in: db))
        let epoch = max(growth.tip.epoch + 1, now.milliseconds)
        growth.tip = try Outbox.endEpoch(of: log, at: growth.tip, next: epoch, in: db)
        progress.logs[log] = growth
        progress.summary.published = true
        return growth.tip
    }
}

/// An event that the bus could not carry: what it tells has to be shortened, or stored and referred to.
package struct EventTooLarge: Error, Sendable, Hashable, CustomStringConvertible {
    package var type: String
    package var bytes: Int

    package var description: String {
        "the event \(type) would have \(bytes) bytes; at most \(Transaction.eventBytes) can be published"
    }
}
