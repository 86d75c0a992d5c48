import Messages
import ProjectFile
import Store

/// A moment in a job or step that is to come back after a while.
struct Reminder: Sendable, Hashable, Codable {
    var run: String
    var job: String
    /// Of the job's beginning, for a deadline.
    var started: Timestamp?
    /// Of a step's next attempt, or of the one whose time is over.
    var item: String?
}

/// Kinds of intents of this service.
enum IntentKind {
    static let read = "read"
    static let snapshot = "snapshot"
    static let deliver = "deliver"
    static let watch = "watch"
    static let deadline = "deadline"
    static let attempt = "attempt"
    static let expiry = "expiry"
    static let startTimeout = "start-timeout"
    static let stepDeadline = "step-deadline"
    static let stepConfirmation = "step-confirmation"
}

extension Dispatcher {
    /// Publishes one change, with the intents that belong to it. Returns the event that ended the run.
    func publish(_ change: RunChange, _ machine: RunMachine, _ transaction: Transaction) throws -> Envelope? {
        let run = machine.run
        switch change {
        case .runStarted:
            try say(
                RunStarted(
                    run: run.id, number: run.facts.number, project: run.facts.project, pipeline: run.facts.pipeline,
                    snapshot: run.status.snapshot), run, transaction)
        case .runFinished:
            return try say(run.finishedEvent, run, transaction)
        case .cancelBegun(let places, let reason):
            try say(
                RunCancelBegun(
                    run: run.id, number: run.facts.number, project: run.facts.project, pipeline: run.facts.pipeline,
                    reason: reason,
                    waitsFor: places.prefix(Self.mostAwaited).map { "\(run.jobs[$0.job].id)/\(run[$0].id)" }),
                run, transaction)
        case .jobStarted(let job):
            try say(JobStarted(run: run.id, job: run.jobs[job].id), run, transaction)
        case .jobFinished(let job):
            if machine.plan[job].timeout != nil {
                try forgetReminder(IntentKind.deadline, id: run.deadline(of: job), transaction)
            }
            try finished(job, run, transaction)
        case .stepFinished(let place, let attempt):
            let item = run.item(place, attempt: attempt.attempt)
            if machine.plan[place.job].steps[place.step].timeout != nil {
                try forgetReminder(IntentKind.stepDeadline, id: item, transaction)
            }
            if attempt.wasToStop { try forgetReminder(IntentKind.stepConfirmation, id: item, transaction) }
            try say(finishedEvent(run, place, attempt), run, transaction)
        case .cancelRequested(let place, let reason):
            try say(
                StepCancelRequested(
                    run: run.id, job: run.jobs[place.job].id, step: run[place].id, item: run.item(place),
                    reason: reason), run, transaction)
        case .offered:
            break
        case .approvalWanted(let approval):
            try ask(approval, run, transaction)
        case .approvalClosed(let id, let result, let reason):
            try close(id, result, by: nil, comment: reason, transaction)
        case .retry(let place, let due):
            try remind(IntentKind.attempt, of: place, run, at: due, transaction)
        case .stepDeadline(let place, let due):
            try remind(IntentKind.stepDeadline, of: place, run, at: due, transaction)
        case .stepConfirmation(let place, let due):
            try remind(IntentKind.stepConfirmation, of: place, run, at: due, transaction)
        case .deadline(let job, let due):
            let reminder = Reminder(run: run.id, job: run.jobs[job].id, started: run.jobs[job].status.started)
            try remind(IntentKind.deadline, id: run.deadline(of: job), reminder, at: due, transaction)
        }
        return nil
    }

    func remind(
        _ kind: String, of place: StepPlace, _ run: Run, at due: Timestamp, _ transaction: Transaction
    ) throws {
        let item = run.item(place)
        let reminder = Reminder(run: run.id, job: run.jobs[place.job].id, item: item)
        try remind(kind, id: item, reminder, at: due, transaction)
    }

    /// Named steps of those whose workers have to confirm.
    private static let mostAwaited = 100

    @discardableResult
    func say(_ body: some EventBody, _ run: Run, _ transaction: Transaction) throws -> Envelope {
        try transaction.publish(body, subject: "run/\(run.id)", key: run.id, because: run.facts.causation)
    }

    func finished(_ job: Int, _ run: Run, _ transaction: Transaction) throws {
        let status = run.jobs[job].status
        try say(
            JobFinished(
                run: run.id, job: run.jobs[job].id, outcome: status.outcome ?? .failed, message: status.message,
                outputs: EventRoom.fitting(outputs: status.outputs)), run, transaction)
    }

    func finishedEvent(_ run: Run, _ place: StepPlace, _ attempt: FinishedAttempt) -> StepFinished {
        StepFinished(
            run: run.id, job: run.jobs[place.job].id, step: run[place].id, attempt: attempt.attempt,
            verb: run[place].verb, outcome: attempt.outcome, message: attempt.message, outputs: attempt.outputs,
            log: attempt.log, seconds: attempt.seconds)
    }
}

extension Run {
    /// The idempotency key of a job's deadline: another for each beginning.
    func deadline(of job: Int) -> String {
        "\(id)/\(jobs[job].id)/\(jobs[job].status.started?.milliseconds ?? 0)"
    }

    /// Of all its jobs, by job.
    var outputs: JSONValue {
        .object(Dictionary(jobs.map { ($0.id, $0.status.outputs) }, uniquingKeysWith: { $1 }))
    }

    var finishedEvent: RunFinished {
        let begin = status.started ?? facts.queued
        return RunFinished(
            run: id, number: facts.number, project: facts.project, pipeline: facts.pipeline, branch: facts.git?.branch,
            sha: facts.git?.sha, outcome: status.outcome ?? .failed, message: status.message,
            failedStep: status.failedStep, seconds: status.finished?.seconds(since: begin) ?? 0,
            outputs: EventRoom.fitting(outputs: outputs))
    }
}
