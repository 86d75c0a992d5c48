import Messages

/// One more metric of a comparison: it must be better too, or must not get worse by more than is allowed.
struct FurtherMetric: Hashable, Sendable, Codable {
    var rule: ComparisonRule
    /// By how much it may be worse; `nil`: it must be better, as the first metric must.
    var maxRegression: Double?

    enum CodingKeys: String, CodingKey {
        case rule
        case maxRegression = "max_regression"
    }

    private static let keys = [
        "metric", "better", "tie", "missing_metric", "min_absolute_change", "min_relative_change", "max_regression",
    ]

    init(_ value: JSONValue) throws(Refusal) {
        guard value.object != nil else {
            throw Refusal("with.metrics: write a list of mappings, like {metric: latency_ms, better: lower}")
        }
        try value.refuseOthers(than: Self.keys, path: "with.metrics")
        rule = try ComparisonRule(value)
        maxRegression = try value.number("max_regression", path: "with.metrics")
        if let maxRegression, maxRegression < 0 {
            throw Refusal("with.metrics.max_regression: write a number of 0 or more")
        }
    }

    func judge(
        challenger: Double?, champion: Double?, names: (challenger: [String], champion: [String])
    ) throws(Refusal) -> EvaluatedGate {
        let (passed, message): (Bool, String)
        if let maxRegression, let challenger, let champion {
            let loss = rule.better == .lower ? challenger - champion : champion - challenger
            passed = loss <= maxRegression
            message =
                "\(rule.metric): \(challenger.short), current \(champion.short), "
                + (passed ? "within" : "worse by more than") + " max_regression \(maxRegression)"
        } else {
            let verdict = try rule.judge(challenger: challenger, champion: .some(champion), names: names)
            passed = verdict.winner == .challenger
            message = verdict.message
        }
        return EvaluatedGate(
            kind: "metric", name: rule.metric, passed: passed, message: message, challenger: challenger,
            champion: champion)
    }
}
