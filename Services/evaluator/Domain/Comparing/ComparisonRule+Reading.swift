import Messages

extension ComparisonRule {
    init(_ with: JSONValue, pair: JSONValue? = nil) throws(Refusal) {
        guard let metric = try with.text("metric") else {
            throw Refusal("with.metric is missing: name the number to compare, like metric: mse")
        }
        guard try with.text("better") != nil else {
            throw Refusal("with.better is missing: write better: lower or better: higher; there is no default")
        }
        self.init(metric: metric, better: try with.word("better", default: .lower))
        noChampion = try with.word("no_champion", default: (try pair?.word("no_champion", default: .win)) ?? .win)
        if let sides = with["missing_metric"], sides.object != nil {
            missingMetric = MissingMetric(
                challenger: try sides.word("challenger", default: .lose, path: "with.missing_metric"),
                champion: try sides.word("champion", default: .lose, path: "with.missing_metric"))
        } else {
            let both: Ruling = try with.word("missing_metric", default: .lose)
            missingMetric = MissingMetric(challenger: both, champion: both)
        }
        tie = try with.word("tie", default: .lose)
        minAbsoluteChange = try with.change("min_absolute_change")
        minRelativeChange = try with.change("min_relative_change")
    }

    /// The rule of a whole comparison, with all that is asked beside its metric.
    init(gate with: JSONValue, pair: JSONValue? = nil) throws(Refusal) {
        try self.init(with, pair: pair)
        onLose = try with.word("on_lose", default: .notPromoted)
        if try with.word("mode", default: Mode.enforcing) == .advisory { mode = .advisory }
        significance = try Significance(with["significance"])
        slices = try SliceRule(with["slices"])
        guard let several = with["metrics"], several != .null else { return }
        guard let list = several.array, !list.isEmpty else {
            throw Refusal("with.metrics: write a list of further metrics, like [{metric: latency_ms, better: lower}]")
        }
        var further: [FurtherMetric] = []
        for entry in list { further.append(try FurtherMetric(entry)) }
        metrics = further
    }

    var needsPredictions: Bool { significance != nil || slices != nil }
}
