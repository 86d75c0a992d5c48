import Foundation
import GRDB
import Messages
import ServiceKit
import Store

/// A command as it was accepted.
struct AcceptedCommand: Sendable, Hashable {
    var id: String
    /// The same idempotency key came before: nothing was written this time.
    var repeated: Bool
}

extension Transaction {
    /// Writes down what a person wants, as an event; once for each idempotency key.
    ///
    /// - Parameter idempotency: the person's key, already made unique to the person.
    /// - Throws: `Refusal` 409 when the key was used for another request.
    func command<Body: EventBody>(
        _ body: Body, subject: String, key: String, by person: Person, idempotency: String?, replayOf: String? = nil
    ) throws -> AcceptedCommand {
        let request = "\(Body.name) \(try jsonText(body))"
        if let idempotency,
            let known = try Row.fetchOne(
                db.cachedStatement(sql: "SELECT id, request FROM commands WHERE idempotency = ?"),
                arguments: [idempotency])
        {
            let earlier: String = known["request"]
            guard earlier == request else { throw Refusal.usedKey }
            return AcceptedCommand(id: known["id"], repeated: true)
        }
        if let idempotency, try db.token(madeWith: idempotency) != nil { throw Refusal.usedKey }
        let event = try publish(
            body, subject: subject, key: key, because: .first(actor: person.actor), replayOf: replayOf)
        // Shown at once: whoever asks next finds what they did.
        try Projection.take(event, at: try head(), in: db)
        try db.run(
            """
            INSERT INTO commands (id, type, actor, asked, state, idempotency, request)
            VALUES (?, ?, ?, ?, 'waiting', ?, ?)
            """,
            [event.id, Body.name, person.actor, now.text, idempotency, request])
        return AcceptedCommand(id: event.id, repeated: false)
    }
}

extension Refusal {
    static let usedKey = Refusal(
        409, "this Idempotency-Key was used for another request", hint: "use a new key for each thing that you ask for")
}

extension Database {
    /// Whether a command was asked for with this key.
    func isCommand(idempotency: String) throws -> Bool {
        try Bool.fetchOne(
            self, sql: "SELECT EXISTS (SELECT 1 FROM commands WHERE idempotency = ?)", arguments: [idempotency])
            ?? false
    }

    /// Notes what became of a command; the first word stands. Events that answer no command of ours change nothing.
    func answer(
        _ command: String?, accepted: Bool, reason: String?, run: String? = nil, by envelope: Envelope
    ) throws {
        guard let command else { return }
        try self.run(
            """
            UPDATE commands SET state = ?, reason = ?, run = ?, answered = ?, answer = ?
            WHERE id = ? AND state = 'waiting'
            """,
            [accepted ? "accepted" : "refused", reason, run, envelope.time.text, envelope.id, command])
    }

    func command(_ id: String) throws -> JSONValue? {
        try one("SELECT id, type, actor, asked, state, reason, run, answered, answer FROM commands WHERE id = ?", [id])
    }
}
