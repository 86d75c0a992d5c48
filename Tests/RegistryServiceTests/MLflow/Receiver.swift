import Foundation
import HTTPTypes
import Hummingbird
import Messages
import NIOCore
import ServiceKit
import Serving
import Store
import Synchronization

@testable import RegistryService

/// An address that webhooks are sent to: answers as told, and keeps what came.
final class Receiver: Sendable {
    struct Received: Sendable, Hashable {
        var delivery: String
        var seconds: Int64
        var signature: String?
        var body: String

        var json: JSONValue { (try? Wire.decode(JSONValue.self, from: Data(body.utf8))) ?? .null }
        var event: String { "\(json["entity"]?.string ?? "").\(json["action"]?.string ?? "")" }
    }

    private struct State {
        var answers: [Int] = []
        var received: [Received] = []
    }

    let url: String
    private let state: Shared
    private let server: Task<Void, any Error>

    private final class Shared: Sendable {
        let held = Mutex(State())
    }

    /// - Parameter answers: statuses in their order, then 200.
    init(_ answers: Int...) async throws {
        let state = Shared()
        state.held.withLock { $0.answers = answers }
        self.state = state
        let (server, port) = try await serve { router in
            router.post("/hook") { request, _ in
                func header(_ name: String) -> String? { HTTPField.Name(name).flatMap { request.headers[$0] } }
                let body = try await request.body.collect(upTo: 1 << 20)
                let one = Received(
                    delivery: header("X-MLflow-Delivery-Id") ?? "",
                    seconds: header("X-MLflow-Timestamp").flatMap { Int64($0) } ?? 0,
                    signature: header("X-MLflow-Signature"), body: String(buffer: body))
                let status = state.held.withLock { held in
                    held.received.append(one)
                    return held.answers.isEmpty ? 200 : held.answers.removeFirst()
                }
                return Response(status: .init(code: status), body: .init(byteBuffer: ByteBuffer(string: "seen")))
            }
        }
        self.server = server
        url = "http://127.0.0.1:\(port)/hook"
    }

    deinit { server.cancel() }

    var received: [Received] { state.held.withLock { $0.received } }
}

extension Door {
    /// Carries out the deliveries that wait, each once, as the effects of a service are; whatever their time.
    @discardableResult
    func deliver() async throws -> Int {
        let late = Timestamp(milliseconds: .max / 2)
        let (due, _) = try await registry.store.dueIntents(at: late, kinds: [WebhookDelivery.kind], limit: 1_000)
        for intent in due {
            let outcome = await webhooks.carryOut(intent)
            try await registry.store.write { tx in
                switch outcome {
                case .done(let commit), .never(_, let commit):
                    try tx.dropIntent(intent.kind, id: intent.id)
                    try commit(tx)
                case .later(let reason, let wait):
                    let due = tx.now.advanced(by: wait ?? .seconds(1))
                    try tx.postpone(intent, until: due, reason: reason)
                }
            }
        }
        return due.count
    }

    /// A webhook for these events, all of them unless some are named.
    func webhook(
        to url: String, _ events: [WebhookEvent] = WebhookEvent.allCases, secret: String? = "s3cret"
    ) async throws -> String {
        var body: [String: JSONValue] = [
            "name": "wh", "url": .string(url), "events": .array(events.map(\.json)),
        ]
        if let secret { body["secret"] = .string(secret) }
        let answer = try await post("/webhooks", .object(body))
        guard let id = answer.json["webhook"]?["webhook_id"]?.string else { throw Refusal(answer.message) }
        return id
    }

    func waiting(_ webhook: String) async throws -> Int? {
        try await registry.store.read { db in try WebhookQueries.webhook(webhook, db)?.waiting }
    }
}
