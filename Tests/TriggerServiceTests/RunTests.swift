import Foundation
import Messages
import Testing

@testable import TriggerService

private let project = """
    martlet: 1
    project: demo
    model: { name: demo-model, champion: stage=production }
    environments: { prod: { approvals: { required: 1 } } }
    pipelines:
      ci:
        on: { push: { branches: [main] }, manual: {} }
        parameters: { alpha: { type: number, default: 0.5 } }
        jobs:
          train:
            steps: [ { id: t, run: "train ${{ params.alpha }}" }, { id: u, run: "more" } ]
            outputs: { version: "${{ steps.t.version }}", champion: "${{ steps.t.champion }}" }
      cd:
        on: { pipeline: { name: ci, conclusion: success } }
        jobs:
          deploy:
            environment: prod
            recheck: { champion_unchanged: "${{ upstream.outputs.train.champion }}" }
            steps: [ { id: d, run: "deploy ${{ upstream.outputs.train.version }} of ${{ upstream.run.number }}" } ]
      on-model:
        on: { model: { registered: true } }
        jobs: { a: { steps: [ { id: s, run: "look at ${{ event.model.version }}" } ] } }
    """

struct RunTests {
    private func started(settings: Settings = Settings(), _ text: String = project) async throws -> Installation {
        try await Installation.watching(text, settings: settings)
    }

    private func finishCI(_ installation: Installation, _ session: String, _ outcome: Outcome = .succeeded) async throws
    {
        let first = try #require(try await installation.claim(session, max: 1).first)
        try await installation.complete(first, StepResult(.succeeded, outputs: ["version": 4, "champion": .null]))
        let second = try #require(try await installation.claim(session, max: 1).first)
        try await installation.complete(second, StepResult(outcome, message: "because"))
    }

    @Test func `a push is worked step by step, and every transition is told in order`() async throws {
        let installation = try await started()
        let session = try await installation.open()
        let work = try #require(try await installation.claim(session).first)
        #expect(work.verb == "run" && expanded(work.with, work.variables) == "train 0.5" && work.attempt == 1)
        #expect(work.item == "\(work.run.id)/train/t/1")
        #expect(work.run.model == "demo-model" && work.run.snapshot != nil && work.run.git?.branch == "main")
        #expect(work.causation.actor == "pipeline:ci")
        #expect(work.variables["MARTLET_RUN_NUMBER"] == "1")
        let loaded = try await installation.envelopes().firstIndex { $0.type == ProjectLoaded.eventType }
        #expect(work.after.first { $0.source == .triggerService }?.seq == loaded.map { Int64($0) + 1 })
        let head = LogPosition(source: .trainerProxy, epoch: 1, seq: 9)
        try await installation.complete(work, head: [head])
        let next = try #require(try await installation.claim(session).first)
        #expect(next.after.contains(head))
        try await installation.complete(next)
        let names = try await installation.envelopes().filter { $0.partitionkey == work.run.id }.map {
            shortEventName($0.type)
        }
        #expect(
            names == [
                "run.queued", "run.started", "job.started", "step.started", "step.finished", "step.started",
                "step.finished", "job.finished", "run.finished",
            ])
        let finished = try #require(try await installation.published(RunFinished.self).first)
        #expect(finished.outcome == .succeeded && finished.number == 1)
    }

    @Test func `S2-20 C-17 when A ends well B starts, once, with what A made`() async throws {
        let installation = try await started()
        let session = try await installation.open()
        try await finishCI(installation, session)
        let queued = try await installation.published(RunQueued.self)
        #expect(queued.map(\.pipeline) == ["ci", "cd"])
        #expect(try await installation.published(ApprovalRequested.self).map(\.run) == [try #require(queued.last).run])
        let upstream = try #require(queued.first).run
        try await installation.command(RunRetryRequested(run: upstream, all: true))
        try await finishCI(installation, session)
        #expect(try await installation.published(RunFinished.self).filter { $0.run == upstream }.count == 2)
        #expect(try await installation.published(RunQueued.self).filter { $0.pipeline == "cd" }.count == 1)
        #expect(try await installation.published(TriggerIgnored.self).contains { $0.code == "already_started" })
    }

    @Test func `C-24 what follows a run on a branch is what the file of that branch says`() async throws {
        func file(_ branch: String) -> String {
            """
            martlet: 1
            project: demo
            pipelines:
              ci:
                on: { push: {} }
                jobs: { a: { steps: [ { id: s, run: "build \(branch)" } ] } }
              cd:
                on: { pipeline: { name: ci } }
                jobs: { a: { steps: [ { id: s, run: "deploy \(branch)" } ] } }
            """
        }
        let installation = try Installation()
        let upstream = try await Upstream(in: installation, project: file("main"))
        try await installation.command(RepositoryAddRequested(repository: "demo", url: upstream.path))
        try await installation.look()
        let session = try await installation.open()
        func works() async throws -> [String] {
            var scripts: [String] = []
            while let work = try await installation.claim(session, max: 1).first {
                scripts.append(expanded(work.with, work.variables))
                try await installation.complete(work)
            }
            return scripts
        }
        #expect(try await works() == ["build main", "deploy main"])
        try await upstream.git("switch", "-q", "-c", "next")
        let sha = try await upstream.commit(["martlet.yml": file("next")], "next")
        // The default branch is still what it was.
        try await upstream.git("switch", "-q", "main")
        try await installation.look()
        #expect(try await works() == ["build next", "deploy next"])
        let queued = try await installation.published(RunQueued.self)
        #expect(queued.map(\.pipeline) == ["ci", "cd", "ci", "cd"])
        let digests = queued.map(\.fileDigest)
        #expect(digests[1] == digests[0] && digests[3] == digests[2] && digests[3] != digests[1])
        #expect(queued.last?.git?.branch == "next" && queued.last?.git?.sha == sha)
    }

    @Test(arguments: [Outcome.notPromoted, .failed])
    func `S2-21 a run that lost or failed is not a success`(_ outcome: Outcome) async throws {
        let installation = try await started()
        try await finishCI(installation, try await installation.open(), outcome)
        #expect(try await installation.published(RunQueued.self).map(\.pipeline) == ["ci"])
        let verdict = try await installation.published(TriggerIgnored.self).last { $0.pipeline == "cd" }
        #expect(verdict?.code == "conclusion")
    }

    @Test func `C-15 an approval is answered by a second person and the job goes on`() async throws {
        let installation = try await started()
        let session = try await installation.open()
        try await finishCI(installation, session)
        let approval = try #require(try await installation.published(ApprovalRequested.self).last)
        #expect(approval.requester == "user:ann@example.org" && approval.model == "demo-model")
        let own = try await installation.command(
            ApprovalAnswered(approval: approval.approval, approve: true, groups: []), by: "user:ann@example.org")
        #expect(try await installation.answer(to: own).accepted == false)
        let other = try await installation.command(
            ApprovalAnswered(approval: approval.approval, approve: true, comment: "fine", groups: []), by: "user:bob")
        #expect(try await installation.answer(to: other).accepted)
        let finished = try #require(try await installation.published(ApprovalFinished.self).last)
        #expect(finished.result == .granted && finished.by == "user:bob" && finished.comment == "fine")
        let work = try #require(try await installation.claim(session).first)
        #expect(expanded(work.with, work.variables) == "deploy 4 of 1")
        let told = try await installation.envelopes().firstIndex { $0.type == ApprovalFinished.eventType }
        #expect(try #require(work.after.first { $0.source == .triggerService }).seq >= Int64(try #require(told) + 1))
    }

    @Test func `C-16 an approval that nobody answers expires and rejects`() async throws {
        let installation = try await started()
        try await finishCI(installation, try await installation.open())
        installation.advance(.seconds(30 * 86_400))
        try await installation.settle()
        #expect(try await installation.published(ApprovalFinished.self).map(\.result) == [.expired])
        #expect(try await installation.published(RunFinished.self).last?.outcome == .failed)
    }

    @Test func `an approval is void once another version became champion`() async throws {
        let installation = try await started()
        try await finishCI(installation, try await installation.open())
        let artifact = ModelArtifact(
            digest: try #require(Digest("sha256:" + String(repeating: "a", count: 64))), size: 1, files: [])
        try await installation.event(
            ModelRegistered(
                model: "demo-model", version: 9, project: "demo", artifact: artifact, metrics: [:], params: [:],
                tags: [:]),
            from: .registryService, actor: "user:bob")
        #expect(try await installation.published(ApprovalFinished.self).isEmpty)
        try await installation.event(
            ModelStageChanged(model: "demo-model", version: 9, to: "production", replaced: [], reason: "by hand"),
            from: .registryService, actor: "user:bob")
        #expect(try await installation.published(ApprovalFinished.self).map(\.result) == [.void])
        #expect(try await installation.published(RunFinished.self).last?.outcome == .notPromoted)
    }

    @Test func `a registered version starts what waits for it, and one event is one cause`() async throws {
        let installation = try await started()
        let artifact = ModelArtifact(
            digest: try #require(Digest("sha256:" + String(repeating: "a", count: 64))), size: 1, files: [])
        let body = ModelRegistered(
            model: "demo-model", version: 3, project: "demo", artifact: artifact, metrics: [:], params: [:], tags: [:])
        try await installation.event(body, from: .registryService, actor: "pipeline:ci")
        #expect(try await installation.published(RunQueued.self).map(\.pipeline) == ["ci", "on-model"])
        let session = try await installation.open()
        let works = try await installation.claim(session)
        #expect(works.contains { expanded($0.with, $0.variables) == "look at 3" })
        try await installation.event(body, from: .registryService, actor: "pipeline:ci", depth: 33)
        #expect(
            try await installation.published(TriggerIgnored.self).last { $0.pipeline == "on-model" }?.code
                == "loop_detected")
    }

    @Test func `a person starts a run with values that are checked before there is one`() async throws {
        let installation = try await started()
        let good = try await installation.command(
            RunRequested(project: "demo", pipeline: "ci", parameters: ["alpha": "0.25"]))
        let answer = try await installation.answer(to: good)
        #expect(answer.accepted)
        let queued = try #require(try await installation.published(RunQueued.self).last)
        #expect(answer.run == queued.run && queued.parameters["alpha"] == 0.25 && queued.number == 2)
        for (wish, word) in [
            (RunRequested(project: "demo", pipeline: "ci", parameters: ["alpha": "much"]), "alpha"),
            (RunRequested(project: "demo", pipeline: "ci", parameters: ["alhpa": 1]), "alhpa"),
            (RunRequested(project: "demo", pipeline: "cd", parameters: [:]), "manual"),
            (RunRequested(project: "demo", pipeline: "none", parameters: [:]), "none"),
            (RunRequested(project: "other", pipeline: "ci", parameters: [:]), "other"),
            (RunRequested(project: "demo", pipeline: "ci", branch: "none", parameters: [:]), "none"),
            (RunRequested(project: "demo", pipeline: "ci", sha: "00000000", parameters: [:]), "00000000"),
        ] {
            let answer = try await installation.answer(to: try await installation.command(wish))
            #expect(!answer.accepted && answer.reason?.contains(word) == true, "\(answer)")
        }
        #expect(try await installation.published(RunQueued.self).count == 2)
    }

    @Test func `a run is canceled while it waits for people, and not twice`() async throws {
        let installation = try await started()
        try await finishCI(installation, try await installation.open())
        let run = try #require(try await installation.published(ApprovalRequested.self).last).run
        let first = try await installation.command(RunCancelRequested(run: run, reason: "enough"))
        #expect(try await installation.answer(to: first).accepted)
        #expect(try await installation.published(ApprovalFinished.self).map(\.result) == [.canceled])
        #expect(try await installation.published(RunFinished.self).last?.outcome == .canceled)
        let second = try await installation.command(RunCancelRequested(run: run))
        #expect(try await installation.answer(to: second).accepted == false)
    }

    @Test func `no more runs at once than set, the others wait in line`() async throws {
        var settings = Settings()
        settings.runsAtOnce = 2
        let installation = try await started(settings: settings)
        for _ in 0..<4 {
            try await installation.command(RunRequested(project: "demo", pipeline: "ci", parameters: [:]))
        }
        #expect(try await installation.published(RunQueued.self).map(\.number) == [1, 2, 3, 4, 5])
        #expect(try await installation.published(RunStarted.self).map(\.number) == [1, 2])
        try await finishCI(installation, try await installation.open(slots: 1))
        #expect(try await installation.published(RunStarted.self).map(\.number).prefix(3) == [1, 2, 3])
    }

    @Test(arguments: ["queue", "skip", "cancel-older"])
    func `runs of one group do not go at once`(_ onConflict: String) async throws {
        let text = """
            martlet: 1
            project: demo
            pipelines:
              p:
                on: { manual: {} }
                concurrency: { group: "g-${{ git.branch }}", on_conflict: \(onConflict) }
                jobs: { a: { steps: [ { id: s, run: "1" } ] } }
            """
        let installation = try await started(text)
        for _ in 0..<2 { try await installation.command(RunRequested(project: "demo", pipeline: "p", parameters: [:])) }
        let started = try await installation.published(RunStarted.self).map(\.number)
        let finished = try await installation.published(RunFinished.self).map(\.outcome)
        switch onConflict {
        case "queue": #expect(started == [1] && finished.isEmpty)
        case "skip":
            #expect(started == [1])
            #expect(try await installation.published(TriggerIgnored.self).last?.code == "concurrency")
        default: #expect(started == [1, 2] && finished == [.canceled])
        }
    }

    @Test func `runs retry is another attempt of the same run, and a second wish finds it going`() async throws {
        let installation = try await started()
        let session = try await installation.open()
        try await finishCI(installation, session, .failed)
        let run = try #require(try await installation.published(RunFinished.self).first).run
        let first = try await installation.command(RunRetryRequested(run: run, all: false))
        #expect(try await installation.answer(to: first).accepted)
        let second = try await installation.command(RunRetryRequested(run: run, all: false))
        #expect(try await installation.answer(to: second).reason?.contains("is not over yet") == true)
        #expect(try await installation.published(RunQueued.self).map(\.attempt) == [1, 2])
    }

    @Test func `C-12 an approval is revoked after the deployment: a roll-back is proposed`() async throws {
        let installation = try await started()
        let session = try await installation.open()
        try await finishCI(installation, session)
        let asked = try #require(try await installation.published(ApprovalRequested.self).last)
        let stale = try await installation.command(
            ApprovalAnswered(approval: asked.approval, approve: true, groups: [], version: "3"), by: "user:bob")
        #expect(try await installation.answer(to: stale).reason?.contains("about version 3") == true)
        try await installation.command(
            ApprovalAnswered(approval: asked.approval, approve: true, groups: []), by: "user:bob")
        try await installation.complete(try #require(try await installation.claim(session).first))
        let wish = try await installation.command(
            ApprovalRevokeRequested(approval: asked.approval, comment: "leak", groups: []), by: "user:bob")
        let answer = try await installation.answer(to: wish)
        #expect(answer.accepted && answer.reason?.contains("was over already") == true)
        let revoked = try #require(try await installation.published(ApprovalRevoked.self).last)
        #expect(revoked.tooLate && !revoked.stillWaits && revoked.by == "user:bob" && revoked.comment == "leak")
        #expect(try await installation.published(RunFinished.self).last?.outcome == .succeeded)
    }
}
