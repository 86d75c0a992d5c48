import Messages

/// What is known of one of the two that are compared.
struct Side: Hashable, Sendable {
    var source: MetricSource
    var predictions: Predictions?

    /// What was reported counts; what was not is computed, where predictions allow it.
    func value(of metric: String) -> Double? {
        source.value(of: metric) ?? predictions.flatMap { ComputedMetric(rawValue: metric)?.value(of: $0) }
    }
}

/// Asks everything that a rule asks, of numbers and predictions that are there, and sums it up.
struct Comparison: Sendable {
    let rule: ComparisonRule
    /// The project's own words for a loss.
    var remark: String?
    /// Of the random numbers of a bootstrap.
    var seed: UInt64 = 0

    struct Conclusion: Hashable, Sendable {
        var verdict: Verdict
        /// Absent where the metric was all that was asked.
        var gates: [EvaluatedGate]?
    }

    /// - Parameter champion: `nil` where there is none.
    func judge(challenger: Side, champion: Side?) throws(Refusal) -> Conclusion {
        let metric = rule.metric
        let names = (challenger.source.names, champion?.source.names ?? [])
        let (own, other) = (challenger.value(of: metric), champion.map { $0.value(of: metric) })
        let first = try rule.judge(challenger: own, champion: other, remark: remark, names: names)
        guard let champion else {
            let open = rule.significance.map { [$0.withoutChampion] }
            return Conclusion(verdict: first, gates: open)
        }
        // Where a number is missing its rule has spoken: there is nothing to hold anything else against.
        guard own != nil, other != nil, rule.metrics != nil || rule.needsPredictions else {
            return Conclusion(verdict: first)
        }
        let further = try self.further(challenger, champion, names: names)
        let primary = EvaluatedGate(
            kind: "metric", name: metric, passed: first.winner == .challenger, message: first.message,
            challenger: own, champion: other ?? nil)
        return Conclusion(
            verdict: conclude(first, further), gates: [primary] + further.map(\.gate))
    }

    private typealias Answer = (gate: EvaluatedGate, reason: EvaluationReason)

    private func further(
        _ challenger: Side, _ champion: Side, names: (challenger: [String], champion: [String])
    ) throws(Refusal) -> [Answer] {
        var answers: [Answer] = []
        for metric in rule.metrics ?? [] {
            let gate = try metric.judge(
                challenger: challenger.value(of: metric.rule.metric), champion: champion.value(of: metric.rule.metric),
                names: names)
            answers.append((gate, .metricLost))
        }
        guard rule.needsPredictions else { return answers }
        let (own, others) = try pair(challenger, champion)
        if let significance = rule.significance {
            let gate = try significance.judge(challenger: own, champion: others, seed: seed)
            answers.append((gate, .notSignificant))
        }
        if let slices = rule.slices {
            answers += try slices.judge(challenger: own, champion: others, of: rule).map { ($0, .sliceLost) }
        }
        return answers
    }

    private func pair(
        _ challenger: Side, _ champion: Side
    ) throws(Refusal) -> (challenger: Predictions, champion: Predictions) {
        let advice = "let its training write $MARTLET_OUTPUT/\(Predictions.file), or score both afresh (against)"
        guard let own = challenger.predictions else {
            throw Refusal("there are no predictions of the new model: \(advice)")
        }
        guard let others = champion.predictions else {
            throw Refusal("there are no predictions of the current model: \(advice)")
        }
        return (try own.paired(with: others), others)
    }

    /// Won is only what won everywhere; the first that was lost is the reason.
    private func conclude(_ first: Verdict, _ further: [Answer]) -> Verdict {
        let lost = further.filter { !$0.gate.passed }
        guard first.winner == .challenger else {
            return Verdict(
                winner: .champion, reason: first.reason,
                message: ([first.message] + lost.map(\.gate.message)).sentences)
        }
        guard let reason = lost.first?.reason else {
            return Verdict(
                winner: .challenger, reason: first.reason,
                message: ([first.message] + further.map(\.gate.message)).sentences)
        }
        // The sentence that it performs better would contradict what follows.
        let numbers = first.message.replacing(". \(ComparisonRule.wins)", with: "")
        let words = [numbers] + lost.map(\.gate.message) + [remark].compactMap { $0 }
        return Verdict(winner: .champion, reason: reason, message: words.sentences)
    }
}
