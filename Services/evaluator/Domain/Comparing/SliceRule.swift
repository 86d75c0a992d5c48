import Messages

/// Parts of the data in which the challenger must not be worse, however good it is on the whole.
struct SliceRule: Hashable, Sendable, Codable {
    static let mostSlices = 200
    /// In one event.
    static let mostTold = 60

    /// Columns of `predictions.csv`; each of their values is a slice.
    var columns: [String]
    /// `nil`: that of the comparison.
    var metric: String?
    var better: ComparisonRule.Direction?
    /// By how much it may be worse.
    var maxRegression = 0.0
    /// Smaller slices say nothing.
    var minRows = 30

    enum CodingKeys: String, CodingKey {
        case columns, metric, better
        case maxRegression = "max_regression"
        case minRows = "min_rows"
    }

    /// `slices: [sex, region]`, or a mapping with `columns`, `metric`, `better`, `max_regression`, `min_rows`.
    init?(_ value: JSONValue?) throws(Refusal) {
        guard let value, value != .null, value != "" else { return nil }
        let fields: JSONValue = value.object == nil ? ["columns": value] : value
        try fields.refuseOthers(
            than: ["columns", "metric", "better", "max_regression", "min_rows"], path: "with.slices")
        let names = fields["columns"]?.array ?? fields["columns"].map { [$0] } ?? []
        columns = names.compactMap(\.scalarText).filter { !$0.isEmpty }
        guard !columns.isEmpty, columns.count == names.count else {
            throw Refusal("with.slices: name columns of predictions.csv, like slices: [sex, region]")
        }
        metric = try fields.text("metric")
        if try fields.text("better") != nil {
            better = try fields.word("better", default: .higher, path: "with.slices")
        }
        guard (metric == nil) == (better == nil) else {
            throw Refusal("with.slices: metric and better belong together; write both, or neither for the comparison's")
        }
        maxRegression = try fields.number("max_regression", path: "with.slices") ?? 0
        guard maxRegression >= 0 else { throw Refusal("with.slices.max_regression: write a number of 0 or more") }
        if let rows = fields["min_rows"]?.int { minRows = max(1, rows) }
    }

    /// One gate for each slice that is large enough; where none of a column is, one that says so.
    ///
    /// - Parameter challenger: paired with the champion's, row by row.
    func judge(
        challenger: Predictions, champion: Predictions, of rule: ComparisonRule
    ) throws(Refusal) -> [EvaluatedGate] {
        let (name, better) = (metric ?? rule.metric, self.better ?? rule.better)
        guard let metric = ComputedMetric(rawValue: name) else {
            throw Refusal(
                "with.slices: '\(name)' cannot be computed from predictions; write one of "
                    + "\(ComputedMetric.names) as slices: {columns: …, metric: …, better: …}")
        }
        var gates: [EvaluatedGate] = []
        for column in columns {
            guard let values = champion.columns[column] ?? challenger.columns[column] else {
                let known = challenger.columns.keys.sorted().joined(separator: ", ")
                throw Refusal(
                    "with.slices: there is no column '\(column)' in the predictions; "
                        + "beside label and prediction they have: \(known.isEmpty ? "none" : known)")
            }
            let slices = Dictionary(grouping: values.indices, by: { values[$0] })
            guard slices.count <= Self.mostSlices else {
                throw Refusal(
                    "with.slices: '\(column)' has \(slices.count) different values, more than \(Self.mostSlices); "
                        + "name a column of groups")
            }
            let large = slices.filter { $0.value.count >= minRows }
            if large.isEmpty { gates.append(tooSmall(column, rows: values.count)) }
            for (value, rows) in large.sorted(by: { $0.key < $1.key }) {
                gates.append(
                    judge(
                        "\(column)=\(value)", metric, better, challenger: challenger.rows(rows),
                        champion: champion.rows(rows)))
            }
        }
        return gates
    }

    /// Nobody is to take for judged what was not.
    private func tooSmall(_ column: String, rows: Int) -> EvaluatedGate {
        EvaluatedGate(
            kind: "slice", name: column, passed: true,
            message: "\(column): no slice was judged, none of its values has min_rows \(minRows) rows (of \(rows))")
    }

    private func judge(
        _ name: String, _ metric: ComputedMetric, _ better: ComparisonRule.Direction, challenger: Predictions,
        champion: Predictions
    ) -> EvaluatedGate {
        let (own, other) = (metric.value(of: challenger), metric.value(of: champion))
        // What is undefined for both, like r2 of equal labels, says nothing against the challenger.
        let loss = own.flatMap { own in other.map { better == .lower ? own - $0 : $0 - own } }
        let passed = loss.map { $0 <= maxRegression } ?? (other == nil)
        let numbers =
            "\(name): \(metric.rawValue) \(own?.short ?? "missing"), current \(other?.short ?? "missing") "
            + "(\(challenger.count) rows)"
        return EvaluatedGate(
            kind: "slice", name: name, passed: passed,
            message: passed ? numbers : "New trained model is worse on \(numbers)", challenger: own, champion: other,
            rows: challenger.count)
    }
}
