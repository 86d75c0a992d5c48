import Messages
import ProjectFile

extension RunMachine {
    /// What has not begun is canceled now, what a worker holds when it confirms.
    mutating func cancel(_ words: String) {
        let reason = words.shortened()
        guard run.status.phase != .finished, run.status.canceling == nil else { return }
        run.status.canceling = reason
        run.status.phase = .running
        for job in run.jobs.indices {
            switch run.jobs[job].status.phase {
            case .waiting:
                finishJob(job, .canceled, message: reason)
            case .approval:
                closeApproval(of: job, .canceled, reason: reason)
                finishJob(job, .canceled, message: reason)
            case .running:
                stop(job, reason)
            case .finished:
                break
            }
        }
        let held = run.places.filter { run[$0].status.phase == .held || run[$0].status.canceling }
        if !held.isEmpty { changes.append(.cancelBegun(held, reason: reason)) }
        advance()
    }

    /// The job's time is over. `started` tells this beginning of the job from an earlier one.
    mutating func timeOut(_ job: String, started: Timestamp) {
        guard let index = run.jobs.firstIndex(where: { $0.id == job }),
            run.jobs[index].status.phase == .running, run.jobs[index].status.started == started,
            run.jobs[index].status.timedOut == nil, let timeout = plan[index].timeout
        else { return }
        let reason = "job '\(job)' was stopped: it took longer than its timeout of \(timeout.components.seconds) s"
        run.jobs[index].status.timedOut = reason
        stop(index, reason)
        advance()
    }

    mutating func stop(_ job: Int, _ reason: String) {
        for step in run.jobs[job].steps.indices {
            let place = StepPlace(job: job, step: step)
            switch run[place].status.phase {
            case .held where !run[place].status.canceling:
                tellToStop(place, reason)
            case .offered where run[place].status.canceling:
                // On its way back to a worker that was told to stop it: that worker confirms.
                break
            case .offered, .delayed:
                finishStep(place, StepResult(.canceled, message: reason))
            case .held, .waiting, .finished:
                break
            }
        }
        nextStep(job)
    }

    mutating func closeApproval(of job: Int, _ result: ApprovalResult, reason: String) {
        guard let approval = run.jobs[job].status.approval else { return }
        run.jobs[job].status.answer = GateAnswer(result, comment: reason)
        changes.append(.approvalClosed(approval, result, reason: reason))
    }
}

extension Run {
    /// Sets back what did not succeed and everything that builds on it; it waits for its turn again.
    ///
    /// - Parameter all: what succeeded as well.
    mutating func retry(all: Bool, plan: RunPlan) {
        var again = Set(jobs.indices.filter { all || jobs[$0].status.outcome != .succeeded })
        var grown = true
        while grown {
            grown = false
            for job in jobs.indices
            where !again.contains(job) && !plan.needs(of: job).allSatisfy({ !again.contains($0) }) {
                again.insert(job)
                grown = true
            }
        }
        for job in again {
            jobs[job].status = RunJob.Status()
            for step in jobs[job].steps.indices {
                var status = RunStep.Status()
                // A new attempt is a new item: a late word about the old one is not taken for it.
                status.attempt = jobs[job].steps[step].status.attempt + 1
                jobs[job].steps[step].status = status
            }
        }
        let (snapshot, attempt, void) = (status.snapshot, status.attempt, status.void)
        status = RunStatus()
        status.snapshot = snapshot
        status.attempt = attempt + 1
        // What succeeded keeps its outputs, and with them a decision that was taken back.
        status.void = void
    }
}
