import GRDB
import Messages
import Store
import Testing

@testable import RegistryService

@Suite struct StageStoreTests {
    private func deployed(_ outcome: Outcome, id: String = "d1", run: String = "r2") -> DeploymentFinished {
        DeploymentFinished(
            deployment: id, endpoint: "api", target: "api", model: "churn", version: 2, run: run, outcome: outcome,
            message: "smoke test failed")
    }

    private func promoted() async throws -> Registry {
        let registry = try Registry()
        try await registry.declare(trunk)
        try await registry.versions("t1", "t2")
        _ = try await registry.move(1, to: "production", run: "r1")
        _ = try await registry.move(2, to: "production", run: "r2")
        return registry
    }

    @Test func `X6 demotion and promotion are one event and one commit`() async throws {
        let registry = try await promoted()
        #expect(try await registry.stages() == [1: "surpassed", 2: "production"])
        let event = try #require(try await registry.said(ModelStageChanged.self).last)
        #expect(event.replaced == [StageMove(version: 1, from: "production", to: "surpassed")])
        #expect(event.run == "r2")
        #expect(event.reason == "model-cd #7, step step")
    }

    @Test func `G4 three promotions through two stages for one leave one holder in each`() async throws {
        let registry = try Registry()
        try await registry.declare(
            StageMachine(
                preset: "own", tag: "stage",
                states: [
                    "production": StageRule(many: false, replacedBecomes: "previous"),
                    "previous": StageRule(many: false, replacedBecomes: "retired"), "retired": StageRule(many: true),
                ]))
        try await registry.versions("t1", "t2", "t3")
        for version in 1...3 { #expect(try await registry.move(version, to: "production").outcome == .succeeded) }
        #expect(try await registry.stages() == [1: "retired", 2: "previous", 3: "production"])
    }

    @Test func `S0-18 the same transition after a crash says nothing twice`() async throws {
        let registry = try await promoted()
        let again = try await registry.move(2, to: "production", run: "r2")
        #expect(again.outcome == .succeeded)
        #expect(again.outputs["stage"] == "production")
        #expect(try await registry.said(ModelStageChanged.self).count == 2)
    }

    @Test func `G7 the same transition with what it expected succeeds again for its run, and for no other`()
        async throws
    {
        let registry = try Registry()
        try await registry.declare(trunk)
        try await registry.versions("t1", "t2")
        _ = try await registry.move(1, to: "production", run: "r1")
        let wish: JSONValue = ["version": 2, "to": "production", "expect": "none", "expect_holder": 1]
        for _ in 1...2 {
            let moved = try await registry.perform("registry/transition", wish, run: "r2")
            #expect(moved.outcome == .succeeded && moved.outputs["stage"] == "production")
        }
        #expect(try await registry.said(ModelStageChanged.self).count == 2)
        let late = try await registry.perform("registry/transition", wish, run: "r3")
        #expect(late.outcome == .failed)
        #expect(late.message?.contains("it changed meanwhile") == true, "\(late.message ?? "")")
        #expect(try await registry.said(ModelTransitionRefused.self).last?.run == "r3")
        #expect(try await registry.stages() == [1: "surpassed", 2: "production"])
    }

    @Test func `G7 a person's stale wish is refused though somebody else has brought it about`() async throws {
        let registry = try Registry()
        try await registry.declare(trunk)
        try await registry.versions("t1")
        let wish = TransitionRequested(model: "churn", version: "1", to: "staged", expect: "none", groups: [])
        for person in ["user:kim", "user:kim", "user:ada"] { try await registry.tell(wish, actor: person) }
        #expect(try await registry.said(ModelCommandAnswered.self).map(\.accepted) == [true, true, false])
        #expect(try await registry.said(ModelStageChanged.self).count == 1)
    }

    @Test func `S0-19 a refused step fails with the reason and an event`() async throws {
        let registry = try Registry()
        try await registry.declare(
            StageMachine(
                preset: "mlflow", tag: "stage",
                states: ["Production": StageRule(many: true, setBy: ["pipeline:model-ci"])]))
        try await registry.versions("t1")
        let result = try await registry.move(1, to: "Production", pipeline: "other")
        #expect(result.outcome == .failed)
        #expect(result.message?.contains("only pipeline:model-ci may") == true)
        #expect(try await registry.said(ModelTransitionRefused.self).first?.reason == result.message)
        #expect(try await registry.move(1, to: "Production", pipeline: "model-ci").outcome == .succeeded)
    }

    @Test func `S0-19 a person's command is refused with an event that says why, and answered`() async throws {
        let registry = try Registry()
        try await registry.declare(
            StageMachine(
                preset: "mlflow", tag: "stage",
                states: [
                    "Staging": StageRule(many: true, setBy: ["user"]),
                    "Production": StageRule(many: true, setBy: ["pipeline:model-ci"]),
                ]))
        try await registry.versions("t1")
        let wish = TransitionRequested(model: "churn", version: "latest", to: "Production", groups: [])
        let command = try await registry.tell(wish, actor: "user:ada")
        let refused = try #require(try await registry.said(ModelTransitionRefused.self).first)
        #expect(refused.command == command.id)
        #expect(refused.reason.contains("user:ada may not set stage 'Production'"))
        #expect(
            try await registry.said(ModelCommandAnswered.self)
                == [ModelCommandAnswered(command: command.id, accepted: false, reason: refused.reason)])

        // S0-12: nominating is a person's right.
        try await registry.tell(
            TransitionRequested(model: "churn", version: "1", to: "Staging", groups: []), actor: "user:ada")
        #expect(try await registry.stages() == [1: "Staging"])
        #expect(try await registry.said(ModelCommandAnswered.self).last?.accepted == true)
        #expect(try await registry.envelopes().last?.actor == "user:ada")
    }

    @Test func `X8 a failed deployment restores both stages in one step and says what it takes back`() async throws {
        let registry = try await promoted()
        try await registry.tell(deployed(.failed))
        #expect(try await registry.stages() == [1: "production"])
        let change = try #require(
            try await registry.envelopes().last { $0.type == ModelStageChanged.eventType })
        let body = try #require(try change.body(ModelStageChanged.self))
        #expect(body.compensates != nil)
        #expect(body.reason == "taken back: smoke test failed")
        #expect(body.replaced == [StageMove(version: 1, from: "surpassed", to: "production")])
    }

    @Test func `X8 failure and rollback of one deployment take back once`() async throws {
        let registry = try await promoted()
        try await registry.tell(deployed(.succeeded))
        #expect(try await registry.stages()[2] == "production")
        let back = DeploymentRolledBack(
            deployment: "d1", endpoint: "api", target: "api", model: "churn", version: 2, restored: 1, run: "r2",
            reason: "smoke test failed")
        try await registry.tell(back)
        try await registry.tell(back)
        try await registry.tell(deployed(.failed))
        #expect(try await registry.stages() == [1: "production"])
        #expect(try await registry.said(ModelStageChanged.self).count == 3)
    }

    @Test func `X8 another run's failure takes nothing back`() async throws {
        let registry = try await promoted()
        try await registry.tell(deployed(.failed, run: "r9"))
        #expect(try await registry.stages() == [1: "surpassed", 2: "production"])
    }

    @Test func `X8 what a standing deployment of the same run stands for is kept`() async throws {
        let registry = try Registry()
        try await registry.declare(mlflow)
        try await registry.versions("t1", "t2")
        _ = try await registry.move(2, to: "Staging", run: "r2")
        try await registry.tell(deployed(.succeeded, id: "qa"))
        _ = try await registry.move(2, to: "Production", run: "r2")
        try await registry.tell(deployed(.failed, id: "prod"))
        #expect(try await registry.stages() == [2: "Staging"])
    }

    @Test func `X8 a stage changed since is left alone, and an event says so`() async throws {
        let registry = try await promoted()
        try await registry.tell(
            TransitionRequested(model: "churn", version: "2", to: "none", groups: []), actor: "user:ada")
        try await registry.tell(deployed(.failed))
        #expect(try await registry.stages() == [1: "surpassed"])
        let refused = try #require(try await registry.said(ModelTransitionRefused.self).first)
        #expect(refused.reason.contains("not taken back"))
        #expect(refused.run == "r2")
    }

    @Test func `C-3 the history names actor, reason, decision and approval`() async throws {
        let registry = try Registry()
        try await registry.declare(trunk)
        try await registry.versions("t1")
        try await registry.tell(
            EvaluationDecided(
                decision: "sha256:1", run: "run", step: "job/compare", model: "churn", winner: .challenger, rule: [:],
                metric: "mse", challenger: EvaluatedCandidate(version: 1, trainingRun: nil, value: 1),
                reason: .noChampion, message: "first", championSelector: "stage=production"))
        let with: JSONValue = ["version": 1, "to": "production", "reason": "won", "decision": "sha256:1"]
        _ = try await registry.perform("registry/transition", with, approval: "a1")
        let event = try #require(try await registry.said(ModelStageChanged.self).first)
        #expect(event.decision == "sha256:1")
        #expect(event.approval == "a1")
        #expect(event.reason == "won")
        #expect(try await registry.envelopes().last?.actor == "pipeline:model-cd")
    }

    @Test(arguments: ["a1", nil] as [String?])
    func `C-3 no step names an approval that its job was not granted`(granted: String?) async throws {
        let registry = try Registry()
        try await registry.declare(trunk)
        try await registry.versions("t1")
        func move(saying text: String) async throws -> StepResult {
            let with: JSONValue = ["version": 1, "to": "production", "approval": .string(text)]
            return try await registry.perform("registry/transition", with, approval: granted)
        }
        let refused = try await move(saying: "signed by the board")
        #expect(refused.outcome == .failed)
        #expect(refused.message?.contains("'signed by the board' is not what this job was granted") == true)
        #expect(try await registry.stages().isEmpty)
        #expect(try await move(saying: granted ?? "").outcome == .succeeded)
        #expect(try await registry.said(ModelStageChanged.self).map(\.approval) == [granted])
    }

    /// Version 3's deployment failed and was taken back; then a person takes version 2 back.
    private func rolledBack(actor: String) async throws -> Registry {
        let registry = try await promoted()
        try await registry.tell(deployed(.succeeded))
        try await registry.versions("t3")
        _ = try await registry.move(3, to: "production", run: "r3")
        try await registry.tell(
            DeploymentFinished(
                deployment: "d3", endpoint: "api", target: "api", model: "churn", version: 3, run: "r3",
                outcome: .failed, message: "smoke test failed"))
        #expect(try await registry.stages() == [1: "surpassed", 2: "production"])
        try await registry.tell(
            DeploymentRolledBack(
                deployment: "d1", endpoint: "api", target: "api", model: "churn", version: 2, restored: 1, run: "r2",
                reason: "asked for by user:ada"),
            actor: actor)
        return registry
    }

    @Test func `X8 a person rolls the champion back after a later version had failed, and the stages follow`()
        async throws
    {
        let registry = try await rolledBack(actor: "user:ada")
        #expect(try await registry.stages() == [1: "production"])
        #expect(try await registry.said(ModelTransitionRefused.self).isEmpty)
        let change = try #require(try await registry.envelopes().last { $0.type == ModelStageChanged.eventType })
        #expect(change.actor == "user:ada")
        let body = try #require(try change.body(ModelStageChanged.self))
        #expect(body.version == 2 && body.from == "production" && body.to == nil)
        #expect(body.replaced == [StageMove(version: 1, from: "surpassed", to: "production")])
    }

    @Test func `X8 a rollback that no person asked for is the registry's own word`() async throws {
        let registry = try await rolledBack(actor: "pipeline:model-cd")
        #expect(try await registry.stages() == [1: "production"])
        #expect(try await registry.envelopes().last?.actor == "service:registry-service")
    }

    @Test func `C-3 a version that is given its stage back has that as its reason`() async throws {
        let registry = try await rolledBack(actor: "user:ada")
        let reasons = try await registry.store.read { db in
            try String.fetchAll(db, sql: "SELECT reason FROM stage_history ORDER BY id DESC LIMIT 2")
        }
        #expect(reasons == ["taken back: asked for by user:ada", "given back: asked for by user:ada"])
    }

    @Test func `S0-19 a project that is over declares no model, and what its successor declares stays`() async throws {
        let registry = try Registry()
        try await registry.declare(trunk, model: "old", project: "churn")
        try await registry.declare(trunk, model: "churn", project: "renamed")
        try await registry.tell(
            ProjectRetired(project: "churn", repository: "churn", sha: "c0ffee", successor: "renamed"))
        let owners = try await registry.store.read { db in
            try ["old", "churn"].map { try KnowledgeQueries.declaration(of: $0, db)?.project }
        }
        #expect(owners == [nil, "renamed"])
    }
}
