import Messages
import Store

/// Who answered: a person, as the token says, or a client of the bus, as its key does.
struct Answerer: Sendable, Hashable {
    let name: String
    let email: String?
}

extension Dispatcher {
    /// A job waits for people: a row, an event and a date of expiry.
    func ask(_ approval: Approval, _ run: Run, _ transaction: Transaction) throws {
        try transaction.save(approval)
        try say(
            ApprovalRequested(
                approval: approval.id, run: approval.run, job: approval.job, project: approval.project,
                pipeline: approval.pipeline, environment: approval.environment, required: approval.required,
                from: approval.from, requester: approval.requester, otherRequesters: approval.namesOfOthers,
                requesterMayApprove: approval.requesterMayApprove, model: approval.model, version: approval.version,
                decision: approval.decision, expires: approval.expires), run, transaction)
        try transaction.intend(IntentKind.expiry, id: approval.id, payload: approval.id, at: approval.expires)
    }

    /// Somebody answered.
    /// - Throws: `Refusal` with the reason.
    func answer(
        _ answer: ApprovalAnswered, by person: Answerer, because wish: Causation, _ transaction: Transaction
    ) throws {
        let asked = try askedFor(answer.approval, transaction)
        try asked.check(version: answer.version, decision: answer.decision)
        // What was asked for may have become void since this service last looked.
        try move(asked.run, transaction) { $0.voidStaleApprovals() }
        guard var approval = try transaction.approval(answer.approval) else { return }
        let progress = try approval.answer(
            answer.approve, by: person.name, email: person.email, groups: answer.groups, comment: answer.comment,
            at: transaction.now)
        try transaction.save(approval)
        let because = try told(wish, approval, transaction)
        if answer.approve {
            try transaction.publish(
                ApprovalGiven(
                    approval: approval.id, run: approval.run, by: person.name, email: person.email,
                    comment: answer.comment, given: approval.agreed.count, required: approval.required),
                subject: "run/\(approval.run)", key: approval.run, because: because)
        }
        switch progress {
        case .counted: break
        case .granted:
            try end(approval, .granted, by: person, comment: answer.comment, because, transaction)
        case .rejected:
            try end(approval, .rejected, by: person, comment: answer.comment, because, transaction)
        }
    }

    private func askedFor(_ id: String, _ transaction: Transaction) throws -> Approval {
        guard let asked = try transaction.approval(id) else {
            throw Refusal("there is no approval '\(id)'; `martlet approvals list` shows those that wait")
        }
        return asked
    }

    /// What people do belongs to the run's story, wherever their wish came from.
    private func told(_ wish: Causation, _ approval: Approval, _ transaction: Transaction) throws -> Causation {
        var because = wish
        let own = try readable(approval.run, transaction)?.run.facts.causation.correlation
        because.correlation = own ?? wish.correlation
        return because
    }

    /// A person takes back what was agreed (C-12). Returns what is left to do, in words; `nil` where nothing is.
    /// - Throws: `Refusal` with the reason.
    func revoke(
        _ wish: ApprovalRevokeRequested, by person: Answerer, because: Causation, _ transaction: Transaction
    ) throws -> String? {
        var approval = try askedFor(wish.approval, transaction)
        let revocation = try approval.revoke(
            by: person.name, email: person.email, groups: wish.groups, comment: wish.comment, at: transaction.now)
        try transaction.save(approval)
        let told = try told(because, approval, transaction)
        let stopped: Bool
        var rollback: [String] = []
        switch revocation {
        case .withdrawn: stopped = false
        case .revoked:
            stopped =
                try move(approval.run, transaction) {
                    $0.approvalRevoked(approval, by: person.name, comment: wish.comment)
                } ?? false
            if !stopped { rollback = try readable(approval.run, transaction)?.run.endpoints(of: approval.job) ?? [] }
        }
        let isTooLate = revocation == .revoked && !stopped
        try transaction.publish(
            ApprovalRevoked(
                approval: approval.id, run: approval.run, job: approval.job, environment: approval.environment,
                by: person.name, email: person.email, comment: wish.comment, given: approval.agreed.count,
                required: approval.required, stillWaits: revocation == .withdrawn, tooLate: isTooLate,
                rollback: rollback, model: approval.model, version: approval.version, decision: approval.decision),
            subject: "run/\(approval.run)", key: approval.run, because: told)
        guard isTooLate else { return nil }
        if rollback.isEmpty { return "the job '\(approval.job)' was over already, and deployed nothing" }
        let commands = rollback.map { "`martlet endpoints rollback \($0)`" }.joined(separator: ", ")
        return "the job '\(approval.job)' was over already; to take its deployment back: \(commands)"
    }

    /// Its time is over.
    func expire(_ id: String, _ transaction: Transaction) throws {
        guard var approval = try transaction.approval(id), let result = approval.expire() else { return }
        // The clock was set back meanwhile, and the date was told to people.
        guard transaction.now >= approval.expires else {
            return try transaction.intend(IntentKind.expiry, id: id, payload: id, at: approval.expires)
        }
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
        let chain = try because ?? readable(approval.run, transaction)?.run.facts.causation
        try transaction.publish(
            ApprovalFinished(
                approval: id, run: approval.run, job: approval.job, environment: approval.environment, result: result,
                by: person?.name, email: person?.email, comment: comment, version: approval.version,
                decision: approval.decision),
            subject: "run/\(approval.run)", key: approval.run,
            because: chain ?? .first(actor: "service:trigger-service"))
    }

    /// Later steps of the run are worked only where these positions are known.
    func reached(_ positions: [LogPosition], run: String, _ transaction: Transaction) throws {
        guard !positions.isEmpty, let heads = try readable(run, transaction)?.heads else { return }
        let merged = heads.merging(positions)
        if merged != heads { try transaction.setHeads(merged, of: run) }
    }
}
