import Messages
import Testing

@testable import Evaluator

@Suite struct BypassTests {
    private let with: [String: JSONValue] = ["challenger": ["run": "new"], "champion": "latest"]

    private func lost() async throws -> Judge {
        let judge = try Judge()
        try await judge.register(1, ["mse": 1.0])
        try await judge.train("new", ["mse": 2.0])
        #expect(try await judge.compare(with, item: "run/job/step/1").outcome == .notPromoted)
        return judge
    }

    @Test func `E14 a person lets a loser pass, with a reason, and it is an event`() async throws {
        let judge = try await lost()
        try await judge.tell(BypassRequested(run: "run", reason: " hotfix for the outage "), actor: "user:kim")
        let said = try await judge.said(EvaluationBypassed.self)
        #expect(said.map(\.by) == ["user:kim"])
        #expect(said.first?.reason == "hotfix for the outage")
        #expect(said.first?.step == "job/step")
        #expect(try await judge.said(EvaluationCommandAnswered.self).map(\.accepted) == [true])

        let again = try await judge.compare(with, item: "run/job/step/2")
        #expect(again.outcome == .succeeded)
        #expect(again.outputs["winner"] == "challenger")
        #expect(again.outputs["reason"] == "bypassed")
        #expect(again.outputs["bypassed"] == true)
        #expect(
            again.message?.hasPrefix("Bypassed by user:kim: hotfix for the outage. What it had lost: Current") == true)
        let decided = try await judge.said(EvaluationDecided.self)
        #expect(decided.last?.bypass?.decision == decided.first?.decision)
        #expect(decided.last?.reason == .bypassed)
    }

    @Test func `X15 a bypass is of one gate of one run, and void once another is champion`() async throws {
        let judge = try await lost()
        try await judge.tell(BypassRequested(run: "run", step: "job/step", reason: "r"), actor: "user:kim")
        #expect(try await judge.compare(with, item: "run/job/other/1").outcome == .notPromoted)
        try await judge.register(2, ["mse": 0.5])
        let late = try await judge.compare(with, item: "run/job/step/2")
        #expect(late.outcome == .notPromoted)
        #expect(late.message?.contains("user:kim's bypass is void") == true)
    }

    @Test(arguments: [
        (BypassRequested(run: "run", reason: "  "), "user:kim"),
        (BypassRequested(run: "run", reason: "r"), "service:x"),
        (BypassRequested(run: "nobody", reason: "r"), "user:kim"),
        (BypassRequested(run: "run", step: "job/won", reason: "r"), "user:kim"),
        (BypassRequested(run: "run", step: "job/nowhere", reason: "r"), "user:kim"),
    ])
    func `E14 no person, no reason or nothing lost: refused, and nothing changes`(
        _ wish: BypassRequested, _ actor: String
    ) async throws {
        let judge = try await lost()
        try await judge.train("good", ["mse": 0.1])
        _ = try await judge.compare(["challenger": ["run": "good"], "champion": "latest"], item: "run/job/won/1")
        try await judge.tell(wish, actor: actor)
        #expect(try await judge.said(EvaluationCommandAnswered.self).map(\.accepted) == [false])
        #expect(try await judge.said(EvaluationBypassed.self).isEmpty)
        #expect(try await judge.compare(with, item: "run/job/step/2").outcome == .notPromoted)
    }

    @Test func `E10 advice holds nobody up, and says everywhere that it is advice`() async throws {
        let judge = try Judge()
        try await judge.register(1, ["mse": 1.0])
        try await judge.train("new", ["mse": 2.0])
        let result = try await judge.compare(with.merging(["mode": "advisory"]) { $1 })
        #expect(result.outcome == .succeeded)
        #expect(result.outputs["winner"] == "champion")
        #expect(result.outputs["advisory"] == true)
        #expect(result.message?.hasPrefix("Advisory, nothing is held up: Current Production model") == true)
        #expect(try await judge.said(EvaluationDecided.self).map(\.advisory) == [true])
    }

    @Test func `E13 a decision is void once another holds the champion's stage`() async throws {
        let judge = try Judge()
        try await judge.declare(champion: "stage=production")
        try await judge.register(1, ["mse": 2.0])
        try await judge.stage(1, "production")
        try await judge.register(2, ["mse": 1.0])
        try await judge.register(3, ["mse": 0.5])
        let second = try await judge.compare(["challenger": 2], item: "a/j/s/1")
        let third = try await judge.compare(["challenger": 3], item: "b/j/s/1")
        // Both have won against version 1; only one of them can make use of it.
        try await judge.stage(3, "production", replaced: [StageMove(version: 1, from: "production", to: "surpassed")])
        let void = try await judge.said(EvaluationVoided.self)
        #expect(void.map(\.decision) == [try #require(second.outputs["decision"]?.string)])
        #expect(void.first?.champion == 1)
        #expect(void.first?.now == 3)
        #expect(third.outputs["winner"] == "challenger")
        try await judge.stage(3, "production")
        #expect(try await judge.said(EvaluationVoided.self).count == 1)
    }
}
