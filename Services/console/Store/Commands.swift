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
    /// - Parameters:
    ///   - idempotency: the person's key, already made unique to the person.
    ///   - written: the request as it was written, by which it is known again. Where one of the two has none, what it
    ///     came to is compared.
    /// - Throws: `Refusal` 409 when the key was used for another request.
    func command<Body: EventBody>(
        _ body: Body, subject: String, key: String, by person: Person, idempotency: String?, written: String? = nil,
        replayOf: String? = nil
    ) throws -> AcceptedCommand {
        let request = "\(Body.name) \(try jsonText(body))"
        if let idempotency,
            let known = try Row.fetchOne(
                db.cachedStatement(sql: "SELECT id, request, written FROM commands WHERE idempotency = ?"),
                arguments: [idempotency])
        {
            let earlier: String = known["request"]
            let earlierWritten: String? = known["written"]
            let isSame =
                if let written, let earlierWritten { written == earlierWritten } else { request == earlier }
            guard isSame else { throw Refusal.usedKey }
            return AcceptedCommand(id: known["id"], repeated: true)
        }
        if let idempotency, try db.token(madeWith: idempotency) != nil { throw Refusal.usedKey }
        let event = try publish(
            body, subject: subject, key: key, because: .first(actor: person.actor), replayOf: replayOf)
        // Shown at once: whoever asks next finds what they did.
        try Projection.take(event, at: try head(), in: db)
        try db.run(
            """
            INSERT INTO commands (id, type, actor, asked, state, idempotency, request, written)
            VALUES (?, ?, ?, ?, 'waiting', ?, ?, ?)
            """,
            [event.id, Body.name, person.actor, now.text, idempotency, request, written])
        return AcceptedCommand(id: event.id, repeated: false)
    }
}

extension Refusal {
    static let usedKey = Refusal(
        409, "this Idempotency-Key was used for another request", hint: "use a new key for each thing that you ask for")
}

extension Database {
    /// What was accepted with this key, where it was this request.
    func accepted(idempotency: String, written: String) throws -> AcceptedCommand? {
        try String.fetchOne(
            self, sql: "SELECT id FROM commands WHERE idempotency = ? AND written = ?",
            arguments: [idempotency, written]
        ).map { AcceptedCommand(id: $0, repeated: true) }
    }

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
