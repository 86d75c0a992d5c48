import Foundation
import GRDB
import Messages
import ServiceKit
import Store
import Testing

@testable import Notifier

struct DeliveryTests {
    @Test func `a message is sent and said to be sent`() async throws {
        let server = try WebhookServer(["200"])
        let desk = try await failedRun(server)
        try await desk.carryOut()
        #expect(try await desk.deliveries().map(\.state) == [.sent])
        #expect(try await desk.published(NotificationSent.self).map(\.recipient) == ["slack:HOOK"])
        #expect(try server.requests().count == 1)
        try await desk.carryOut()
        #expect(try server.requests().count == 1)
    }

    @Test func `a request is one that Slack documents`() async throws {
        let server = try WebhookServer(["200"])
        let desk = try await failedRun(server)
        try await desk.carryOut()
        let sent = try #require(try server.requests().first)
        let recorded = try #require(try SlackFixtures.recordedCalls().first)
        #expect(sent.method == recorded.method)
        #expect(sent.contentType.replacing(" ", with: "") == recorded.contentType)
        let documented = try SlackFixtures.messageParameters()
        let members = try #require(sent.body.object)
        #expect(members.keys.allSatisfy { documented[$0] != nil })
        #expect(documented["text"] == "string")
        #expect(members["text"]?.string?.contains("diabetes train #2 failed") == true)
    }

    @Test func `a server in trouble is tried again with growing waits, five times at most`() async throws {
        let server = try WebhookServer(["500", "503", "500", "502", "500", "200"])
        let desk = try await failedRun(server)
        var waits: [Duration?] = []
        for _ in 1...5 {
            let intent = try #require(try await desk.intents().first)
            if case .later(_, let after) = try await desk.carryOut(intent) { waits.append(after) }
        }
        #expect(waits == [.seconds(1), .seconds(5), .seconds(30), .seconds(120)])
        #expect(try await desk.intents().isEmpty)
        let failed = try await desk.published(NotificationFailed.self)
        #expect(failed.map(\.attempts) == [5])
        #expect(failed.first?.reason.contains("answered 500") == true)
    }

    @Test func `Slack's Retry-After is honoured`() async throws {
        let server = try WebhookServer(["429:17", "200"])
        let desk = try await failedRun(server)
        let intent = try #require(try await desk.intents().first)
        guard case .later(_, let after) = try await desk.carryOut(intent) else {
            Issue.record("a 429 is no reason to give up")
            return
        }
        #expect(after == .seconds(17))
        try await desk.carryOut()
        #expect(try await desk.deliveries().map(\.state) == [.sent])
    }

    @Test func `a refusal is final`() async throws {
        let server = try WebhookServer(["404"])
        let desk = try await failedRun(server)
        try await desk.carryOut()
        #expect(try await desk.published(NotificationFailed.self).map(\.attempts) == [1])
        #expect(try await desk.intents().isEmpty)
    }

    @Test func `a message cut off by a crash is not sent a second time`() async throws {
        let server = try WebhookServer(["200"])
        let desk = try await failedRun(server)
        try await desk.store.write { transaction in
            let id = try #require(try String.fetchOne(transaction.db, sql: "SELECT id FROM delivery"))
            let delivery = try #require(try transaction.delivery(id))
            try transaction.move(delivery, to: .sending)
        }
        try await desk.carryOut()
        #expect(try server.requests().isEmpty)
        let failed = try await desk.published(NotificationFailed.self)
        #expect(failed.first?.reason.contains("may have arrived") == true)
    }

    @Test func `an answer that never came is not asked for again`() async throws {
        let server = try WebhookServer(["close"])
        let desk = try await failedRun(server)
        try await desk.carryOut()
        #expect(try await desk.published(NotificationFailed.self).count == 1)
        #expect(try server.requests().count == 1)
    }

    @Test func `nobody listening and no secret are waited for`() async throws {
        let desk = try Desk(secrets: ["HOOK": "http://127.0.0.1:9/hook"])
        try await desk.prepare([slackRule(["run.failed"]), slackRule(["run.failed"], secret: "MISSING")])
        try await desk.hear(event(runFinished(.failed)))
        try await desk.carryOut()
        #expect(try await desk.deliveries().map(\.state) == [.waiting, .waiting])
        #expect(try await desk.intents().count == 2)
    }

    @Test func `a channel that is not served is said, not passed over`() async throws {
        let desk = try Desk()
        try await desk.prepare([NotificationRule(when: ["run.failed"], use: "teams", secret: "T", channel: nil)])
        try await desk.hear(event(runFinished(.failed)))
        try await desk.carryOut()
        #expect(try await desk.published(NotificationFailed.self).first?.recipient == "teams")
    }

    private func failedRun(_ server: WebhookServer) async throws -> Desk {
        let desk = try Desk(secrets: ["HOOK": server.url])
        try await desk.prepare([slackRule(["run.failed"])])
        try await desk.hear(event(runFinished(.failed, message: "exit code 1")))
        return desk
    }
}
