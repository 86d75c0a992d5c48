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
    /// How it was found, also where a pinned pair names its number.
    var championSelector: String?
    var rule: ComparisonRule
    var remark: String?
    var source: MetricChoice
    /// Both are scored afresh on this.
    var against: ScoringRequest?
    var logAs: LogAs?

    /// - Parameter declared: what the model's project declares of it.
    init(_ work: StepWork, declared: KnownModel?) throws(Refusal) {
        let with = work.with
        let pair = with["pair"]
        model = try work.modelName()
        challenger = try Self.challenger(pair?["challenger"] ?? with["challenger"])
        champion = try Self.champion(
            pair == nil ? with["champion"] : pair?["champion"] ?? .null, declared: declared?.champion,
            pinned: pair != nil)
        championSelector = try pair?.text("champion_selector") ?? champion?.description
        rule = try ComparisonRule(gate: with, pair: pair)
        remark = try with.text("message")
        source = try with.word("metric_source", default: .registered)
        against = try ScoringRequest(with, declared: declared?.score)
        logAs = try LogAs(with["log_as"])
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
