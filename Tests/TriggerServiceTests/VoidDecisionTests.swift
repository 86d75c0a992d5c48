import Messages
import Testing

@testable import TriggerService

/// People are asked because of a decision; when the evaluator takes it back they are asked no longer (E13, A8).
struct VoidDecisionTests {
    private static let extra = "environments: { prod: { approvals: { required: 1 } } }"
    private static let jobs = """
        jobs:
          evaluation:
            steps: [ { id: s, run: "1" } ]
            outputs: { version: "${{ steps.s.version }}", decision: "${{ steps.s.decision }}" }
          tell: { needs: evaluation, steps: [ { id: t, run: "1" } ] }
          deployment: { needs: evaluation, environment: prod, steps: [ { id: d, run: "1" } ] }
        """
    private static let reason = "it compared with version 1, and 'production' is now held by version 3"
    private static let words = "decision sha256:d… is void: \(reason)"

    private func evaluated() throws -> Simulation {
        var simulation = try Simulation(Self.jobs, extra: Self.extra)
        simulation.start()
        try simulation.finish("evaluation/s", outputs: ["version": 4, "decision": "sha256:d"])
        return simulation
    }

    @Test func `E13 an approval is void once the decision behind it is, also without a recheck`() throws {
        var simulation = try evaluated()
        let asked = try #require(simulation.wantedApprovals.first)
        simulation.move { $0.decisionVoided("sha256:other", reason: "x") }
        #expect(try simulation.job("deployment").phase == .approval)
        simulation.move { $0.decisionVoided("sha256:d", reason: Self.reason) }
        #expect(simulation.changes.contains(.approvalClosed(asked.id, .void, reason: Self.words)))
        #expect(try simulation.job("deployment").outcome == .notPromoted)
        #expect(try simulation.job("deployment").message == Self.words)
        // What asks nobody goes on.
        #expect(simulation.offered == ["tell/t"])
        try simulation.finish("tell/t")
        #expect(simulation.run.status.outcome == .notPromoted)
    }

    @Test func `E13 nobody is asked about a decision that was void before`() throws {
        var simulation = try Simulation(Self.jobs, extra: Self.extra)
        simulation.start()
        simulation.move { $0.decisionVoided("sha256:d", reason: Self.reason) }
        try simulation.finish("evaluation/s", outputs: ["version": 4, "decision": "sha256:d"])
        #expect(simulation.wantedApprovals.isEmpty)
        #expect(try simulation.job("deployment").outcome == .notPromoted)
    }

    @Test func `E13 to run again what was not promoted does not bring the decision back`() throws {
        var simulation = try evaluated()
        simulation.move { $0.decisionVoided("sha256:d", reason: Self.reason) }
        try simulation.finish("tell/t")
        simulation.run.retry(all: false, plan: simulation.plan)
        simulation.changes = []
        simulation.start()
        #expect(simulation.wantedApprovals.isEmpty)
        #expect(try simulation.job("deployment").message == Self.words)
    }

    @Test func `E13 the evaluator's word ends the approval, and an answer that comes later is refused`() async throws {
        let indented = Simulation.indent(Self.jobs, 4)
        let installation = try await Installation.watching(
            "martlet: 1\nproject: demo\nmodel: { name: churn }\n\(Self.extra)\npipelines:\n  ci:\n"
                + "    on: { push: { branches: [main] } }\n\(indented)\n")
        let session = try await installation.open()
        let work = try #require(try await installation.claim(session, max: 1).first)
        try await installation.complete(
            work, StepResult(.succeeded, outputs: ["version": 4, "decision": "sha256:d"]))
        let asked = try #require(try await installation.published(ApprovalRequested.self).first)
        #expect(asked.decision == "sha256:d")
        let void = EvaluationVoided(
            decision: "sha256:d", run: work.run.id, model: "churn", champion: 1, now: 3, reason: Self.reason)
        for _ in 0..<2 { try await installation.event(void, from: .evaluator, actor: "service:evaluator") }
        let ended = try await installation.published(ApprovalFinished.self)
        #expect(ended.map(\.result) == [.void])
        #expect(ended.first?.comment == Self.words)
        let late = try await installation.command(
            ApprovalAnswered(approval: asked.approval, approve: true, groups: []), by: "user:bob")
        #expect(try await installation.answer(to: late).reason == "the approval is void already")
        let told = try #require(try await installation.claim(session, max: 1).first)
        try await installation.complete(told)
        #expect(try await installation.published(RunFinished.self).map(\.outcome) == [.notPromoted])
    }

    @Test func `E13 another run's approval that names the decision is void as well`() async throws {
        let installation = try await Installation.watching(
            """
            martlet: 1
            project: demo
            model: { name: churn }
            \(Self.extra)
            pipelines:
              cd:
                on: { push: { branches: [main] } }
                jobs:
                  a: { steps: [ { id: s, run: "1" } ], outputs: { decision: "${{ steps.s.decision }}" } }
                  b: { needs: a, environment: prod, steps: [ { id: d, run: "1" } ] }
            """)
        let session = try await installation.open()
        let work = try #require(try await installation.claim(session, max: 1).first)
        try await installation.complete(work, StepResult(.succeeded, outputs: ["decision": "sha256:d"]))
        let void = EvaluationVoided(decision: "sha256:d", run: "another", model: "churn", reason: Self.reason)
        try await installation.event(void, from: .evaluator, actor: "service:evaluator")
        #expect(try await installation.published(ApprovalFinished.self).map(\.result) == [.void])
    }
}
