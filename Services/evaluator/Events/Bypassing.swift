import Messages
import Store

/// A person lets a challenger pass that had lost: never silently, never without a name and a reason (E14, X15).
extension Transaction {
    func answer(_ wish: BypassRequested, asked envelope: Envelope) throws {
        do {
            let lost = try lostGate(wish)
            let reason = wish.reason.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            guard !reason.isEmpty else { throw Refusal("a bypass needs a reason, for those who ask later") }
            guard envelope.actor.hasPrefix("user:") else {
                throw Refusal("only a person may let a challenger pass, and \(envelope.actor) is none")
            }
            let bypass = GateBypass(by: envelope.actor, reason: reason, decision: lost.digest.text)
            try remember(bypass, run: wish.run, step: lost.decision.step)
            try publish(
                EvaluationBypassed(
                    decision: bypass.decision, run: wish.run, step: lost.decision.step,
                    model: lost.decision.inputs.model, by: bypass.by, reason: bypass.reason),
                subject: "model/\(lost.decision.inputs.model)", key: lost.decision.inputs.model,
                because: envelope.consequence)
            try answer(envelope, run: wish.run, accepted: true, reason: nil)
        } catch let refusal as Refusal {
            try answer(envelope, run: wish.run, accepted: false, reason: refusal.reason)
        }
    }

    private func lostGate(_ wish: BypassRequested) throws -> (decision: Decision, digest: Digest) {
        let decisions = try RecordQueries.decisions(ofRun: wish.run, db)
        let lost = decisions.filter { $0.value.decision.winner == .champion }
        if let step = wish.step {
            guard let decision = decisions[step] else {
                let known = decisions.keys.sorted().joined(separator: ", ")
                throw Refusal("run \(wish.run) decided nothing in step '\(step)'; it decided in: \(known)")
            }
            guard decision.decision.winner == .champion else {
                throw Refusal("step '\(step)' was not lost: there is nothing to bypass")
            }
            return decision
        }
        guard let only = lost.first else {
            throw Refusal("run \(wish.run) lost no comparison: there is nothing to bypass")
        }
        guard lost.count == 1 else {
            throw Refusal(
                "run \(wish.run) lost several comparisons: name one of \(lost.keys.sorted().joined(separator: ", "))")
        }
        return only.value
    }

    private func answer(_ command: Envelope, run: String, accepted: Bool, reason: String?) throws {
        try publish(
            EvaluationCommandAnswered(command: command.id, accepted: accepted, reason: reason), subject: "run/\(run)",
            key: run, because: command.consequence)
    }
}
