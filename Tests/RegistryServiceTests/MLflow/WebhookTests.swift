import Foundation
import Messages
import Store
import Testing

@testable import RegistryService

/// What MLflow's own server forgets when it dies (C-2): who is told of models, and that they are.
@Suite struct WebhookTests {
    @Test func `C-2 each change is told in its own commit, signed as MLflow signs`() async throws {
        let receiver = try await Receiver()
        let door = try await Door()
        _ = try await door.webhook(to: receiver.url)
        let tags: JSONValue = [["key": "a", "value": "b"]]
        _ = try await door.post("/registered-models/create", ["name": "churn", "tags": tags, "description": "d"])
        try await door.model("churn")
        let tag: JSONValue = ["name": "churn", "version": "1", "key": "k", "value": "v"]
        _ = try await door.post("/model-versions/set-tag", tag)
        _ = try await door.json("DELETE", "/model-versions/delete-tag", tag)
        let alias: JSONValue = ["name": "churn", "alias": "champion", "version": "1"]
        _ = try await door.post("/registered-models/alias", alias)
        _ = try await door.json("DELETE", "/registered-models/alias", alias)
        // As MLflow does it: stages tell no webhook.
        _ = try await door.post(
            "/model-versions/transition-stage", ["name": "churn", "version": "1", "stage": "Production"])
        #expect(receiver.received.isEmpty, "nothing leaves before its commit")
        #expect(try await door.deliver() == 6)
        let told = receiver.received.sorted { $0.delivery < $1.delivery }
        #expect(
            told.map(\.event) == [
                "registered_model.created", "model_version.created", "model_version_tag.set",
                "model_version_tag.deleted", "model_version_alias.created", "model_version_alias.deleted",
            ])
        #expect(told[0].json["data"] == ["name": "churn", "tags": ["a": "b"], "description": "d"])
        #expect(told[1].json["data"]?["version"] == "1")
        #expect(told[1].json["data"]?["source"]?.string?.hasPrefix("runs:/") == true)
        #expect(told[2].json["data"] == tag)
        #expect(told[5].json["data"] == ["name": "churn", "alias": "champion"])
        for one in told {
            #expect(
                one.signature
                    == WebhookSecrets.signature(of: one.body, delivery: one.delivery, at: one.seconds, with: "s3cret"))
            #expect(one.json["timestamp"]?.string?.hasSuffix("+00:00") == true)
        }
        #expect(try await door.deliver() == 0)
    }

    @Test func `what MLflow's own server has signed has the same signature here`() throws {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Fixtures/mlflow/webhook-deliveries.jsonl")
        let lines = try Data(contentsOf: file).split(separator: UInt8(ascii: "\n"))
        #expect(lines.count == 7)
        for line in lines {
            let recorded = try Wire.decode(JSONValue.self, from: Data(line))
            let headers = try #require(recorded["headers"])
            let signature = WebhookSecrets.signature(
                of: try #require(recorded["body_raw"]?.string),
                delivery: try #require(headers["X-MLflow-Delivery-Id"]?.string),
                at: try #require(headers["X-MLflow-Timestamp"]?.string.flatMap { Int64($0) }), with: "s3cret")
            #expect(signature == headers["X-MLflow-Signature"]?.string)
        }
    }

    @Test func `what a pipeline registers and tags is told like a client's`() async throws {
        let receiver = try await Receiver()
        let door = try await Door()
        _ = try await door.webhook(to: receiver.url)
        try await door.registry.declare(trunk)
        try await door.registry.versions("t1")
        _ = try await door.registry.perform("registry/tag", ["version": 1, "tags": ["area": "a"]])
        try await door.deliver()
        #expect(Set(receiver.received.map(\.event)) == ["model_version.created", "model_version_tag.set"])
        let version = receiver.received.first { $0.event == "model_version.created" }
        #expect(version?.json["data"]?["source"] == "mlflow-artifacts:/versions/churn/1")
    }

    @Test func `C-2 what was not taken comes again under the same id, also after a crash`() async throws {
        let receiver = try await Receiver(503, 200, 200)
        let door = try await Door()
        let webhook = try await door.webhook(to: receiver.url)
        _ = try await door.post("/registered-models/create", ["name": "churn"])
        #expect(try await door.waiting(webhook) == 1)
        try await door.deliver()
        // It died after the receiver had taken it, and before that was noted.
        let late = Timestamp(milliseconds: .max / 2)
        let (due, _) = try await door.registry.store.dueIntents(at: late, kinds: [WebhookDelivery.kind], limit: 2)
        _ = await door.webhooks.carryOut(try #require(due.first))
        try await door.deliver()
        #expect(receiver.received.count == 3)
        #expect(Set(receiver.received.map(\.delivery)).count == 1)
        #expect(Set(receiver.received.map(\.body)).count == 1)
        #expect(try await door.waiting(webhook) == 0)
        #expect(try await door.deliver() == 0)
    }

    @Test func `what is refused is given up with an event that says why`() async throws {
        let receiver = try await Receiver(400)
        let door = try await Door()
        let webhook = try await door.webhook(to: receiver.url)
        _ = try await door.post("/registered-models/create", ["name": "churn"])
        try await door.deliver()
        let failed = try #require(try await door.registry.said(ModelWebhookFailed.self).first)
        #expect(failed.reason == "answered 400" && failed.attempts == 1 && failed.model == "churn")
        #expect(failed.delivery == receiver.received.first?.delivery)
        #expect(!failed.place.contains("hook"), "the path of an address is nobody's business")
        #expect(try await door.waiting(webhook) == 0)
        #expect(try await door.deliver() == 0)
    }

    @Test func `nobody listens: it waits, longer each time, and for three days`() {
        let nobody = WebhookAnswer.later(reason: "refused")
        let waits = (1...WebhookAnswer.mostAttempts).map { nobody.wait(after: $0) }
        #expect(waits.last == .some(nil))
        let known = waits.compactMap { $0 }
        #expect(known.count == WebhookAnswer.mostAttempts - 1 && known == known.sorted())
        #expect(known.reduce(.zero, +) > .seconds(2 * 86_400))
        #expect(WebhookAnswer(status: 429, retryAfter: "7").wait(after: 1) == .seconds(7))
        #expect(WebhookAnswer(status: 503, retryAfter: "999999999").wait(after: 1) == .seconds(86_400))
        #expect(WebhookAnswer(status: 204, retryAfter: nil) == .taken)
        #expect(WebhookAnswer(status: 302, retryAfter: nil).wait(after: 1) == nil)
    }

    @Test func `a webhook that is switched off, changed or deleted is told nothing more`() async throws {
        let receiver = try await Receiver()
        let door = try await Door()
        let one = try await door.webhook(to: receiver.url)
        let two = try await door.webhook(to: receiver.url, [.tagSet])
        _ = try await door.post("/registered-models/create", ["name": "churn"])
        #expect(try await door.json("PATCH", "/webhooks/\(one)", ["status": "DISABLED"]).status == 200)
        _ = try await door.post("/registered-models/create", ["name": "other"])
        #expect(try await door.json("DELETE", "/webhooks/\(two)", [:]).status == 200)
        #expect(try await door.deliver() == 1)
        #expect(receiver.received.isEmpty)
        #expect(try await door.waiting(one) == 0)
        let said = try await door.registry.said(ModelWebhookChanged.self)
        #expect(said.map(\.change) == [.created, .created, .updated, .deleted])
        #expect(said.allSatisfy { !$0.place.contains("/") })
        #expect(try await door.get("/webhooks/\(two)").code == "RESOURCE_DOES_NOT_EXIST")
    }

    @Test func `a secret is never shown, and does not stand in the database`() async throws {
        let door = try await Door()
        let secret = "a-secret-of-some-length"
        let id = try await door.webhook(to: "http://127.0.0.1:1/hook", secret: secret)
        let changed = try await door.json("PATCH", "/webhooks/\(id)", ["secret": .string(secret + "2")])
        #expect(changed.status == 200)
        _ = try await door.post("/registered-models/create", ["name": "churn"])
        for path in ["/webhooks", "/webhooks/\(id)"] {
            let bytes = try await door.get(path).bytes
            #expect(!String(decoding: bytes, as: UTF8.self).contains("secret"))
        }
        try await door.registry.store.checkpoint()
        for name in try FileManager.default.contentsOfDirectory(atPath: door.registry.folder) {
            let bytes = FileManager.default.contents(atPath: door.registry.folder + "/" + name) ?? Data()
            #expect(bytes.range(of: Data(secret.utf8)) == nil, "\(name)")
        }
        let sealed = try #require(
            try await door.registry.store.read { db in try WebhookQueries.webhook(id, db)?.secret })
        #expect(try door.webhooks.secrets.open(sealed, for: id) == secret + "2")
        #expect(throws: (any Error).self) { try door.webhooks.secrets.open(sealed, for: "another") }
    }

    @Test func `without the key of its secret nothing is sent, and the way out is told`() async throws {
        let receiver = try await Receiver()
        let door = try await Door()
        _ = try await door.webhook(to: receiver.url)
        _ = try await door.post("/registered-models/create", ["name": "churn"])
        // As after a restore: the key is in no backup.
        try FileManager.default.removeItem(atPath: door.webhooks.secrets.path)
        try await door.deliver()
        #expect(receiver.received.isEmpty)
        let failed = try #require(try await door.registry.said(ModelWebhookFailed.self).first)
        #expect(failed.reason.contains("give the webhook its secret again"))
    }

    @Test func `a receiver that is away for long does not fill the disk`() async throws {
        let door = try await Door()
        let id = try await door.webhook(to: "http://127.0.0.1:1/hook")
        try await door.registry.store.write { tx in
            for _ in 0..<Webhook.mostWaiting { try tx.waits(deliveryTo: id) }
        }
        _ = try await door.post("/registered-models/create", ["name": "churn"])
        #expect(try await door.deliver() == 0)
        let failed = try #require(try await door.registry.said(ModelWebhookFailed.self).first)
        #expect(failed.reason == "10000 deliveries to it wait already" && failed.attempts == 0)
    }

    @Test func `a webhook is tried out with MLflow's own example`() async throws {
        let receiver = try await Receiver(200, 418)
        let door = try await Door()
        let id = try await door.webhook(to: receiver.url)
        let first = try await door.post("/webhooks/\(id)/test", [:]).json["result"]
        #expect(first == ["success": true, "response_status": 200, "response_body": "seen"])
        let event: JSONValue = ["event": ["entity": "MODEL_VERSION_TAG", "action": "SET"]]
        let second = try await door.post("/webhooks/\(id)/test", event).json["result"]
        #expect(second?["success"] == false && second?["response_status"] == 418)
        #expect(receiver.received.map(\.event) == ["model_version.created", "model_version_tag.set"])
        let gone = try await door.webhook(to: "http://127.0.0.1:1/hook")
        let nobody = try await door.post("/webhooks/\(gone)/test", [:]).json["result"]
        #expect(nobody?["error_message"]?.string?.contains("refused the connection") == true)
    }
}

@Suite struct WebhookAddressTests {
    @Test(arguments: [
        "http://example.com/x", "https://127.0.0.1/x", "https://localhost:5000/", "https://a.localhost/",
        "https://10.0.0.1", "https://192.168.1.1/x", "https://169.254.169.254/latest", "https://[::1]/x",
        "https://[::ffff:127.0.0.1]/x", "https://[fd00::1]/", "https://0x7f.1/", "https://2130706433/",
        "https://me:word@example.com/", "ftp://example.com/", "https:///x", "example.com", "", "https://exa mple.com/",
        "file:///etc/passwd",
    ])
    func `who registers a webhook does not reach what only this machine does`(url: String) async throws {
        let door = try await Door(reach: .public)
        let answer = try await door.post(
            "/webhooks", ["name": "w", "url": .string(url), "events": .array([WebhookEvent.tagSet.json])])
        #expect(answer.code == "INVALID_PARAMETER_VALUE", "\(answer.json)")
        #expect(try await door.get("/webhooks").json["webhooks"] == nil)
    }

    @Test func `a public address is taken, and one from before the rule was narrowed is not kept`() async throws {
        let registry = try Registry()
        let wide = try await Door(registry)
        let old = try await wide.webhook(to: "http://127.0.0.1:1/hook")
        let door = try await Door(registry, reach: .public)
        _ = try await door.webhook(to: "https://hooks.example.com/martlet?x=1")
        #expect(try await door.json("PATCH", "/webhooks/\(old)", ["name": "new"]).status == 400)
        // Nothing that was queued goes there either.
        _ = try await door.post("/registered-models/create", ["name": "churn"])
        let result = try await door.post("/webhooks/\(old)/test", [:]).json["result"]
        #expect(result?["error_message"]?.string?.contains("is this machine or in a private network") == true)
    }

    @Test(
        arguments: [
            (["name": "-a"], "webhook name"), (["name": ""], "'name'"), (["events": []], "'events'"),
            (["events": [["entity": "PROMPT", "action": "CREATED"]]], "tells of no 'PROMPT.CREATED'"),
            (["events": [["entity": "MODEL_VERSION"]]], "needs an entity and an action"), (["url": ""], "'url'"),
            (["status": "PAUSED"], "'status'"), (["secret": ""], "secret"), (["events": "all"], "'events'"),
        ] as [([String: JSONValue], String)])
    func `a wish that cannot be is told with its place, and nothing is made`(
        _ more: [String: JSONValue], _ expected: String
    ) async throws {
        let door = try await Door()
        let good: [String: JSONValue] = [
            "name": "w", "url": "http://127.0.0.1:1/h", "events": .array([WebhookEvent.tagSet.json]),
        ]
        let answer = try await door.post("/webhooks", .object(good.merging(more) { $1 }))
        #expect(answer.code == "INVALID_PARAMETER_VALUE" && answer.message.contains(expected), "\(answer.json)")
        #expect(try await door.get("/webhooks").json["webhooks"] == nil)
    }
}
