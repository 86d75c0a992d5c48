import Messages

/// The declared rule of a comparison with all its defaults (project-file D.4, E8).
struct ComparisonRule: Hashable, Sendable, Codable {
    enum Direction: String, Codable, CaseIterable, Sendable { case lower, higher }
    /// The verdict on the challenger.
    enum TieRule: String, Codable, CaseIterable, Sendable { case win, lose }
    /// The same, or an error.
    enum Ruling: String, Codable, CaseIterable, Sendable { case win, lose, fail }
    enum OnLose: String, Codable, CaseIterable, Sendable {
        case notPromoted = "not_promoted"
        case report, fail
    }
    /// What is done about a metric that one side does not have; always the verdict on the challenger.
    struct MissingMetric: Hashable, Sendable, Codable {
        var challenger = Ruling.lose
        var champion = Ruling.lose
    }

    /// Advice is given like a verdict, and holds nobody up (E10).
    enum Mode: String, Codable, CaseIterable, Sendable { case enforcing, advisory }

    var metric: String
    var better: Direction
    var tie = TieRule.lose
    var noChampion = Ruling.win
    var missingMetric = MissingMetric()
    var minAbsoluteChange = 0.0
    var minRelativeChange = 0.0
    var onLose = OnLose.notPromoted
    /// What is asked beside the metric. Absent where nothing is, as in records from before it could be.
    var mode: Mode?
    var metrics: [FurtherMetric]?
    var significance: Significance?
    var slices: SliceRule?

    enum CodingKeys: String, CodingKey {
        case metric, better, tie, mode, metrics, significance, slices
        case noChampion = "no_champion"
        case missingMetric = "missing_metric"
        case minAbsoluteChange = "min_absolute_change"
        case minRelativeChange = "min_relative_change"
        case onLose = "on_lose"
    }
}

/// Who won, by which line of the rule, in words with both numbers.
struct Verdict: Hashable, Sendable {
    var winner: EvaluationWinner
    var reason: EvaluationReason
    var message: String
}

extension ComparisonRule {
    /// S2-14.
    static let wins = "New trained model performs better, thus it should be registered"

    /// Judges two numbers. Strict: a tie loses, unless the rule says otherwise.
    ///
    /// - Parameters:
    ///   - champion: `.none` where there is no champion, `.some(nil)` where it lacks the metric.
    ///   - remark: the project's own words for a loss.
    ///   - names: the metrics that each side has, for whoever misspelled one.
    func judge(
        challenger: Double?, champion: Double??, remark: String? = nil,
        names: (challenger: [String], champion: [String]) = ([], [])
    ) throws(Refusal) -> Verdict {
        guard let challenger else {
            return try missing(
                .missingChallengerMetric, missingMetric.challenger, side: "new", names: names.challenger, remark: remark
            )
        }
        guard let champion else {
            return try first(remark)
        }
        guard let champion else {
            return try missing(
                .missingChampionMetric, missingMetric.champion, side: "current", names: names.champion, remark: remark)
        }
        return compare(challenger, with: champion, remark: remark)
    }

    private func first(_ remark: String?) throws(Refusal) -> Verdict {
        switch noChampion {
        case .fail:
            throw Refusal("There is no champion to compare with, and the rule asks for one (no_champion: fail).")
        case .lose:
            let text = "There is no champion to compare with, and without one the new model loses (no_champion: lose)."
            return Verdict(winner: .champion, reason: .noChampion, message: joined(text, remark))
        case .win:
            return Verdict(
                winner: .challenger, reason: .noChampion,
                message: "This is the first model, thus it should be registered")
        }
    }

    private func compare(_ challenger: Double, with champion: Double, remark: String?) -> Verdict {
        let numbers = "Current Production model \(metric): \(champion), New trained model \(metric): \(challenger)"
        let gain = better == .lower ? champion - challenger : challenger - champion
        if gain == 0, tie == .win {
            return Verdict(
                winner: .challenger, reason: .tie, message: joined(numbers, "By rule a tie wins (tie: win)."))
        }
        guard gain > 0 else {
            let loss =
                remark
                ?? "New trained model metric is worse than or equal to production model so skipping model registration."
            return Verdict(
                winner: .champion, reason: gain == 0 ? .tie : .notBetter, message: joined(numbers, loss))
        }
        // A champion at zero is improved on by an infinite share.
        let share = champion == 0 ? Double.infinity : gain / champion.magnitude
        guard gain >= minAbsoluteChange, share >= minRelativeChange else {
            let asked =
                gain < minAbsoluteChange
                ? "min_absolute_change \(minAbsoluteChange)" : "min_relative_change \(minRelativeChange)"
            let loss = "New trained model performs better by \(gain), less than \(asked) asks for."
            return Verdict(
                winner: .champion, reason: .changeTooSmall, message: joined(joined(numbers, loss), remark))
        }
        return Verdict(
            winner: .challenger, reason: .better,
            message: joined(numbers, Self.wins))
    }

    private func missing(
        _ reason: EvaluationReason, _ rule: Ruling, side: String, names: [String], remark: String?
    ) throws(Refusal) -> Verdict {
        let known = names.isEmpty ? "none" : names.joined(separator: ", ")
        let text =
            "Unable to find \(metric) metrics, exiting evaluation. The \(side) model has no usable number; "
            + "its metrics are: \(known)"
        switch rule {
        case .fail: throw Refusal(text)
        case .win: return Verdict(winner: .challenger, reason: reason, message: joined(text, "By rule it wins."))
        case .lose:
            return Verdict(
                winner: .champion, reason: reason, message: joined(joined(text, "By rule the new model loses."), remark)
            )
        }
    }

    private func joined(_ first: String, _ second: String?) -> String { [first, second].compactMap { $0 }.sentences }
}

extension [String] {
    /// One after the other, with a full stop between them.
    var sentences: String {
        reduce("") { text, next in
            text.isEmpty ? next : text.hasSuffix(".") ? "\(text) \(next)" : "\(text). \(next)"
        }
    }
}
