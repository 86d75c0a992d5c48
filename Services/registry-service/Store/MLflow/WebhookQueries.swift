import Foundation
import GRDB
import Messages
import Store

enum WebhookQueries {
    static func webhook(_ id: String, _ db: Database) throws -> Webhook? {
        try db.row("SELECT * FROM webhook WHERE id = ?", [id]).map { try webhook($0, db) }
    }

    /// - Throws: `MLflowError` when there is none.
    static func known(_ id: String, _ db: Database) throws -> Webhook {
        guard let webhook = try webhook(id, db) else { throw MLflowError.missing("Webhook with ID \(id) not found.") }
        return webhook
    }

    /// The newest first.
    static func list(page: PageToken, limit: Int, _ db: Database) throws -> (items: [JSONValue], next: PageToken) {
        let rows = try db.rows(
            "SELECT * FROM webhook ORDER BY created DESC, id LIMIT ? OFFSET ?", [limit + 1, page.offset])
        return (
            try rows.prefix(limit).map { try webhook($0, db).json },
            rows.count > limit ? .offset(page.offset + limit) : .start
        )
    }

    /// Those that want to be told of it.
    static func active(for event: WebhookEvent, _ db: Database) throws -> [Webhook] {
        try db.rows(
            """
            SELECT w.* FROM webhook_event e JOIN webhook w ON w.id = e.webhook
            WHERE e.event = ? AND w.status = 'ACTIVE' ORDER BY w.id
            """, [event.rawValue]
        ).map { try webhook($0, db) }
    }

    private static func webhook(_ row: Row, _ db: Database) throws -> Webhook {
        let events = try db.rows("SELECT event FROM webhook_event WHERE webhook = ?", [row["id"] as String])
        return Webhook(
            id: row["id"], name: row["name"], description: row["description"], url: row["url"],
            events: Set(events.compactMap { WebhookEvent(rawValue: $0["event"]) }),
            isActive: (row["status"] as String) == "ACTIVE", secret: row["secret"], waiting: row["waiting"],
            created: row["created"], updated: row["updated"])
    }
}

extension Transaction {
    /// Makes a webhook, or changes all of it but what waits for it.
    func save(_ webhook: Webhook) throws {
        try db.run(
            """
            INSERT INTO webhook (id, name, description, url, secret, status, created, updated)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET name = excluded.name, description = excluded.description,
                url = excluded.url, secret = excluded.secret, status = excluded.status, updated = excluded.updated
            """,
            [
                webhook.id, webhook.name, webhook.description, webhook.url, webhook.secret,
                webhook.isActive ? "ACTIVE" : "DISABLED", webhook.created, webhook.updated,
            ])
        try db.run("DELETE FROM webhook_event WHERE webhook = ?", [webhook.id])
        for event in webhook.events {
            try db.run("INSERT INTO webhook_event (event, webhook) VALUES (?, ?)", [event.rawValue, webhook.id])
        }
    }

    /// What is on its way to it finds nobody to be sent to.
    func delete(webhook id: String) throws {
        try db.run("DELETE FROM webhook_event WHERE webhook = ?", [id])
        try db.run("DELETE FROM webhook WHERE id = ?", [id])
    }

    /// A delivery was taken, given up, or has nobody to go to.
    func settled(deliveryTo webhook: String) throws {
        try db.run("UPDATE webhook SET waiting = waiting - 1 WHERE id = ? AND waiting > 0", [webhook])
    }

    func waits(deliveryTo webhook: String) throws {
        try db.run("UPDATE webhook SET waiting = waiting + 1 WHERE id = ?", [webhook])
    }

    /// `false` where nobody could want to be told of anything: most installations have no webhooks.
    var hasWebhooks: Bool { get throws { try db.has("SELECT 1 FROM webhook_event LIMIT 1") } }
}
