import Foundation
import Messages
import ServiceKit
import Store
import Testing

@testable import Notifier

struct AnnouncementTests {
    @Test func `S0-17 both outcomes of a run are told`() async throws {
        let desk = try Desk()
        try await desk.prepare([slackRule(["run.finished"])])
        try await desk.hear(event(runFinished(.failed)))
        try await desk.hear(event(runFinished(.succeeded)))
        #expect(try await desk.deliveries().map(\.recipient) == [.slackSecret("HOOK"), .slackSecret("HOOK")])
    }

    @Test func `E10 every message about a run says that a gate of it only advises`() async throws {
        let desk = try Desk()
        try await desk.prepare([fileRule(["run.finished", "evaluation.decided"])])
        let lost = EvaluationDecided(
            decision: "sha256:d", run: "r1", step: "train/judge", model: "risk", winner: .champion, rule: [:],
            metric: "auc", challenger: EvaluatedCandidate(version: nil, trainingRun: "t", value: 0.5), champion: nil,
            reason: .notBetter, message: "Advisory, nothing is held up: worse", advisory: true)
        try await desk.hear(event(lost))
        try await desk.hear(event(runFinished(.succeeded)))
        let notices = try await desk.deliveries().map(\.notice)
        #expect(notices.count == 2)
        for notice in notices {
            let advice = "Advisory: the comparison of auc at train/judge holds nobody up"
            #expect(notice.details.contains(advice), "\(notice)")
        }
    }

    @Test func `two rules for one recipient make one message`() async throws {
        let desk = try Desk()
        try await desk.prepare([slackRule(["run.failed"]), slackRule(["run.*"]), fileRule(["run.*"])])
        let before = try await desk.deliveries().count
        try await desk.hear(event(runFinished(.failed)))
        let made = try await desk.deliveries().dropFirst(before)
        #expect(made.map(\.recipient) == [.slackSecret("HOOK"), .file("all.jsonl")])
        #expect(try await desk.intents().count == before + 2)
    }

    @Test func `N6 a repeated event makes no second message`() async throws {
        let desk = try Desk()
        try await desk.prepare([slackRule(["run.failed"])])
        let original = event(runFinished(.failed))
        try await desk.hear(original)
        try await desk.hear(original)
        try await desk.hear(event(runFinished(.failed), replayOf: original.id))
        #expect(try await desk.deliveries().count == 1)
    }

    @Test func `C-24 a run is told about by the rules of its own commit`() async throws {
        let desk = try Desk()
        try await desk.prepare([slackRule(["run.failed"], secret: "OLD")], digest: "d1")
        try await desk.hear(event(projectLoaded([slackRule(["run.failed"], secret: "NEW")], digest: "d2")))
        try await desk.hear(event(runFinished(.failed)))
        #expect(try await desk.deliveries().map(\.recipient) == [.slackSecret("OLD")])
    }

    @Test func `a run of more than a year ago is forgotten, one of this year is not`() async throws {
        let desk = try Desk()
        let now = Timestamp(Date())
        let runs = [now.advanced(by: .seconds(-500 * 86_400)), now].map { UUIDv7().next(at: $0) }
        for run in runs { try await desk.hear(event(runQueued(run))) }
        try await desk.store.write { try $0.forgetOldPlaces() }
        let places = try await desk.store.write { tx in try runs.map { try tx.place(of: $0)?.run } }
        #expect(places == [nil, runs[1]])
    }

    @Test func `a reverted project file counts again`() async throws {
        let desk = try Desk()
        try await desk.prepare([fileRule(["model.*"], path: "old")], digest: "d1")
        try await desk.hear(event(projectLoaded([], digest: "d2")))
        try await desk.hear(
            event(ProjectUnchanged(project: "diabetes", repository: "repo", sha: "x", digest: "d1")))
        try await desk.hear(event(stageChanged(run: nil)))
        #expect(try await desk.deliveries().map(\.recipient) == [.file("old")])
    }

    @Test func `a project's end is its last news`() async throws {
        let desk = try Desk()
        try await desk.prepare([fileRule(["model.*", "project.retired"])])
        try await desk.hear(
            event(ProjectRetired(project: "diabetes", repository: "repo", sha: "x", successor: "sugar")))
        try await desk.hear(event(stageChanged(run: nil)))
        let headlines = try await desk.deliveries().map(\.notice.headline)
        #expect(headlines == ["diabetes: commit x calls it 'sugar' from now on"])
    }

    @Test func `an event of a run not heard of yet waits for it`() async throws {
        let desk = try Desk()
        try await desk.hear(event(projectLoaded([slackRule(["model.*"])])))
        try await desk.hear(event(stageChanged(run: "r9")))
        #expect(try await desk.deliveries().isEmpty)
        try await desk.hear(event(runQueued("r9")))
        try await desk.hear(event(runQueued("r9")))
        #expect(try await desk.deliveries().map(\.notice.url) == ["http://console/runs/r9"])
    }

    @Test func `a test message goes to each recipient once`() async throws {
        let desk = try Desk()
        try await desk.prepare([slackRule(["run.failed"]), slackRule(["step.failed"]), fileRule(["run.failed"])])
        try await desk.hear(event(NotificationTestRequested(project: "diabetes")))
        #expect(try await desk.deliveries().map(\.recipient.name) == ["slack:HOOK", "file:all.jsonl"])
    }

    @Test func `S1-21 a word that nothing matches makes no message`() async throws {
        let desk = try Desk()
        try await desk.prepare([slackRule(["run.succeeded"])])
        try await desk.hear(event(runFinished(.canceled)))
        #expect(try await desk.deliveries().isEmpty)
    }

    @Test func `S0-17 a step of a pipeline queues its message once`() async throws {
        let desk = try Desk()
        let work = StepWork(
            item: "r1/j/s/1", token: 1, job: "j", step: "s", attempt: 1, verb: "notify/slack",
            with: ["channel": ["secret": "HOOK"], "text": "trained"], variables: [:], timeoutSeconds: nil,
            run: RunReference(
                id: "r1", number: 1, url: "http://c/runs/r1", project: "p", pipeline: "q", git: nil, snapshot: nil,
                model: nil), after: [], checkpoint: nil, causation: .first(actor: "user:ada"))
        for _ in 1...2 {
            let result = try await desk.store.write { try NotifyStep.perform(work, $0) }
            #expect(result.outcome == .succeeded)
        }
        #expect(try await desk.deliveries().map(\.notice.headline) == ["trained"])
    }
}

func stageChanged(run: String?) -> ModelStageChanged {
    ModelStageChanged(
        model: "risk", version: 3, from: nil, to: "production",
        replaced: [StageMove(version: 1, from: "production", to: "surpassed")], reason: "approved by grace", run: run)
}
