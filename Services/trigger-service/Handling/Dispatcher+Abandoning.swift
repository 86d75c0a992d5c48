import Messages
import Store

/// A run that cannot be read: its rows are damaged, or this version reads its project file otherwise than the one that
/// began it. No event and no worker would ever move it, so it has failed; nobody waits behind it, or for it.
extension Dispatcher {
    /// A run as it is stored; `nil` when there is none, or it is damaged and therefore over.
    func readable(_ id: String, _ transaction: Transaction) throws -> StoredRun? {
        do {
            return try transaction.run(id)
        } catch let error as DecodingError {
            try abandon(id, because: error, transaction)
            return nil
        }
    }

    /// Ends it and tells so; nothing where it is over already.
    func abandon(_ id: String, because error: any Error, _ transaction: Transaction) throws {
        guard let header = try transaction.openRun(id) else { return }
        let isWhole = error is Refusal
        let words = isWhole ? "\(error)" : "what is stored of it is damaged"
        let reason = "the run cannot go on: \(words)".shortened()
        try following(transaction) { left in
            if isWhole, let stored = try transaction.run(id) {
                try abandon(stored, reason, left, transaction)
            } else {
                try abandon(header, reason, transaction)
            }
        }
    }

    private func abandon(
        _ stored: StoredRun, _ reason: String, _ left: LeftToDo, _ transaction: Transaction
    ) throws {
        let old = stored.run
        var run = old
        run.abandon(reason, at: transaction.now)
        try transaction.update(run, from: old)
        try closeApprovals(of: run.id, reason, because: run.facts.causation, transaction)
        for place in run.places where run[place] != old[place] {
            if old[place].status.phase == .held { try stop(place, of: run, reason, transaction) }
            let ended = FinishedAttempt(
                attempt: run[place].status.attempt, outcome: .canceled, message: reason, outputs: .object([:]),
                wasToStop: old[place].status.canceling)
            try say(finishedEvent(run, place, ended), run, transaction)
        }
        for job in run.jobs.indices where run.jobs[job].status != old.jobs[job].status {
            try finished(job, run, transaction)
        }
        let end = try say(run.finishedEvent, run, transaction)
        left.add(.followUp(end, run))
    }

    /// Whoever works on the step is told that nothing comes of it any more.
    private func stop(_ place: StepPlace, of run: Run, _ reason: String, _ transaction: Transaction) throws {
        if run[place].verb == PipelineStart.verb {
            return try stopStarts([place], of: run, reason: reason, transaction)
        }
        try say(
            StepCancelRequested(
                run: run.id, job: run.jobs[place.job].id, step: run[place].id, item: run.item(place), reason: reason),
            run, transaction)
    }

    /// By its columns alone: nobody can tell any more what of it was at work.
    private func abandon(_ run: RunHeader, _ reason: String, _ transaction: Transaction) throws {
        let because = Causation.first(actor: "service:\(Source.triggerService)")
        try transaction.endDamaged(run.id, message: reason)
        try closeApprovals(of: run.id, reason, because: because, transaction)
        let body = RunFinished(
            run: run.id, number: run.number, project: run.project, pipeline: run.pipeline, sha: run.sha,
            outcome: .failed, message: reason, seconds: 0, outputs: .object([:]))
        try transaction.publish(body, subject: "run/\(run.id)", key: run.id, because: because)
        if let item = run.startedBy {
            let message = "run #\(run.number) of '\(run.pipeline)' ended failed: \(reason)"
            try end(item, StepResult(.failed, message: message), transaction)
        }
        try admit(transaction)
    }

    private func closeApprovals(
        of run: String, _ reason: String, because: Causation, _ transaction: Transaction
    ) throws {
        for approval in try transaction.waitingApprovals(of: run) {
            try close(approval, .canceled, by: nil, comment: reason, because: because, transaction)
        }
    }
}
