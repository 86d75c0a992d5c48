import Messages
import ProjectFile

/// What a step's `timeout`, and being told to stop, mean whoever works it: the grantor sees to it, so that also a worker
/// that knows nothing of time, or that hangs, ends in the end.
extension RunMachine {
    /// A worker may keep the time itself, and then has its own words for it. It begins later than it was granted the step,
    /// and takes a moment to end what it began.
    static let timeoutGrace: Duration = .seconds(30)
    /// How long a worker has to confirm that it stopped. After that it is not waited for.
    static let confirmation: Duration = .seconds(300)

    /// The time runs from the first grant, also when another worker goes on with the step.
    mutating func setDeadline(_ place: StepPlace) {
        // `pipeline/start` has its own way to end: there is no worker that could be told.
        guard run[place].verb != PipelineStart.verb, let seconds = run[place].status.offer?.timeoutSeconds else {
            return
        }
        changes.append(.stepDeadline(place, at: now.advanced(by: .seconds(seconds) + Self.timeoutGrace)))
    }

    /// The step's time is over: its worker is told to stop it.
    mutating func stepTimedOut(_ item: String) {
        guard let place = run.place(of: item), !run[place].status.canceling,
            let seconds = run[place].status.offer?.timeoutSeconds
        else { return }
        let reason = "it took longer than its timeout of \(seconds) s"
        switch run[place].status.phase {
        case .held:
            run[place].status.timedOut = reason
            tellToStop(place, reason)
        case .offered:
            // Its worker was lost, and no other has taken it.
            conclude(place, StepResult(.failed, message: reason))
        case .waiting, .delayed, .finished:
            return
        }
        advance()
    }

    /// Whyever a held step is to stop: its worker is told, and waited for no longer than `confirmation`.
    mutating func tellToStop(_ place: StepPlace, _ reason: String) {
        run[place].status.canceling = true
        changes.append(.cancelRequested(place, reason: reason))
        // `pipeline/start` ends with the run that it started, whose own workers are waited for no longer.
        guard run[place].verb != PipelineStart.verb else { return }
        changes.append(.stepConfirmation(place, at: now.advanced(by: Self.confirmation)))
    }

    /// Its worker was told to stop the step, and has not said that it did.
    mutating func stepUnconfirmed(_ item: String) {
        guard let place = run.place(of: item), run[place].status.canceling,
            run[place].status.phase == .held || run[place].status.phase == .offered
        else { return }
        let job = run.jobs[place.job].status
        let reason =
            run[place].status.timedOut ?? job.timedOut ?? job.revoked ?? run.status.canceling ?? "it was to stop"
        let worker = run[place].status.lease?.worker ?? "its worker"
        let seconds = Self.confirmation.components.seconds
        // Not tried again: what was begun may still go on.
        finishStep(
            place,
            StepResult(
                run[place].status.timedOut == nil ? .canceled : .failed,
                message: "\(reason), and \(worker) has not confirmed within \(seconds) s that it stopped"))
        nextStep(place.job)
        advance()
    }

    /// For its worker a step that was stopped is canceled; when its time was over, it has failed.
    func judged(_ result: StepResult, at place: StepPlace) -> StepResult {
        guard result.outcome == .canceled, let reason = run[place].status.timedOut else { return result }
        var failed = result
        failed.outcome = .failed
        failed.message = reason
        return failed
    }
}
