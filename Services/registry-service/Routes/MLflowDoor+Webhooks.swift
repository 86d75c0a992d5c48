import Foundation
import GRDB
import Hummingbird
import Messages
import Store

extension MLflowDoor {
    /// Whoever may decide about models may have others told of them, and see where to.
    func addWebhooks(_ routes: MLflowRoutes) {
        routes.post("/webhooks", .deciding) { call in
            let id = UUID().uuidString.lowercased()
            var wish = Webhook(
                id: id, name: try call.required("name"), url: try call.required("url"), events: [], isActive: true,
                waiting: 0, created: 0, updated: 0)
            guard !(try call.list("events").isEmpty) else { throw MLflowCall.lacks("events") }
            try change(&wish, as: call)
            let (webhook, caller) = (wish, call.caller)
            return try await create(call, "webhook") { tx in
                var webhook = webhook
                webhook.created = tx.now.milliseconds
                return try Self.save(webhook, .created, caller, tx)
            }
        }
        routes.get("/webhooks", .deciding) { call in
            let (page, limit) = (try call.page(), try call.limit(default: 100, most: 1_000))
            return try await read { db in
                let found = try WebhookQueries.list(page: page, limit: limit, db)
                return Self.page("webhooks", found.items, found.next)
            }
        }
        routes.get("/webhooks/{webhook_id}", .deciding) { call in
            let id = try call.part("webhook_id")
            return try await read { db in ["webhook": try WebhookQueries.known(id, db).json] }
        }
        routes.patch("/webhooks/{webhook_id}", .deciding) { call in
            let (id, caller) = (try call.part("webhook_id"), call.caller)
            return try await write { tx in
                var webhook = try WebhookQueries.known(id, tx.db)
                try change(&webhook, as: call)
                return try Self.save(webhook, .updated, caller, tx)
            }
        }
        routes.delete("/webhooks/{webhook_id}", .deciding) { call in
            let (id, caller) = (try call.part("webhook_id"), call.caller)
            return try await write { tx in
                let webhook = try WebhookQueries.known(id, tx.db)
                try tx.delete(webhook: id)
                try Self.say(webhook, .deleted, caller, tx)
                return Self.done
            }
        }
        routes.post("/webhooks/{webhook_id}/test", .deciding) { call in
            let id = try call.part("webhook_id")
            let asked = try call.object("event").map { try WebhookEvent($0) }
            let webhook = try await store.read { db in try WebhookQueries.known(id, db) }
            guard let event = asked ?? webhook.sortedEvents.first else { throw MLflowCall.lacks("event") }
            return try Self.reply(["result": await webhooks.tryOut(webhook, event)])
        }
    }

    /// Takes over what a request says; what it does not say stays.
    private func change(_ webhook: inout Webhook, as call: MLflowCall) throws {
        if let name = try call.text("name") { webhook.name = name }
        try Webhook.checkName(webhook.name)
        if let description = try Self.description(call) { webhook.description = description }
        if let url = try call.text("url") { webhook.url = url }
        // Also one from before the operator narrowed where webhooks may go.
        try webhooks.check(webhook.url)
        let events = try call.list("events").map { try WebhookEvent($0) }
        if !events.isEmpty { webhook.events = Set(events) }
        if let secret = try call.text("secret") {
            try Webhook.checkSecret(secret)
            webhook.secret = try webhooks.secrets.seal(secret, for: webhook.id)
        }
        if let status = try call.text("status") {
            guard ["ACTIVE", "DISABLED"].contains(status) else { throw MLflowCall.invalid(.string(status), "status") }
            webhook.isActive = status == "ACTIVE"
        }
    }

    private static func save(
        _ changed: Webhook, _ change: ModelWebhookChanged.Change, _ caller: Caller, _ tx: Transaction
    ) throws -> JSONValue {
        var webhook = changed
        webhook.updated = tx.now.milliseconds
        try tx.save(webhook)
        try say(webhook, change, caller, tx)
        return ["webhook": webhook.json]
    }

    private static func say(
        _ webhook: Webhook, _ change: ModelWebhookChanged.Change, _ caller: Caller, _ tx: Transaction
    ) throws {
        try tx.publish(
            ModelWebhookChanged(
                webhook: webhook.id, title: webhook.name, place: webhook.place,
                events: webhook.sortedEvents.map(\.rawValue), isActive: webhook.isActive, change: change),
            subject: "webhook/\(webhook.id)", key: "webhook/\(webhook.id)", because: .first(actor: caller.actor.name))
    }
}
