import Messages
import Store

extension Transaction {
    /// Says what became of a model, to the bus and to MLflow's webhooks: in the transaction of the change.
    func announce<Body: EventBody>(
        _ body: Body, about model: String, version: Int? = nil, because: Causation
    ) throws {
        let subject = version.map { "model/\(model)/\($0)" } ?? "model/\(model)"
        try publish(body, subject: subject, key: model, because: because)
        guard try hasWebhooks else { return }
        for message in try WebhookMessage.told(by: body, name: { try ModelQueries.name(of: model, db) }) {
            for webhook in try WebhookQueries.active(for: message.event, db) {
                try queue(message, to: webhook, about: model)
            }
        }
    }

    private func queue(_ message: WebhookMessage, to webhook: Webhook, about model: String) throws {
        let delivery = WebhookDelivery(
            webhook: webhook.id, model: model, event: message.event, body: try message.body(at: now))
        let id = newID()
        guard webhook.waiting < Webhook.mostWaiting else {
            let reason = "\(webhook.waiting) deliveries to it wait already"
            return try tell(notTold: webhook, of: delivery, id: id, attempts: 0, reason: reason)
        }
        try waits(deliveryTo: webhook.id)
        try intend(WebhookDelivery.kind, id: id, payload: delivery)
    }

    /// Says that a webhook was not told of something, and will not be.
    func tell(
        notTold webhook: Webhook, of delivery: WebhookDelivery, id: String, attempts: Int, reason: String
    ) throws {
        try publish(
            ModelWebhookFailed(
                webhook: webhook.id, title: webhook.name, place: webhook.place, delivery: id,
                event: delivery.event.rawValue, model: delivery.model, attempts: attempts, reason: reason),
            subject: "webhook/\(webhook.id)", key: delivery.model, because: .first(actor: "service:registry-service"))
    }
}
