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
}

extension Decision {
    /// How a lost comparison ends the step (A.6): by default neutral (C-8).
    var outcome: Outcome {
        switch (winner, rule.onLose) {
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
            ],
            message: message)
    }
}
