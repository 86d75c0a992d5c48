import Messages
import Testing

@testable import TriggerService

struct ApprovalTests {
    private static let now = Timestamp(milliseconds: 1_800_000_000_000)

    private func approval(
        required: Int = 1, from: [String] = [], requesterMayApprove: Bool = false,
        requester: String = "user:ann", requesterEmail: String? = nil
    ) -> Approval {
        Approval(
            id: "a", run: "r", job: "j", project: "p", pipeline: "cd", environment: "prod", required: required,
            from: from, requester: requester, requesterEmail: requesterEmail, requesterMayApprove: requesterMayApprove,
            expires: Self.now.advanced(by: .seconds(60)), grantedOnTimeout: false)
    }

    @Test func `C-15 the requester may not approve, unless the file says so`() throws {
        var strict = approval()
        #expect(throws: Refusal.self) {
            try strict.answer(true, by: "user:Ann", groups: [], comment: nil, at: Self.now)
        }
        #expect(strict.result == nil)
        var lax = approval(requesterMayApprove: true)
        let taken1 = try lax.answer(true, by: "user:ann", groups: [], comment: nil, at: Self.now)
        #expect(taken1 == .granted)
    }

    @Test(
        arguments: [
            // Who pushed, the address of the run's token, who answers, the address of the answer's token, whether they may.
            ("user:ann@x.org", nil, "user:kim", "ann@x.org", false),
            ("user:ann@x.org", nil, "user:kim", "Ann@X.org", false),
            ("user:ann@x.org", nil, "user:ann", "other@y.org", true), ("user:ann@x.org", nil, "user:ann", nil, false),
            ("user:ann@x.org", nil, "user:kim", nil, true), ("user:ci", "ann@x.org", "user:kim", "ann@x.org", false),
            ("user:ci", "ann@x.org", "user:ci", "kim@x.org", false), ("user:ci", nil, "user:kim", "ci@x.org", true),
        ] as [(String, String?, String, String?, Bool)])
    func `C-15 a token's address tells who pushed; without one its name does`(
        requester: String, address: String?, person: String, email: String?, may: Bool
    ) throws {
        var asked = approval(requester: requester, requesterEmail: address)
        let taken = try? asked.answer(true, by: person, email: email, groups: [], comment: nil, at: Self.now)
        #expect((taken == .granted) == may)
    }

    @Test func `two tokens of one address are one person, and a list may name the address`() throws {
        var two = approval(required: 2, from: ["user:bob@x.org", "user:eve"])
        let first = try two.answer(true, by: "user:b1", email: "bob@x.org", groups: [], comment: nil, at: Self.now)
        #expect(first == .counted && two.agreed.first?.email == "bob@x.org")
        #expect(throws: Refusal.self) {
            try two.answer(true, by: "user:b2", email: "Bob@x.org", groups: [], comment: nil, at: Self.now)
        }
        let second = try two.answer(true, by: "user:eve", groups: [], comment: nil, at: Self.now)
        #expect(second == .granted)
    }

    @Test func `N of M: each person counts once`() throws {
        var two = approval(required: 2)
        let taken2 = try two.answer(true, by: "user:bob", groups: [], comment: "fine", at: Self.now)
        #expect(taken2 == .counted)
        #expect(throws: Refusal.self) {
            try two.answer(true, by: "user:bob", groups: [], comment: nil, at: Self.now)
        }
        let taken3 = try two.answer(true, by: "user:eve", groups: [], comment: nil, at: Self.now)
        #expect(taken3 == .granted)
        #expect(two.agreed.map(\.by) == ["user:bob", "user:eve"])
        #expect(throws: Refusal.self) {
            try two.answer(true, by: "user:dan", groups: [], comment: nil, at: Self.now)
        }
    }

    @Test func `only people and groups of the list may answer, also to reject`() throws {
        var listed = approval(from: ["user:bob", "group:reviewers"])
        for approve in [true, false] {
            #expect(throws: Refusal.self) {
                try listed.answer(approve, by: "user:eve", groups: ["interns"], comment: nil, at: Self.now)
            }
        }
        let taken4 = try listed.answer(true, by: "user:eve", groups: ["reviewers"], comment: nil, at: Self.now)
        #expect(taken4 == .granted)
    }

    @Test func `the others who set off the run are named once each`() {
        var asked = approval()
        #expect(asked.namesOfOthers == nil)
        asked.otherRequesters = [Requester(name: "user:ann", email: "ann@example.org")]
        #expect(asked.namesOfOthers == nil, "the requester is named already")
        asked.otherRequesters?.append(Requester(name: "user:kim", email: nil))
        asked.otherRequesters?.append(Requester(name: "user:kim", email: "kim@example.org"))
        asked.otherRequesters?.append(Requester(name: "user:lee", email: nil))
        #expect(asked.namesOfOthers == ["user:kim", "user:lee"])
        asked.otherRequesters = (0..<90).map { Requester(name: "user:\($0)", email: nil) }
        #expect(asked.namesOfOthers?.count == 50)
    }

    @Test func `one rejection is enough, and the requester may take the wish back`() throws {
        var two = approval(required: 2)
        let taken5 = try two.answer(false, by: "user:ann", groups: [], comment: "no", at: Self.now)
        #expect(taken5 == .rejected)
        #expect(two.result == .rejected)
    }

    @Test func `A8 an answer that names another version or decision is refused`() throws {
        var asked = approval()
        asked.version = "4"
        asked.decision = "sha256:d"
        try asked.check(version: nil, decision: nil)
        try asked.check(version: "4", decision: "sha256:d")
        #expect(throws: Refusal.self) { try asked.check(version: "5", decision: nil) }
        #expect(throws: Refusal.self) { try asked.check(version: "4", decision: "sha256:e") }
        #expect(throws: Refusal.self) { try self.approval().check(version: "4", decision: nil) }
    }

    @Test func `C-12 an agreement is withdrawn while others are waited for, and revoked once it was granted`() throws {
        var two = approval(required: 2, from: ["user:bob", "user:eve", "user:dan"])
        #expect(throws: Refusal.self) { try two.revoke(by: "user:bob", groups: [], comment: nil, at: Self.now) }
        _ = try two.answer(true, by: "user:bob", groups: [], comment: nil, at: Self.now)
        #expect(throws: Refusal.self) { try two.revoke(by: "user:eve", groups: [], comment: nil, at: Self.now) }
        let withdrawn = try two.revoke(by: "user:Bob", groups: [], comment: "wait", at: Self.now)
        #expect(withdrawn == .withdrawn && two.agreed.isEmpty && two.result == nil)
        _ = try two.answer(true, by: "user:bob", groups: [], comment: nil, at: Self.now)
        _ = try two.answer(true, by: "user:eve", groups: [], comment: nil, at: Self.now)
        #expect(throws: Refusal.self) { try two.revoke(by: "user:mallory", groups: [], comment: nil, at: Self.now) }
        let revoked = try two.revoke(by: "user:dan", groups: [], comment: "leak", at: Self.now)
        #expect(revoked == .revoked && two.revoked?.by == "user:dan")
        #expect(throws: Refusal.self) { try two.revoke(by: "user:eve", groups: [], comment: nil, at: Self.now) }
    }

    @Test func `who asked for the run may have an approval revoked, but not give it`() throws {
        var one = approval(from: ["user:bob"])
        _ = try one.answer(true, by: "user:bob", groups: [], comment: nil, at: Self.now)
        let revoked = try one.revoke(by: "user:ann", groups: [], comment: nil, at: Self.now)
        #expect(revoked == .revoked)
        var rejected = approval()
        _ = try rejected.answer(false, by: "user:bob", groups: [], comment: nil, at: Self.now)
        #expect(throws: Refusal.self) { try rejected.revoke(by: "user:bob", groups: [], comment: nil, at: Self.now) }
    }

    @Test func `a client of the bus has to be named`() throws {
        var open = approval()
        #expect(throws: Refusal.self) {
            try open.answer(true, by: "key:acme", groups: [], comment: nil, at: Self.now)
        }
        var named = approval(from: ["key:acme"])
        let taken = try named.answer(true, by: "key:acme", groups: [], comment: nil, at: Self.now)
        #expect(taken == .granted)
    }

    @Test func `C-16 silence rejects`() throws {
        var silent = approval()
        #expect(throws: Refusal.self) {
            try silent.answer(true, by: "user:bob", groups: [], comment: nil, at: Self.now.advanced(by: .seconds(60)))
        }
        let taken6 = silent.expire()
        #expect(taken6 == .expired)
        let taken7 = silent.expire()
        #expect(taken7 == nil)
    }
}

struct GateTests {
    private static let extra = """
        model: { champion: stage=production }
        environments:
          prod: { approvals: { required: 1, from: [group:reviewers] } }
        """
    private static let pipeline = """
        jobs:
          evaluation:
            steps: [ { id: s, run: "1" } ]
            outputs: { version: "${{ steps.s.version }}", champion: "${{ steps.s.champion }}", decision: "${{ steps.s.decision }}" }
          deployment:
            needs: evaluation
            environment: prod
            recheck: { champion_unchanged: "${{ needs.evaluation.champion }}" }
            steps: [ { id: d, run: "deploy ${{ needs.evaluation.version }}" } ]
          tell: { needs: deployment, if: "${{ always() }}", steps: [ { id: t, run: "1" } ] }
          undo:
            needs: [evaluation, deployment]
            if: ${{ rejected() }}
            steps: [ { id: u, run: "${{ needs.deployment.approval.result }} by ${{ needs.deployment.approval.by }}: ${{ needs.deployment.approval.comment }}" } ]
        """

    private func waiting(champion: String = "3") throws -> (Simulation, Approval) {
        var simulation = try Simulation(Self.pipeline, extra: Self.extra)
        simulation.champion = champion
        simulation.start()
        try simulation.finish("evaluation/s", outputs: ["version": 4, "champion": 3, "decision": "sha256:d"])
        return (simulation, try #require(simulation.wantedApprovals.first))
    }

    @Test func `S3-18 the job waits for people, who are asked about the version and its decision`() throws {
        var (simulation, approval) = try waiting()
        #expect(simulation.offered.isEmpty)
        #expect(approval.version == "4" && approval.decision == "sha256:d" && approval.model == "demo")
        #expect(approval.requester == "user:ann" && approval.from == ["group:reviewers"])
        #expect(approval.expires == simulation.now.advanced(by: .seconds(30 * 86_400)))
        simulation.approve(approval)
        #expect(simulation.offered == ["deployment/d"])
    }

    @Test func `S3-11 rejected: nothing of the job happens`() throws {
        var (simulation, approval) = try waiting()
        simulation.move { $0.approvalEnded(approval, .rejected, by: "user:bob", comment: "not today") }
        #expect(try simulation.job("deployment").outcome == .failed)
        #expect(try simulation.job("deployment").message == "rejected by user:bob: not today")
        #expect(simulation.offered == ["tell/t", "undo/u"])
    }

    @Test func `A6 a rejection has its own steps, which know who said no and why`() throws {
        var (simulation, approval) = try waiting()
        simulation.move { $0.approvalEnded(approval, .rejected, by: "user:bob", comment: "not today") }
        #expect(try simulation.script("undo/u") == "rejected by user:bob: not today")
        try simulation.finish("tell/t")
        try simulation.finish("undo/u")
        #expect(simulation.run.status.outcome == .failed)
        var (late, silent) = try waiting()
        late.move { $0.approvalEnded(silent, .expired, by: nil, comment: nil) }
        #expect(late.offered.contains("undo/u"))
    }

    @Test func `what is no rejection does not run them`() throws {
        var (granted, approval) = try waiting()
        granted.approve(approval)
        try granted.finish("deployment/d", .failed)
        #expect(try granted.job("undo").outcome == .skipped)
        var (void, _) = try waiting()
        void.champion = "5"
        void.move { $0.voidStaleApprovals() }
        #expect(try void.job("undo").outcome == .skipped)
    }

    @Test func `C-12 revoked before it deployed: the job stops, and the rejection's steps run`() throws {
        var (simulation, approval) = try waiting()
        simulation.approve(approval)
        let (item, token) = try simulation.take("deployment/d")
        let stopped = simulation.move { $0.approvalRevoked(approval, by: "user:bob", comment: "leak") }
        #expect(stopped)
        let reason = "the approval was revoked by user:bob: leak"
        #expect(simulation.changes.contains(.cancelRequested(try simulation.place("deployment/d"), reason: reason)))
        // The worker was quicker than the word to stop: still nothing more of the job begins.
        simulation.move { _ = $0.complete(item, token: token, StepResult(.canceled)) }
        #expect(try simulation.job("deployment").outcome == .canceled)
        #expect(try simulation.job("deployment").message == reason)
        #expect(try simulation.script("undo/u") == "revoked by user:bob: leak")
        let again = simulation.move { $0.approvalRevoked(approval, by: "user:bob", comment: nil) }
        #expect(!again)
    }

    @Test func `an approval is void when the champion moved meanwhile`() throws {
        var (simulation, approval) = try waiting()
        simulation.champion = "5"
        simulation.move { $0.voidStaleApprovals() }
        let reason = "the champion is version 5 now, and this was compared with version 3"
        #expect(simulation.changes.contains(.approvalClosed(approval.id, .void, reason: reason)))
        #expect(try simulation.job("deployment").outcome == .notPromoted)
        #expect(try simulation.job("deployment").message == reason)
    }

    @Test func `the champion is looked at before people are asked, and after they agreed`() throws {
        let (before, _) = try waiting()
        #expect(before.wantedApprovals.count == 1)
        var late = try Simulation(Self.pipeline, extra: Self.extra)
        late.champion = "9"
        late.start()
        try late.finish("evaluation/s", outputs: ["version": 4, "champion": 3])
        #expect(late.wantedApprovals.isEmpty)
        #expect(try late.job("deployment").outcome == .notPromoted)
        var (simulation, approval) = try waiting()
        simulation.champion = ""
        simulation.approve(approval)
        #expect(try simulation.job("deployment").message?.contains("the champion is nobody now") == true)
    }

    @Test func `S4-15 of several models the champion of the approval's own counts`() throws {
        let extra = Self.extra.replacing(
            "model: { champion: stage=production }",
            with: "models: { a: { champion: stage=production }, b: { champion: 'tag:best=yes' }, c: {} }")
        let pipeline = Self.pipeline.replacing(
            "outputs: { version", with: "outputs: { model: \"${{ steps.s.model }}\", version")
        func deciding(_ model: String) throws -> RunJob.Status {
            var simulation = try Simulation(pipeline, extra: extra)
            simulation.champions = [
                ChampionKey(model: "a", selector: "stage=production"): "9",
                ChampionKey(model: "b", selector: "tag:best=yes"): "3",
            ]
            simulation.start()
            try simulation.finish("evaluation/s", outputs: ["model": .string(model), "version": 4, "champion": 3])
            return try simulation.job("deployment")
        }
        #expect(try deciding("a").message == "the champion is version 9 now, and this was compared with version 3")
        #expect(try deciding("b").phase == .approval)
        #expect(try deciding("c").message?.contains("cannot tell which version of 'c' is the champion") == true)
    }

    @Test func `E13 without a champion of its own the model's is the one that a step compared with`() throws {
        let pipeline = Self.pipeline.replacing(
            "steps: [ { id: s, run: \"1\" } ]",
            with: "steps: [ { id: s, uses: evaluate/pin, with: { champion: stage=live, challenger: latest } } ]")
        let extra = Self.extra.replacing("model: { champion: stage=production }", with: "")
        func deciding(now champion: String) throws -> RunJob.Status {
            var simulation = try Simulation(pipeline, extra: extra)
            simulation.champions = [ChampionKey(model: "demo", selector: "stage=live"): champion]
            simulation.start()
            try simulation.finish("evaluation/s", outputs: ["version": 4, "champion": 3])
            return try simulation.job("deployment")
        }
        #expect(try deciding(now: "3").phase == .approval)
        #expect(try deciding(now: "5").outcome == .notPromoted)
    }

    @Test func `C-16 a run that waits for people can be canceled`() throws {
        var (simulation, approval) = try waiting()
        simulation.move { $0.cancel("enough") }
        #expect(simulation.changes.contains(.approvalClosed(approval.id, .canceled, reason: "enough")))
        #expect(simulation.run.status.outcome == .canceled)
    }
}
