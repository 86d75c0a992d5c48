import Foundation
import GRDB
import Messages

/// How one type of event changes the read model.
struct Projection: Sendable {
    let type: String
    let apply: @Sendable (Envelope, Database) throws -> Void

    static func on<Body: EventBody>(
        _ body: Body.Type, _ apply: @escaping @Sendable (Body, Envelope, Database) throws -> Void
    ) -> Projection {
        Projection(type: Body.eventType) { envelope, db in
            guard let body = try envelope.body(Body.self) else { return }
            try apply(body, envelope, db)
        }
    }

    private static let byType = Dictionary(
        uniqueKeysWithValues: (repositoryProjections + runProjections + stepProjections + approvalProjections
            + modelProjections + deploymentProjections + outcomeProjections).map { ($0.type, $0) })

    /// Keeps an event and changes the read model by it. The same position twice changes nothing.
    static func take(_ envelope: Envelope, at position: LogPosition, in db: Database) throws {
        try db.run(
            """
            INSERT OR IGNORE INTO events
            (source, epoch, seq, id, type, time, subject, correlation, causation, actor, key, body)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                position.source.name, position.epoch, position.seq, envelope.id, shortEventName(envelope.type),
                envelope.time.text, envelope.subject, envelope.correlationid, envelope.causationid, envelope.actor,
                envelope.partitionkey, try Wire.encode(envelope),
            ])
        guard db.changesCount > 0 else { return }
        try byType[envelope.type]?.apply(envelope, db)
    }

    /// Forgets the oldest events, a few at a time so that no transaction grows long.
    static func forget(keeping count: Int, in db: Database) throws {
        try db.run(
            "DELETE FROM events WHERE position <= (SELECT max(position) FROM events) - ?", [count])
    }

    /// Forgets what has been over for 90 days, as long as events of it are told: a few at a time. Runs, versions and the
    /// history of stages stay.
    static func forgetOver(at now: Timestamp, in db: Database) throws {
        let horizon = now.advanced(by: .seconds(-90 * 24 * 3600)).text
        for (table, condition) in [
            ("dead_letters", "closed < ?"), ("notifications", "time < ?"), ("verdicts", "time < ?"),
            ("commands", "state <> 'waiting' AND answered < ?"),
        ] {
            try db.run(
                "DELETE FROM \(table) WHERE rowid IN (SELECT rowid FROM \(table) WHERE \(condition) LIMIT 500)",
                [horizon])
        }
    }
}
