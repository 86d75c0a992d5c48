import Messages

/// Everything that a comparison was made of and came to. It is never changed; its digest is its name (E12).
struct Decision: Hashable, Sendable, Codable {
    struct Inputs: Hashable, Sendable, Codable {
        /// The work item: the same numbers judged in another run are another decision.
        var item: String
        var run: String
        var model: String
        var challenger: EvaluatedCandidate
        var champion: EvaluatedCandidate?
        /// How the champion was found; `nil` where a pinned pair said that there is none.
        var championSelector: String?
    }

    var inputs: Inputs
    var rule: ComparisonRule
    var winner: EvaluationWinner
    var reason: EvaluationReason
    var message: String
    var gates: [EvaluatedGate]?
    /// What both were scored on afresh.
    var dataset: DatasetReference?
    /// Of the predictions that were looked at.
    var evidence: [String: Digest]?
    var logAs: LogAs?
    var bypass: GateBypass?
}

extension Decision {
    var isAdvisory: Bool { rule.mode == .advisory }

    /// How a lost comparison ends the step (A.6): by default neutral (C-8). Advice never holds anybody up (E10).
    var outcome: Outcome {
        switch (winner, isAdvisory ? .report : rule.onLose) {
        case (.challenger, _), (.champion, .report): .succeeded
        case (.champion, .notPromoted): .notPromoted
        case (.champion, .fail): .failed
        }
    }

    func result(digest: Digest) -> StepResult {
        let challenger = inputs.challenger
        let name: JSONValue = challenger.version.map { .int($0) } ?? challenger.trainingRun.map { .string($0) } ?? .null
        return StepResult(
            outcome,
            outputs: [
                "winner": .string(winner.rawValue), "champion": inputs.champion?.version.map { .int($0) } ?? .null,
                "challenger": name,
                "champion_value": inputs.champion?.value.map { .double($0) } ?? .null,
                "challenger_value": challenger.value.map { .double($0) } ?? .null,
                "decision": .string(digest.text), "reason": .string(reason.rawValue),
                "advisory": .bool(isAdvisory), "bypassed": .bool(bypass != nil),
                "dataset": dataset.map { .string($0.text) } ?? .null,
                "metrics": .object(logged.mapValues { .double($0) }),
            ],
            message: message)
    }

    /// What `log_as` calls both numbers.
    var logged: [String: Double] {
        guard let logAs else { return [:] }
        let primary = EvaluatedGate(
            kind: "metric", name: rule.metric, passed: true, message: "", challenger: inputs.challenger.value,
            champion: inputs.champion?.value)
        return logAs.metrics(of: [primary] + (gates ?? []))
    }
}

extension Decision {
    /// `<job>/<step>` of the work item, whatever its attempt.
    var step: String {
        // Runs and attempts hold no `/`; names of jobs and steps might.
        inputs.item.split(separator: "/").dropFirst().dropLast().joined(separator: "/")
    }

    /// Whether a person's word about an earlier decision also holds for this one: about the same two (E13).
    func concernsSame(as earlier: Decision) -> Bool {
        inputs.model == earlier.inputs.model && inputs.champion?.version == earlier.inputs.champion?.version
            && inputs.challenger.version == earlier.inputs.challenger.version
            && inputs.challenger.trainingRun == earlier.inputs.challenger.trainingRun
    }

    /// The same with a person's leave to go on (E14).
    func bypassed(by bypass: GateBypass) -> Decision {
        var decision = self
        decision.bypass = bypass
        decision.winner = .challenger
        decision.reason = .bypassed
        decision.message = "Bypassed by \(bypass.by): \(bypass.reason). What it had lost: \(message)".shortened()
        return decision
    }
}
