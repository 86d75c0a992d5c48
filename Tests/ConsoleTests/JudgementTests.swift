import EventLog
import GRDB
import Messages
import ServiceKit
import Store
import Testing

@testable import Console

/// Gates, bypasses and histories as people see them.
struct JudgementTests {
    private func change(_ version: Int, after mark: HistoryMark, id: String, at time: Timestamp) throws
        -> ModelStageChanged
    {
        var change = ModelStageChanged(model: "churn", version: version, to: "production", replaced: [], reason: "r")
        let moves = HistoryMove.moves(of: change, event: id, actor: "user:kim", time: time)
        change.history = try HistoryChain.mark(after: mark, of: moves)
        return change
    }

    private func history(_ chronicle: Chronicle) async throws -> HistoryMark {
        var mark = HistoryChain.start
        for version in 1...3 {
            let body = try change(version, after: mark, id: "m\(version)", at: chronicle.now)
            mark = try #require(body.history)
            try await chronicle.say(body, id: "m\(version)", actor: "user:kim", key: "churn")
        }
        return mark
    }

    @Test func `C-3 the console's copy is held to the chain, and to what the registry came to`() async throws {
        let chronicle = try Chronicle()
        let mark = try await history(chronicle)
        let told = try await chronicle.store.read { db in try HistoryQueries.told("churn", db) }
        #expect(told.problem == nil)
        #expect(told.last == mark)
    }

    @Test func `C-3 an altered event shows, and so does a registry that tells another history`() async throws {
        let chronicle = try Chronicle()
        let mark = try await history(chronicle)
        try await chronicle.store.write { tx in
            try tx.db.execute(
                sql: """
                    UPDATE events SET body = CAST(replace(CAST(body AS TEXT), 'user:kim', 'user:eve') AS BLOB) WHERE id = 'm2'
                    """)
        }
        let told = try await chronicle.store.read { db in try HistoryQueries.told("churn", db) }
        #expect(told.problem?.hasPrefix("event m2 of ") == true)

        let other = try Chronicle()
        _ = try await history(other)
        let asked = try await other.say(
            HistoryCheckRequested(model: "churn"), id: "asked", actor: "user:kim", key: "churn")
        try await other.store.write { tx in
            try tx.db.execute(
                sql: """
                    INSERT INTO commands (id, type, actor, asked, state, request)
                    VALUES ('asked', 'command.history_check_requested', 'user:kim', 'now', 'waiting', '')
                    """)
        }
        try await other.say(
            ModelHistoryChecked(
                model: "churn", intact: true, history: HistoryMark(moves: 3, chain: String(repeating: "0", count: 64)),
                command: asked.id),
            id: "checked", because: asked, key: "churn")
        let answer = try await other.one("SELECT state, reason FROM commands")
        #expect(answer?["state"] == "refused")
        #expect(answer?["reason"] == "the registry's history is not the one that it told the console")
        #expect(mark.moves == 3)
    }

    @Test func `E14 a bypass is asked for by approvers, with a reason`() async throws {
        try await Desk.open { desk in
            try await desk.chronicle.pushToProduction()
            let path = "/api/v1/runs/run-1/bypass"
            let operatorToken = try await desk.newToken("operator")
            #expect(try await desk.ask("POST", path, ["reason": "r"], token: operatorToken).status == 403)
            #expect(try await desk.ask("POST", path, ["reason": "  "]).status == 400)
            #expect(try await desk.ask("POST", path).status == 400)
            #expect(try await desk.ask("POST", path, ["reason": "r", "step": "train/judge"]).status == 202)
            #expect(try await desk.ask("POST", "/api/v1/runs/nobody/bypass", ["reason": "r"]).status == 404)
        }
    }

    @Test func `E12 a decision shows its gates, its advice, its bypass, and that it is void`() async throws {
        let chronicle = try Chronicle()
        try await chronicle.pushToProduction()
        try await chronicle.say(
            EvaluationDecided(
                decision: "sha256:e", run: "run-1", step: "train/judge", model: "churn", winner: .challenger, rule: [:],
                metric: "auc", challenger: EvaluatedCandidate(version: 3, trainingRun: nil, value: 0.5),
                champion: nil, reason: .bypassed, message: "m",
                gates: [EvaluatedGate(kind: "significance", name: "mcnemar", passed: false, message: "g", pvalue: 0.3)],
                bypass: GateBypass(by: "user:kim", reason: "outage", decision: "sha256:d")),
            id: "bypassed")
        try await chronicle.say(
            EvaluationVoided(decision: "sha256:e", run: "run-1", model: "churn", reason: "another is champion"),
            id: "void")
        let run = try #require(try await chronicle.store.read { db in try RunQueries.show("run-1", db) })
        let decision = try #require(run["decisions"]?.array?.last)
        #expect(decision["gates"]?[0]?["pvalue"]?.double == 0.3)
        #expect(decision["advisory"] == false)
        #expect(decision["bypass"]?["by"] == "user:kim")
        #expect(decision["voided"] == "another is champion")
    }
}
