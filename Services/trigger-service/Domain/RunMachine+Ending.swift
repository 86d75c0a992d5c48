import Messages
import ProjectFile

extension RunMachine {
    /// After the last step: the worst that counts is the job's own outcome.
    mutating func closeJob(_ job: Int) {
        let steps = run.jobs[job].steps
        if let reason = run.jobs[job].status.timedOut {
            finishJob(job, .failed, message: reason)
            return
        }
        if let reason = run.jobs[job].status.revoked {
            finishJob(job, .canceled, message: reason)
            return
        }
        let outcome = Scope.standing(of: Self.counting(steps))
        let decisive = steps.first { $0.status.outcome == outcome && !$0.status.tolerated }
        finishJob(job, outcome, message: outcome == .succeeded ? nil : decisive?.status.message, decisive: decisive?.id)
    }

    /// A skipped step decides nothing, one that may fail counts as succeeded.
    static func counting(_ steps: [RunStep]) -> [Outcome] {
        steps.compactMap(\.status).compactMap { status in
            guard let outcome = status.outcome, outcome != .skipped else { return nil }
            return status.tolerated ? .succeeded : outcome
        }
    }

    mutating func finishJob(_ job: Int, _ outcome: Outcome, message: String?, decisive step: String? = nil) {
        run.jobs[job].status.phase = .finished
        run.jobs[job].status.outcome = outcome
        run.jobs[job].status.message = message?.shortened()
        run.jobs[job].status.outputs = outputs(of: job)
        if outcome == .failed, run.status.failedStep == nil {
            run.status.failedStep = step.map { "\(run.jobs[job].id)/\($0)" } ?? run.jobs[job].id
        }
        changes.append(.jobFinished(job))
    }

    /// An output whose step never came to it is `null`: a job that failed has a say in what it did before.
    private func outputs(of job: Int) -> JSONValue {
        guard let scope = try? scope(in: job) else { return .object([:]) }
        return .object(plan[job].outputs.mapValues { template in (try? template.evaluate(in: scope)) ?? .null })
    }

    /// failed > canceled > not_promoted > succeeded; a run of which nothing was to be done is skipped.
    mutating func finishRun() {
        let outcomes = run.jobs.compactMap(\.status.outcome)
        let passedOver = run.jobs.filter { $0.status.passedOver == true }.compactMap(\.status.message)
        let counting = outcomes.filter { $0 != .skipped }
        let outcome = counting.isEmpty && !outcomes.isEmpty ? .skipped : Scope.standing(of: counting)
        run.status.phase = .finished
        run.status.outcome = outcome
        run.status.finished = now
        let decisive = run.jobs.first { $0.status.outcome == outcome }
        run.status.message =
            switch outcome {
            case .succeeded: passedOver.isEmpty ? nil : passedOver.joined(separator: "; ").shortened()
            case .canceled: run.status.canceling ?? decisive?.status.message
            case .skipped: passedOver.first ?? "no job's condition held"
            case .failed, .notPromoted: decisive?.status.message
            }
        changes.append(.runFinished)
    }
}
