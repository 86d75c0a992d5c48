import Messages

/// Whether a decision still carries a change of stages (E13).
struct DecisionUse: Sendable {
    var decision: EvaluationDecided
    /// Who is champion now, by the decision's own selector.
    var champion: Int?

    func check(model: String, version: Int, trainingRun: String?) throws(Refusal) {
        let name = "decision \(decision.decision.prefix(19))…"
        guard decision.model == model else {
            throw Refusal("\(name) is about model '\(decision.model)', not '\(model)'")
        }
        let isIts =
            decision.challenger.version.map { $0 == version }
            ?? (decision.challenger.trainingRun != nil && decision.challenger.trainingRun == trainingRun)
        guard isIts else {
            let challenger =
                decision.challenger.version.map { "version \($0)" }
                ?? "training run '\(decision.challenger.trainingRun ?? "?")'"
            throw Refusal("\(name) is about \(challenger), not about version \(version) of '\(model)'")
        }
        guard decision.winner == .challenger || decision.advisory == true else {
            throw Refusal("\(name) was lost by version \(version) of '\(model)': \(decision.message)")
        }
        guard champion == decision.champion?.version else {
            let words = { (version: Int?) in version.map { "version \($0)" } ?? "nobody" }
            throw Refusal(
                "\(name) is void: it compared with \(words(decision.champion?.version)), and the champion is "
                    + "\(words(champion)) now; evaluate again")
        }
    }
}
