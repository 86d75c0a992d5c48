import Messages
import Store

/// A person who answered, as the token says.
struct Answerer: Sendable, Hashable {
    let name: String
    let email: String?

    init(_ envelope: Envelope, _ answer: ApprovalAnswered) {
        name = envelope.actor
        email = answer.email
    }
}

extension Dispatcher {
    /// A job waits for people: a row, an event and a date of expiry.
    func ask(_ approval: Approval, _ run: Run, _ transaction: Transaction) throws {
        try transaction.save(approval)
        try say(
            ApprovalRequested(
                approval: approval.id, run: approval.run, job: approval.job, project: approval.project,
                pipeline: approval.pipeline, environment: approval.environment, required: approval.required,
                from: approval.from, requester: approval.requester, requesterMayApprove: approval.requesterMayApprove,
                model: approval.model, version: approval.version, decision: approval.decision,
                expires: approval.expires), run, transaction)
        try transaction.intend(IntentKind.expiry, id: approval.id, payload: approval.id, at: approval.expires)
    }

    /// A person answered.
    /// - Throws: `Refusal` with the reason.
    func answer(_ answer: ApprovalAnswered, by envelope: Envelope, _ transaction: Transaction) throws {
        guard let asked = try transaction.approval(answer.approval) else {
            throw Refusal("there is no approval '\(answer.approval)'; `martlet approvals list` shows those that wait")
        }
        // What was asked for may have become void since this service last looked.
        try move(asked.run, transaction) { $0.championMoved() }
        guard var approval = try transaction.approval(answer.approval) else { return }
        let progress = try approval.answer(
            answer.approve, by: envelope.actor, email: answer.email, groups: answer.groups, comment: answer.comment,
            at: transaction.now)
        try transaction.save(approval)
        // The answer belongs to the run's story, wherever the person's wish came from.
        var because = envelope.consequence
        because.correlation = try transaction.run(approval.run)?.run.facts.causation.correlation ?? because.correlation
        if answer.approve {
            try transaction.publish(
                ApprovalGiven(
                    approval: approval.id, run: approval.run, by: envelope.actor, email: answer.email,
                    comment: answer.comment, given: approval.agreed.count, required: approval.required),
                subject: "run/\(approval.run)", key: approval.run, because: because)
        }
        switch progress {
        case .counted: break
        case .granted:
            try end(approval, .granted, by: Answerer(envelope, answer), comment: answer.comment, because, transaction)
        case .rejected:
            try end(approval, .rejected, by: Answerer(envelope, answer), comment: answer.comment, because, transaction)
        }
    }

    /// Its time is over.
    func expire(_ id: String, _ transaction: Transaction) throws {
        guard var approval = try transaction.approval(id), let result = approval.expire() else { return }
        let comment = result == .granted ? "nobody answered in time: on_timeout is approve" : nil
        try end(approval, result, by: nil, comment: comment, nil, transaction)
    }

    private func end(
        _ approval: Approval, _ result: ApprovalResult, by person: Answerer?, comment: String?, _ because: Causation?,
        _ transaction: Transaction
    ) throws {
        try close(approval.id, result, by: person, comment: comment, because: because, transaction)
        // Whoever works the job's steps must have seen that it was granted.
        try reached([transaction.head()], run: approval.run, transaction)
        try move(approval.run, transaction) {
            $0.approvalEnded(approval, result, by: person?.name, comment: comment)
        }
    }

    func close(
        _ id: String, _ result: ApprovalResult, by person: Answerer?, comment: String?, because: Causation? = nil,
        _ transaction: Transaction
    ) throws {
        guard var approval = try transaction.approval(id) else { return }
        approval.result = result
        try transaction.save(approval)
        try transaction.dropIntent(IntentKind.expiry, id: id)
        let own = try transaction.run(approval.run)?.run.facts.causation
        try transaction.publish(
            ApprovalFinished(
                approval: id, run: approval.run, job: approval.job, environment: approval.environment, result: result,
                by: person?.name, email: person?.email, comment: comment, version: approval.version,
                decision: approval.decision),
            subject: "run/\(approval.run)", key: approval.run,
            because: because ?? own ?? .first(actor: "service:trigger-service"))
    }

    /// Later steps of the run are worked only where these positions are known.
    func reached(_ positions: [LogPosition], run: String, _ transaction: Transaction) throws {
        guard !positions.isEmpty, let heads = try transaction.run(run)?.heads else { return }
        let merged = heads.merging(positions)
        if merged != heads { try transaction.setHeads(merged, of: run) }
    }
}
