import Foundation
import GRDB
import Messages
import Store

extension Transaction {
    /// - Returns: whether it is new: a repeated event, or a second rule for the same recipient, adds nothing.
    func add(_ delivery: Delivery) throws -> Bool {
        try db.cachedStatement(
            sql: """
                INSERT INTO delivery (id, event, recipient_key, recipient, notice, type, project, causation, state, time)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (event, recipient_key) DO NOTHING
                """
        ).execute(arguments: [
            delivery.id, delivery.event, delivery.recipient.key, try Wire.encode(delivery.recipient),
            try Wire.encode(delivery.notice), delivery.type, delivery.project, try Wire.encode(delivery.causation),
            delivery.state.rawValue, now.milliseconds,
        ])
        return db.changesCount > 0
    }

    /// Deliveries that ended 90 days ago: no event that old is told again.
    func forgetOldDeliveries() throws {
        let horizon = now.milliseconds - 90 * 24 * 3_600_000
        try db.cachedStatement(
            sql: """
                DELETE FROM delivery WHERE rowid IN (
                    SELECT rowid FROM delivery WHERE state IN ('sent', 'failed') AND time < ? LIMIT 500)
                """
        ).execute(arguments: [horizon])
    }

    func delivery(_ id: String) throws -> Delivery? {
        guard
            let row = try Row.fetchOne(db.cachedStatement(sql: "SELECT * FROM delivery WHERE id = ?"), arguments: [id])
        else {
            return nil
        }
        guard let state = Delivery.State(rawValue: row["state"]) else { return nil }
        return Delivery(
            id: row["id"], event: row["event"], recipient: try Wire.decode(Recipient.self, from: row["recipient"]),
            notice: try Wire.decode(Notice.self, from: row["notice"]), type: row["type"], project: row["project"],
            causation: try Wire.decode(Causation.self, from: row["causation"]), state: state,
            attempts: row["attempts"])
    }

    /// The state before is part of the condition: two that act on one delivery cannot both win.
    func move(_ delivery: Delivery, to state: Delivery.State, reason: String? = nil) throws {
        let attempts = delivery.attempts + (delivery.state == .waiting && state == .sending ? 1 : 0)
        try db.cachedStatement(
            sql: "UPDATE delivery SET state = ?, attempts = ?, reason = ? WHERE id = ? AND state = ?"
        ).execute(arguments: [state.rawValue, attempts, reason, delivery.id, delivery.state.rawValue])
        guard db.changesCount == 1 else {
            throw DeliveryConflict(delivery: delivery.id, expected: delivery.state)
        }
    }
}

/// A delivery was moved by somebody else in between.
struct DeliveryConflict: Error, CustomStringConvertible {
    var delivery: String
    var expected: Delivery.State

    var description: String { "delivery \(delivery) is no longer \(expected.rawValue)" }
}
