import Foundation
import HTTPClient
import Messages
import ServiceKit
import Store

/// Tells webhooks what happened, again until they have taken it: at least once, always under the same id
/// (docs/decisions/0018).
struct WebhookSending: Sendable {
    private static let timeout = Duration.seconds(30)
    private static let connectTimeout = Duration.seconds(10)
    /// Bytes of an answer that are read; of those fewer are shown.
    private static let mostRead = 65_536
    private static let mostShown = 1_000

    let store: StateStore
    let secrets: WebhookSecrets
    let reach: WebhookReach
    let client = HTTPClient()
    var now: @Sendable () -> Timestamp = { Timestamp(Date()) }

    func check(_ url: String) throws(MLflowError) {
        try reach.check(url, isPublic: PublicAddress.holds(literal:))
    }

    func carryOut(_ intent: Intent) async -> EffectOutcome {
        do {
            let delivery = try intent.decode(WebhookDelivery.self)
            guard let webhook = try await store.read({ db in try WebhookQueries.webhook(delivery.webhook, db) }),
                webhook.isActive
            else { return .done { try $0.settled(deliveryTo: delivery.webhook) } }
            let attempts = intent.attempts + 1
            let answer = await send(delivery.body, id: intent.id, to: webhook)
            switch answer {
            case .taken: return .done { try $0.settled(deliveryTo: webhook.id) }
            case .refused(let reason): return Self.givenUp(intent.id, delivery, webhook, attempts, reason)
            case .later(let reason, _):
                if let wait = answer.wait(after: attempts) { return .later(reason: reason, after: wait) }
                return Self.givenUp(
                    intent.id, delivery, webhook, attempts, "given up after \(attempts) attempts: \(reason)")
            }
        } catch let error as DecodingError {
            return .never(reason: "not a delivery: \(error)") { _ in }
        } catch {
            return .later(reason: "\(error)")
        }
    }

    private static func givenUp(
        _ id: String, _ delivery: WebhookDelivery, _ webhook: Webhook, _ attempts: Int, _ reason: String
    ) -> EffectOutcome {
        .never(reason: reason) { transaction in
            try transaction.settled(deliveryTo: webhook.id)
            try transaction.tell(notTold: webhook, of: delivery, id: id, attempts: attempts, reason: reason)
        }
    }

    private func send(_ body: String, id: String, to webhook: Webhook) async -> WebhookAnswer {
        do {
            let response = try await client.send(try request(body, id: id, to: webhook))
            return WebhookAnswer(status: response.status, retryAfter: response.header("Retry-After"))
        } catch let error as HTTPClientError {
            // Whatever it was, the same id may come again: a receiver tells it by that.
            return .later(reason: error.description)
        } catch {
            return .refused(reason: "\(error)")
        }
    }

    private func request(_ body: String, id: String, to webhook: Webhook) throws -> HTTPRequest {
        let seconds = now().milliseconds / 1000
        var headers = [
            (name: "Content-Type", value: "application/json"), (name: "X-MLflow-Delivery-Id", value: id),
            (name: "X-MLflow-Timestamp", value: String(seconds)),
        ]
        if let sealed = webhook.secret {
            let secret = try secrets.open(sealed, for: webhook.id)
            let signature = WebhookSecrets.signature(of: body, delivery: id, at: seconds, with: secret)
            headers.append((name: "X-MLflow-Signature", value: signature))
        }
        return HTTPRequest(
            method: "POST", url: webhook.url, headers: headers, body: Data(body.utf8), timeout: Self.timeout,
            connectTimeout: Self.connectTimeout, maxResponseBytes: Self.mostRead, onlyPublic: reach == .public)
    }

    /// Tries a webhook out with an example, and tells what came back.
    func tryOut(_ webhook: Webhook, _ event: WebhookEvent) async -> JSONValue {
        do {
            let body = try WebhookMessage(event, event.example).body(at: now())
            let response = try await client.send(
                try request(body, id: UUID().uuidString.lowercased(), to: webhook))
            let text = String(decoding: response.body.prefix(Self.mostShown), as: UTF8.self)
            return [
                "success": .bool(response.isSuccess), "response_status": .int(response.status),
                "response_body": .string(text),
            ]
        } catch {
            return ["success": false, "error_message": .string("\(error)")]
        }
    }
}
