import Messages

/// What is compared, as `with` of the step says it.
struct ComparisonInput: Hashable, Sendable {
    enum Challenger: Hashable, Sendable {
        case run(String)
        case version(VersionSelector)
    }

    var model: String
    var challenger: Challenger
    /// `nil`: explicitly nobody, as `evaluate/pin` found.
    var champion: VersionSelector?
    var rule: ComparisonRule
    var remark: String?

    /// - Parameter declared: the champion selector of the model's declaration.
    init(_ work: StepWork, declared: String?) throws(Refusal) {
        let with = work.with
        for key in ["against", "log_as"] where with[key] != nil && with[key] != .null {
            throw Refusal(
                "with.\(key): scoring both models afresh is not supported; compare metrics that their runs report")
        }
        let pair = with["pair"]
        model = try work.modelName()
        challenger = try Self.challenger(pair?["challenger"] ?? with["challenger"])
        champion = try Self.champion(
            pair == nil ? with["champion"] : pair?["champion"] ?? .null, declared: declared,
            pinned: pair != nil)
        rule = try ComparisonRule(with, pair: pair)
        remark = try with.text("message")
    }

    static func challenger(_ value: JSONValue?) throws(Refusal) -> Challenger {
        if let run = value?["run"]?.string, !run.isEmpty { return .run(run) }
        let version = value?["version"] ?? value
        if let version, let selector = VersionSelector(version) { return .version(selector) }
        throw Refusal(
            "with.challenger: write {run: <run_id of a train/run step>} or a version: \(VersionSelector.forms)")
    }

    private static func champion(
        _ value: JSONValue?, declared: String?, pinned: Bool
    ) throws(Refusal) -> VersionSelector? {
        if pinned, value == .null { return nil }
        var written = value ?? .null
        if written == "" { written = .null }
        if written == .null, let declared { written = .string(declared) }
        guard written != .null else {
            throw Refusal(
                "with.champion is missing and the model declares none: write champion: stage=production, here or at model"
            )
        }
        guard let selector = VersionSelector(written) else {
            throw Refusal("with.champion: write \(VersionSelector.forms)")
        }
        return selector
    }
}

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
        onLose = try with.word("on_lose", default: .notPromoted)
    }
}
