import Foundation
import Messages

/// What an event says to a person, in one sentence with its numbers.
struct Sentence: Sendable, Hashable {
    var text: String
    var numbers: [String: JSONValue] = [:]

    init(_ text: String, numbers: [String: JSONValue] = [:]) {
        self.text = text
        self.numbers = numbers
    }
}

/// Turns events into sentences; a type that it does not know is told by its name and subject.
enum Narration {
    static func sentence(_ event: Envelope) throws -> Sentence {
        for tell in [origin, judgement, registry, delivery] {
            if let sentence = try tell(event) { return sentence }
        }
        return Sentence("\(shortEventName(event.type)) of \(event.subject)")
    }

    private static func origin(_ event: Envelope) throws -> Sentence? {
        if let body = try event.body(ChangePushed.self) {
            return Sentence(
                "\(body.author) pushed \(body.sha.prefix(7)) to \(body.branch) of \(body.repository): \(body.message)")
        }
        if let sentence = try forge(event) { return sentence }
        if let body = try event.body(RunRequested.self) {
            return Sentence("\(event.actor) asked for \(body.pipeline) of \(body.project)")
        }
        if let body = try event.body(ReplayRequested.self) {
            return Sentence("\(event.actor) asked to take event \(body.event) once more")
        }
        if let body = try event.body(ScheduleTicked.self) {
            let missed = body.missed == 0 ? "" : ", \(body.missed) before it missed"
            return Sentence(
                "schedule '\(body.cron)' (\(body.timeZone)) of \(body.pipeline) ticked, due \(body.due.text)\(missed)")
        }
        if let body = try event.body(ScheduleMissed.self) {
            return Sentence(
                "schedule '\(body.cron)' (\(body.timeZone)) of \(body.pipeline) missed \(body.count) up to \(body.last.text)"
            )
        }
        if let body = try event.body(RunRetryRequested.self) {
            return Sentence("\(event.actor) asked to retry run \(body.run)")
        }
        if let body = try event.body(ApprovalAnswered.self) {
            return Sentence(
                "\(event.actor) \(body.approve ? "approved" : "rejected")" + quoted(body.comment))
        }
        if let body = try event.body(ApprovalRevokeRequested.self) {
            return Sentence("\(event.actor) took the approval back" + quoted(body.comment))
        }
        if let body = try event.body(TransitionRequested.self) {
            return Sentence(
                "\(event.actor) asked to move \(body.model) \(body.version) to \(body.to)" + quoted(body.reason))
        }
        if let body = try event.body(BypassRequested.self) {
            return Sentence("\(event.actor) asked to let the challenger of run \(body.run) pass" + quoted(body.reason))
        }
        if let body = try event.body(RollbackRequested.self) {
            return Sentence("\(event.actor) asked to roll back \(body.endpoint)" + quoted(body.reason))
        }
        if let body = try event.body(TriggerMatched.self) {
            return Sentence("\(body.pipeline) of \(body.project) starts: \(body.reason)")
        }
        if let body = try event.body(TriggerIgnored.self) {
            return Sentence("\(body.pipeline) of \(body.project) does not start: \(body.reason)")
        }
        if let body = try event.body(RunQueued.self) {
            let commit = body.git.map { " at \($0.sha.prefix(7))" } ?? ""
            return Sentence("run #\(body.number) of \(body.project)/\(body.pipeline)\(commit): \(body.reason)")
        }
        if let body = try event.body(RunStarted.self) {
            return Sentence("run #\(body.number) of \(body.project)/\(body.pipeline) began")
        }
        if let body = try event.body(RunCancelBegun.self) {
            return Sentence("run #\(body.number) is being canceled: \(body.reason)")
        }
        return nil
    }

    private static func forge(_ event: Envelope) throws -> Sentence? {
        if let body = try event.body(TagCreated.self) {
            return Sentence("\(body.author) tagged \(body.sha.prefix(7)) of \(body.repository) as \(body.tag)")
        }
        if let body = try event.body(PullRequestOpened.self) {
            return Sentence(told(body.pullRequest, "opened", body.repository))
        }
        if let body = try event.body(PullRequestUpdated.self) {
            return Sentence(told(body.pullRequest, "updated", body.repository))
        }
        if let body = try event.body(PullRequestMerged.self) {
            return Sentence(told(body.pullRequest, "merged", body.repository))
        }
        if let body = try event.body(Commented.self) {
            let place = body.inPullRequest ? "pull request" : "issue"
            return Sentence("\(body.author) commented on \(place) \(body.number) of \(body.repository)")
        }
        if let body = try event.body(ReleasePublished.self) {
            return Sentence("\(body.author) published the release \(body.tag) of \(body.repository)")
        }
        return nil
    }

    private static func told(_ request: PullRequest, _ verb: String, _ repository: String) -> String {
        let fork = request.fork ? ", of a fork" : ""
        return
            "\(request.author)'s pull request \(request.number) of \(repository) was \(verb)\(fork): \(request.title)"
    }

    private static func judgement(_ event: Envelope) throws -> Sentence? {
        if let body = try event.body(StepStarted.self) {
            return Sentence("step \(body.job)/\(body.step) (\(body.verb)) taken by \(body.worker)")
        }
        if let body = try event.body(StepFinished.self) {
            return Sentence("step \(body.job)/\(body.step) \(body.outcome.words)" + suffix(body.message))
        }
        if let body = try event.body(JobStarted.self) { return Sentence("job \(body.job) began") }
        if let body = try event.body(JobFinished.self) {
            return Sentence("job \(body.job) \(body.outcome.words)" + suffix(body.message))
        }
        if let body = try event.body(TrainingFinished.self) {
            return Sentence(
                "training \(body.outcome.words) in \(seconds(body.seconds))\(values(body.metrics))",
                numbers: body.metrics)
        }
        if let body = try event.body(EvaluationDecided.self) { return decision(body) }
        if let body = try event.body(EvaluationVoided.self) {
            return Sentence("the decision of run \(body.run) is void: \(body.reason)")
        }
        if let body = try event.body(EvaluationBypassed.self) {
            return Sentence("\(body.by) let the challenger pass at \(body.step)" + quoted(body.reason))
        }
        if let body = try event.body(ChecksPublished.self) {
            return Sentence("\(body.title) \(body.status): \(body.passed) passed, \(body.failed + body.errors) failed")
        }
        if let body = try event.body(TestSuiteFinished.self) {
            return Sentence("tests \(body.status): \(body.passed) passed, \(body.failed + body.errors) failed")
        }
        if let body = try event.body(RunFinished.self) {
            let message = body.message.map { ": \($0)" } ?? ""
            return Sentence("run #\(body.number) \(body.outcome.words) after \(seconds(body.seconds))\(message)")
        }
        return nil
    }

    private static func decision(_ body: EvaluationDecided) -> Sentence {
        var numbers: [String: JSONValue] = [:]
        numbers["challenger"] = body.challenger.value.map { .double($0) }
        numbers["champion"] = body.champion?.value.map { .double($0) }
        var text = "\(body.metric) of the challenger is \(number(body.challenger.value))"
        if let champion = body.champion {
            let holder = champion.version.map { "version \($0)" } ?? "the champion"
            text += ", of \(holder) \(number(champion.value))"
        }
        let note =
            body.bypass.map { ", let pass by \($0.by): \($0.reason)" } ?? (body.advisory == true ? ", advisory" : "")
        return Sentence(
            "\(text): the \(body.winner.rawValue) wins (\(body.reason.words)\(note))", numbers: numbers)
    }

    private static func registry(_ event: Envelope) throws -> Sentence? {
        if let body = try event.body(ModelRegistered.self) {
            return Sentence(
                "\(body.model) version \(body.version) registered\(values(body.metrics))", numbers: body.metrics)
        }
        if let body = try event.body(ModelTagged.self) {
            let tags =
                body.set.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" } + body.removed.map { "-\($0)" }
            return Sentence("\(body.model) version \(body.version) tagged \(tags.joined(separator: " "))")
        }
        if let body = try event.body(ModelStageChanged.self) {
            let moves = body.replaced.map { "; version \($0.version) became \($0.to ?? "stageless")" }.joined()
            let verb = body.compensates == nil ? "went" : "went back"
            return Sentence(
                "\(body.model) version \(body.version) \(verb) from \(body.from ?? "no stage") to "
                    + "\(body.to ?? "no stage")\(moves)" + suffix(body.reason))
        }
        if let body = try event.body(ModelHistoryChecked.self) {
            let found = body.intact ? "is intact" : "was altered" + suffix(body.problem)
            return Sentence("the history of \(body.model) (\(body.history.moves) moves) \(found)")
        }
        if let body = try event.body(DatasetRegistered.self) {
            return Sentence("data set \(body.dataset.text) registered from \(body.path)")
        }
        if let body = try event.body(EnvironmentRegistered.self) {
            return Sentence("environment \(body.environment.name) version \(body.environment.version) registered")
        }
        if let body = try event.body(ModelTransitionRefused.self) {
            return Sentence("\(body.model) \(body.version) may not become \(body.to): \(body.reason)")
        }
        if let body = try event.body(ApprovalRequested.self) {
            let version = body.version.map { " of version \($0)" } ?? ""
            return Sentence("\(body.environment) waits for \(body.required) approval(s)\(version)")
        }
        if let body = try event.body(ApprovalGiven.self) {
            return Sentence("\(body.by) agreed (\(body.given) of \(body.required))" + quoted(body.comment))
        }
        if let body = try event.body(ApprovalFinished.self) {
            let by = body.by.map { " by \($0)" } ?? ""
            return Sentence("approval for \(body.environment) \(body.result.rawValue)\(by)" + quoted(body.comment))
        }
        if let body = try event.body(ApprovalRevoked.self) { return revocation(body) }
        return nil
    }

    private static func revocation(_ body: ApprovalRevoked) -> Sentence {
        let effect =
            body.stillWaits
            ? "\(body.given) of \(body.required) are left"
            : body.tooLate ? "too late to stop \(body.job)" : "\(body.job) is stopped"
        return Sentence("\(body.by) took the approval for \(body.environment) back: \(effect)" + quoted(body.comment))
    }

    private static func delivery(_ event: Envelope) throws -> Sentence? {
        if let body = try event.body(DeploymentStarted.self) {
            return Sentence("\(body.model) version \(body.version) is being deployed to \(body.endpoint)")
        }
        if let body = try event.body(DeploymentFinished.self) {
            let place = body.scoringURL.map { " at \($0)" } ?? ""
            return Sentence(
                "deployment of \(body.model) version \(body.version) to \(body.endpoint) \(body.outcome.words)\(place)"
                    + suffix(body.message))
        }
        if let body = try event.body(SmokeTestFinished.self) {
            return Sentence(
                "smoke test of version \(body.version) \(body.outcome.words) at attempt \(body.attempts): \(body.message)"
            )
        }
        if let body = try event.body(DeploymentRolledBack.self) {
            let restored = body.restored.map { "back to version \($0)" } ?? "nothing served before"
            return Sentence("\(body.endpoint) gave up version \(body.version), \(restored): \(body.reason)")
        }
        if let body = try event.body(DeploymentDrifted.self) {
            return Sentence("\(body.endpoint) has drifted: \(body.reason)")
        }
        if let body = try event.body(DeploymentSettled.self) {
            return Sentence("\(body.endpoint) serves what it should again")
        }
        if let body = try event.body(EndpointChanged.self) {
            let version = body.version.map { "version \($0)" } ?? "nothing"
            return Sentence("\(body.endpoint) serves \(version) of \(body.model) (\(body.state)) at \(body.url)")
        }
        if let body = try event.body(NotificationSent.self) { return Sentence("\(body.recipient) was told") }
        if let body = try event.body(NotificationFailed.self) {
            return Sentence("\(body.recipient) could not be told: \(body.reason)")
        }
        return nil
    }

    private static func quoted(_ text: String?) -> String {
        text.map { $0.isEmpty ? "" : ": “\($0)”" } ?? ""
    }

    private static func suffix(_ text: String?) -> String {
        text.map { $0.isEmpty ? "" : ": \($0)" } ?? ""
    }

    private static func seconds(_ value: Double) -> String { "\((value * 10).rounded() / 10) s" }

    private static func number(_ value: Double?) -> String { value.map { "\($0)" } ?? "missing" }

    private static func values(_ metrics: [String: JSONValue]) -> String {
        guard !metrics.isEmpty else { return "" }
        return ": "
            + metrics.sorted { $0.key < $1.key }.prefix(6)
            .map { "\($0.key) \($0.value.scalarText ?? "?")" }.joined(separator: ", ")
    }
}

extension Outcome {
    /// As a verb in a sentence.
    var words: String {
        switch self {
        case .succeeded: "succeeded"
        case .failed: "failed"
        case .canceled: "was canceled"
        case .skipped: "was skipped"
        case .notPromoted: "ended without promotion"
        }
    }
}

extension EvaluationReason {
    var words: String { rawValue.split(separator: "_").joined(separator: " ") }
}
