import Messages
import ProjectFile

extension RunMachine {
    func wanted(_ approvals: Approvals, in environment: String, for job: Int) -> Approval {
        let subject = subject(of: job)
        return Approval(
            id: newID(), run: run.id, job: run.jobs[job].id, project: run.facts.project, pipeline: run.facts.pipeline,
            environment: environment, required: approvals.required, from: approvals.from,
            requester: run.facts.requester, requesterEmail: run.facts.requesterEmail,
            otherRequesters: run.facts.otherRequesters, requesterMayApprove: approvals.requesterMayApprove,
            model: subject.model, version: subject.version, decision: subject.decision,
            expires: now.advanced(by: approvals.timeout), grantedOnTimeout: approvals.onTimeout == .approve,
            watchesChampion: plan[job].recheck != nil)
    }

    /// What people agree to: the outputs `model`, `version` and `decision` of the jobs before it, else the cause's own.
    func subject(of job: Int) -> (model: String?, version: String?, decision: String?) {
        func output(_ name: String) -> String? {
            for needed in plan.needs(of: job).reversed() {
                if let text = run.jobs[needed].status.outputs[name]?.scalarText, !text.isEmpty { return text }
            }
            return nil
        }
        let model = run.facts.event["model"]
        return (
            output("model") ?? model?["name"]?.scalarText ?? run.facts.model,
            output("version") ?? model?["version"]?.scalarText,
            output("decision")
        )
    }

    /// Why what was compared with does not hold any more; `nil` while it does.
    func staleness(of job: Int) throws(EvaluationError) -> String? {
        if asksPeople(job), let decision = subject(of: job).decision, let reason = run.status.void?[decision] {
            return "decision \(decision.prefix(19))… is void: \(reason)"
        }
        guard let recheck = plan[job].recheck else { return nil }
        let subject = subject(of: job)
        // Where there is only one, nothing has to name it.
        let model = plan.project.models.count > 1 ? subject.model : run.facts.model
        guard
            let champion = model.flatMap({ run.facts.champion(of: $0, compared: plan.comparedSelector(of: job)) })
                .flatMap({ champions[$0] })
        else {
            throw EvaluationError(
                message: "'recheck' cannot tell which version of '\(model ?? "")' is the champion: the model is not in"
                    + " the project file, or its 'champion' is no selector that can be watched")
        }
        let compared = try recheck.championUnchanged.text(in: scope(before: job))
        // Its own version as champion: an earlier attempt of this job got that far.
        if champion == compared || champion == subject.version { return nil }
        return "the champion is \(Self.named(champion)) now, and this was compared with \(Self.named(compared))"
    }

    private func asksPeople(_ job: Int) -> Bool { (plan.environment(of: job)?.approvals?.required ?? 0) > 0 }

    private static func named(_ version: String) -> String { version.isEmpty ? "nobody" : "version \(version)" }

    /// People agreed or did not.
    mutating func approvalEnded(_ approval: Approval, _ result: ApprovalResult, by person: String?, comment: String?) {
        guard let job = run.jobs.firstIndex(where: { $0.status.approval == approval.id }),
            run.jobs[job].status.phase == .approval
        else { return }
        let words = comment.map { ": \($0)" } ?? ""
        run.jobs[job].status.answer = GateAnswer(result, by: person, comment: comment)
        switch result {
        case .granted:
            resume(job)
        case .rejected:
            finishJob(job, .failed, message: "rejected by \(person ?? "somebody")\(words)")
        case .expired:
            finishJob(job, .failed, message: "nobody approved before \(approval.expires.text)")
        case .void:
            finishJob(job, .notPromoted, message: comment)
        case .canceled:
            finishJob(job, .canceled, message: comment)
        }
        advance()
    }

    private mutating func resume(_ job: Int) {
        do {
            if let reason = try staleness(of: job) {
                finishJob(job, .notPromoted, message: reason)
            } else {
                begin(job)
            }
        } catch {
            finishJob(job, .failed, message: "job '\(run.jobs[job].id)': \(error)")
        }
    }

    /// The evaluator took a decision back: what was asked for because of it is void, and nothing more is (E13).
    mutating func decisionVoided(_ decision: String, reason: String) {
        run.status.void = (run.status.void ?? [:]).merging([decision: reason.shortened()]) { first, _ in first }
        voidStaleApprovals()
    }

    /// A champion moved, or a decision was taken back: approvals that were asked for because of what was are void.
    mutating func voidStaleApprovals() {
        for job in run.jobs.indices where run.jobs[job].status.phase == .approval {
            guard let reason = try? staleness(of: job) else { continue }
            closeApproval(of: job, .void, reason: reason)
            finishJob(job, .notPromoted, message: reason)
        }
        advance()
    }

    /// What was agreed is taken back: nothing more of the job begins, and what a worker holds is to be stopped.
    /// - Returns: `false` when the job was over, or has asked anew since.
    mutating func approvalRevoked(_ approval: Approval, by person: String, comment: String?) -> Bool {
        guard let job = run.jobs.firstIndex(where: { $0.status.approval == approval.id }),
            run.jobs[job].status.phase == .running, run.jobs[job].status.revoked == nil
        else { return false }
        let reason = "the approval was revoked by \(person)\(comment.map { ": \($0)" } ?? "")".shortened()
        run.jobs[job].status.answer = GateAnswer(.revoked, by: person, comment: comment)
        run.jobs[job].status.revoked = reason
        stop(job, reason)
        advance()
        return true
    }
}
