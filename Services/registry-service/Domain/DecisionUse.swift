import Messages

/// Whether a decision still carries a change of stages (E13).
struct DecisionUse: Sendable {
    var decision: EvaluationDecided
    /// Who is champion now, by the decision's own selector.
    var champion: Int?

    /// - Parameter artifact: the version's files.
    func check(model: String, version: Int, trainingRun: String?, artifact: Digest) throws(Refusal) {
        let name = "decision \(decision.decision.prefix(19))…"
        guard decision.model == model else {
            throw Refusal("\(name) is about model '\(decision.model)', not '\(model)'")
        }
        let (judged, run) = (decision.challenger.version, decision.challenger.trainingRun)
        guard judged.map({ $0 == version }) ?? (run != nil && run == trainingRun) else {
            let challenger = judged.map { "version \($0)" } ?? "training run '\(run ?? "?")'"
            throw Refusal("\(name) is about \(challenger), not about version \(version) of '\(model)'")
        }
        // A number that the registry lost and gave again is another version's.
        if let run, let trainingRun, run != trainingRun {
            throw Refusal(
                "\(name) is about a version \(version) of training run '\(run)', and that of '\(model)' is of training "
                    + "run '\(trainingRun)': evaluate again")
        }
        // Older decisions do not say which files they judged.
        if let judged = decision.challenger.artifact, judged != artifact {
            throw Refusal(
                "\(name) is about other files (\(judged.text.prefix(19))…) than those of version \(version) of '\(model)' "
                    + "(\(artifact.text.prefix(19))…): let evaluate/compare judge the version itself")
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
