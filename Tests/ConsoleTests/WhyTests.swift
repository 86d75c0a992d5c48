import Messages
import ServiceKit
import Store
import Testing

@testable import Console

struct WhyTests {
    private func story(_ about: String, _ chronicle: Chronicle) async throws -> [String] {
        let answer = try await chronicle.store.read { db in try WhyQueries.answer(about, db) }
        return (answer["lines"]?.array ?? []).map { line in
            "\(line["onPath"] == true ? "*" : " ") \(line["text"]?.string ?? "") [\(line["actor"]?.string ?? "")]"
        }
    }

    @Test func `P7 C-19 why is this version in production, from the commit to the endpoint with numbers and names`()
        async throws
    {
        let chronicle = try Chronicle()
        try await chronicle.pushToProduction()
        let expected = [
            "* Kim <kim@acme.org> pushed c0ffee1 to main of churn: Better alpha [user:Kim]",
            "* train of churn starts: push to main [user:Kim]",
            "* run #1 of churn/train at c0ffee1: push to main [user:Kim]",
            "  training succeeded in 2.5 s: mse 3000.5 [user:Kim]",
            "* mse of the challenger is 3000.5, of version 1 3200.25: the challenger wins (better) [user:Kim]",
            "* churn version 2 registered: mse 3000.5 [user:Kim]",
            "* production waits for 1 approval(s) of version 2 [user:Kim]",
            "  user:Lee agreed (1 of 1): “fine” [user:Lee]",
            "  approval for production granted by user:Lee: “fine” [user:Lee]",
            "* churn version 2 went from no stage to production; version 1 became surpassed: approved [user:Kim]",
            "  deployment of churn version 2 to api succeeded at http://127.0.0.1:8090/endpoints/api/score [user:Kim]",
            "  api serves version 2 of churn (serving) at http://127.0.0.1:8090/endpoints/api/ [user:Kim]",
            "  run #1 succeeded after 12.3 s [user:Kim]",
        ]
        #expect(try await story("churn/production", chronicle) == expected)
        #expect(try await story("churn/2", chronicle) == expected)
    }

    @Test func `a version that got its stage back is explained by how it won it`() async throws {
        let chronicle = try Chronicle()
        try await chronicle.pushToProduction()
        let before = try await story("churn/2", chronicle)
        let failed = try await chronicle.say(
            ModelStageChanged(
                model: "churn", version: 3, to: "production",
                replaced: [StageMove(version: 2, from: "production", to: "surpassed")], reason: "better", run: "run-2"),
            id: "moved-3", actor: "user:Kim", key: "churn")
        try await chronicle.say(
            ModelStageChanged(
                model: "churn", version: 3, from: "production",
                replaced: [StageMove(version: 2, from: "surpassed", to: "production")], reason: "smoke test failed",
                run: "run-2", compensates: "moved-3"),
            id: "back", because: failed, key: "churn")
        #expect(try await story("churn/production", chronicle) == before)
    }

    @Test func `P6 who was told is a line for each recipient`() async throws {
        let chronicle = try Chronicle()
        try await chronicle.pushToProduction()
        let finished = try #require(try await chronicle.store.read { db in try EventQueries.event("finished", db) })
        let moved = try #require(try await chronicle.store.read { db in try EventQueries.event("moved", db) })
        for (number, event) in [moved, finished].enumerated() {
            try await chronicle.say(
                NotificationSent(notification: "n-\(number)", event: event.id, recipient: "slack:HOOK", attempts: 1),
                id: "told-\(number)", because: event)
        }
        #expect(try await story("churn/2", chronicle).last == "  slack:HOOK was told (2 messages) [user:Kim]")
    }

    @Test(arguments: ["finished", "run-1/train/tell/1"])
    func `why of a message is why of what it tells, an event or a step's own words`(told: String) async throws {
        let chronicle = try Chronicle()
        try await chronicle.pushToProduction()
        let finished = try #require(try await chronicle.store.read { db in try EventQueries.event("finished", db) })
        try await chronicle.say(
            NotificationSent(notification: "n-1", event: told, recipient: "file:all.jsonl", attempts: 1), id: "told-1",
            because: finished)
        let lines = try await story("n-1", chronicle)
        #expect(lines.first?.contains("pushed c0ffee1") == true)
        #expect(lines.contains("* run #1 succeeded after 12.3 s [user:Kim]"))
        let answer = try await chronicle.store.read { db in try WhyQueries.answer("n-1", db) }
        #expect(answer["about"]?["message"] == "n-1")
    }

    @Test func `the numbers of a decision can be read by programs`() async throws {
        let chronicle = try Chronicle()
        try await chronicle.pushToProduction()
        let answer = try await chronicle.store.read { db in try WhyQueries.answer("decided", db) }
        let last = answer["lines"]?.array?.first { $0["event"] == "decided" }
        #expect(last?["numbers"] == ["challenger": 3000.5, "champion": 3200.25])
        #expect(answer["complete"] == true)
        #expect(answer["about"]?["kind"] == "event")
    }

    @Test func `why of a run ends with how it ended`() async throws {
        let chronicle = try Chronicle()
        try await chronicle.pushToProduction()
        let lines = try await story("train#1", chronicle)
        #expect(lines.first?.contains("pushed c0ffee1") == true)
        #expect(lines.last == "* run #1 succeeded after 12.3 s [user:Kim]")
    }

    @Test func `a chain whose beginning was forgotten says so`() async throws {
        let chronicle = try Chronicle()
        try await chronicle.pushToProduction()
        try await chronicle.store.write { try Projection.forget(keeping: 5, in: $0.db) }
        let answer = try await chronicle.store.read { db in try WhyQueries.answer("finished", db) }
        #expect(answer["complete"] == false)
    }

    @Test func `why of an unknown version names the way out`() async throws {
        let chronicle = try Chronicle()
        try await chronicle.pushToProduction()
        await #expect(throws: Refusal(404, "no model 'chrun'", hint: "did you mean 'churn'?")) {
            _ = try await chronicle.store.read { db in try WhyQueries.answer("chrun/2", db) }
        }
    }

    @Test func `an event that is not known by name is told by its subject`() throws {
        let envelope = Envelope(
            id: "x", source: "/acme", type: "com.acme.data.arrived", subject: "table/1",
            time: Timestamp(milliseconds: 0),
            partitionkey: "k", causation: .first(actor: "service:acme"), data: [:])
        #expect(try Narration.sentence(envelope).text == "com.acme.data.arrived of table/1")
    }
}
