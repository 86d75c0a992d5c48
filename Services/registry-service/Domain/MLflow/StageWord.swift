import Messages

/// Stages as MLflow's clients write them: whatever the case, and `None` for no stage.
enum StageWord {
    /// - Returns: the stage as declared; `nil` for no stage.
    static func resolve(_ word: String, in machine: StageMachine) throws(MLflowError) -> String? {
        if word.lowercased() == "none" || word.isEmpty { return nil }
        let known = machine.rules.keys.filter { $0.lowercased() != "none" }
        if let stage = known.first(where: { $0 == word })
            ?? known.sorted().first(where: { $0.lowercased() == word.lowercased() })
        {
            return stage
        }
        throw .invalid(
            "Invalid Model Version stage: \(word). Value must be one of None, \(inOrder(known).joined(separator: ", "))."
        )
    }

    /// MLflow's own in their usual order, before all others.
    private static func inOrder(_ stages: [String]) -> [String] {
        let usual = ["Staging", "Production", "Archived"]
        return usual.filter(stages.contains) + stages.filter { !usual.contains($0) }.sorted()
    }

    /// Stages whose holders "archive the others" may send away.
    static func archiving(_ stage: String, in machine: StageMachine) -> StageMachine {
        guard var rule = machine.rules[stage], rule.many else { return machine }
        rule.many = false
        rule.replacedBecomes = machine.rules["Archived"] == nil ? rule.replacedBecomes : "Archived"
        var archiving = machine
        archiving.states[stage] = rule
        return archiving
    }
}
