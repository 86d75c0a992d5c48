import Messages
import ProjectFile

extension RunMachine {
    /// How a worker's word about a step was taken.
    enum Acceptance: Sendable, Hashable {
        case accepted
        /// The same word again: the answer to the first got lost.
        case repeated
        /// Somebody else holds the step, or it is of an older attempt: nothing that this worker says counts.
        case lost
    }

    /// A worker took an offered step.
    mutating func take(_ place: StepPlace, _ lease: StepLease) {
        guard run[place].status.phase == .offered else { return }
        run[place].status.phase = .held
        run[place].status.lease = lease
        // A step that is handed on after its worker vanished began when it first began.
        let isNew = run[place].status.started == nil
        if isNew { run[place].status.started = now }
        startJob(place.job)
        if isNew { setDeadline(place) }
    }

    private mutating func startJob(_ job: Int) {
        guard run.jobs[job].status.started == nil else { return }
        run.jobs[job].status.started = now
        changes.append(.jobStarted(job))
        if let timeout = plan[job].timeout { changes.append(.deadline(job, at: now.advanced(by: timeout))) }
    }

    /// A compare-and-set on the token (bus.md 6).
    mutating func complete(_ item: String, token: Int64, _ result: StepResult) -> Acceptance {
        guard let place = run.place(of: item) else { return .lost }
        let status = run[place].status
        guard status.phase == .held, status.lease?.token == token else {
            return status.acceptedToken == token ? .repeated : .lost
        }
        run[place].status.acceptedToken = token
        if let reason = Self.refusal(of: result.outputs) {
            // Not tried again: it would say as much once more.
            finishStep(place, StepResult(.failed, message: reason, log: result.log))
            nextStep(place.job)
        } else {
            conclude(place, judged(result, at: place))
        }
        advance()
        return .accepted
    }

    /// The step ends so, or is tried again.
    mutating func conclude(_ place: StepPlace, _ result: StepResult) {
        if retries(place, after: result) {
            delay(place, result)
        } else {
            finishStep(place, result)
            nextStep(place.job)
        }
    }

    /// Why these cannot be told; `nil`: they can.
    private static func refusal(of outputs: JSONValue) -> String? {
        let remedy = "put more into an artifact (artifact/publish) and refer to it"
        let bytes = EventRoom.bytes(outputs)
        if bytes > EventRoom.stepOutputs {
            return "its outputs take \(bytes) bytes, and a step has at most \(EventRoom.stepOutputs); \(remedy)"
        }
        if outputs.isDeeper() {
            return "its outputs are nested in more than \(JSONValue.mostLevels) levels; \(remedy)"
        }
        return nil
    }

    private func retries(_ place: StepPlace, after result: StepResult) -> Bool {
        guard result.outcome == .failed, let retry = plan[place.job].retry else { return false }
        let job = run.jobs[place.job].status
        let isStopped = run[place].status.canceling && run[place].status.timedOut == nil
        return job.retries < retry.max && !job.isStopped && run.status.canceling == nil && !isStopped
    }

    /// Only the step that failed is tried again: what its job did before stays done.
    private mutating func delay(_ place: StepPlace, _ result: StepResult) {
        changes.append(.stepFinished(place, attempt(place, result)))
        var status = RunStep.Status()
        status.attempt = run[place].status.attempt + 1
        status.phase = .delayed
        run[place].status = status
        run.jobs[place.job].status.retries += 1
        let first = plan[place.job].retry?.backoff ?? .zero
        let wait = RetryWait.beforeAttempt(run.jobs[place.job].status.retries + 1, first: first)
        changes.append(.retry(place, at: now.advanced(by: wait)))
    }

    /// The wait before another attempt is over.
    mutating func retryDue(_ item: String) {
        guard let place = run.place(of: item), run[place].status.phase == .delayed else { return }
        run[place].status.phase = .waiting
        nextStep(place.job)
        advance()
    }

    mutating func checkpoint(_ item: String, token: Int64, _ value: JSONValue) -> Acceptance {
        guard let place = run.place(of: item), run[place].status.phase == .held,
            run[place].status.lease?.token == token
        else { return .lost }
        run[place].status.checkpoint = value
        return .accepted
    }

    /// No worker can take an offered step, and none is waited for any longer.
    mutating func giveUp(_ place: StepPlace, reason: String) {
        guard run[place].status.phase == .offered else { return }
        finishStep(place, StepResult(.failed, message: reason))
        nextStep(place.job)
        advance()
    }

    /// A worker is gone: its steps are for the next.
    ///
    /// - Parameter comesBack: the same worker has just opened a new session. A step that it was to stop goes back to it,
    ///   for only it can end what it began; from a worker that is not heard of any more it is taken as stopped.
    mutating func release(session: String, comesBack: Bool) {
        for job in run.jobs.indices {
            for step in run.jobs[job].steps.indices {
                let place = StepPlace(job: job, step: step)
                guard run[place].status.phase == .held, run[place].status.lease?.session == session else { continue }
                let worker = run[place].status.lease?.worker ?? "its worker"
                run[place].status.lease = nil
                if run[place].status.canceling, !comesBack {
                    let result = StepResult(.canceled, message: "\(worker) was gone before it confirmed")
                    conclude(place, judged(result, at: place))
                } else {
                    run[place].status.phase = .offered
                    changes.append(.offered(place))
                }
            }
        }
        advance()
    }
}
