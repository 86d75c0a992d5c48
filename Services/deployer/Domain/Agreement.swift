import Messages

/// What an endpoint serves beside what it should serve: the version that holds the stage which it stands for.
struct Agreement: Sendable, Hashable {
    var endpoint: String
    var serving: Deployment?
    /// The stage of each version of the model that has one.
    var stages: [Int: String]
    /// What holds for the model's stages.
    var rules: [String: StageRule]
    /// A run that deploys here, or that moved a stage of the model, is still going on.
    var isChanging: Bool

    enum Verdict: Sendable, Hashable {
        /// - Parameter stage: what the deployment stands for; `nil` while its version has none.
        case holds(stage: String?)
        case drifted(Drift)
        /// Stage and endpoint do not move in one instant: whoever moves them has not finished.
        case undecided
    }

    struct Drift: Sendable, Hashable {
        var cause: DeploymentDrifted.Cause
        var stage: String?
        var expected: [Int]
        var reason: String
    }

    func verdict() -> Verdict {
        guard let serving else { return .holds(stage: nil) }
        if let trouble = serving.trouble {
            return .drifted(
                Drift(cause: .process, stage: serving.stage, expected: [serving.version], reason: trouble))
        }
        if isChanging { return .undecided }
        guard let stage = serving.stage ?? stages[serving.version] else { return .holds(stage: nil) }
        let holders = stages.filter { $0.value == stage }.keys.sorted()
        if holders.contains(serving.version) { return .holds(stage: stage) }
        guard holders.isEmpty else { return .drifted(drift(from: stage, to: holders, serving)) }
        // Nobody holds it. Moved on (staging to production) it serves rightly; put away it does not.
        guard let now = stages[serving.version], now == rules[stage]?.replacedBecomes else {
            return .holds(stage: stage)
        }
        return .drifted(
            Drift(
                cause: .stage, stage: stage, expected: [],
                reason: "version \(serving.version) of \(serving.model) is '\(now)' and no version is '\(stage)', "
                    + "but endpoint \(endpoint) still serves it"))
    }

    private func drift(from stage: String, to holders: [Int], _ serving: Deployment) -> Drift {
        let names = holders.map(String.init).joined(separator: ", ")
        return Drift(
            cause: .stage, stage: stage, expected: holders,
            reason: "the registry has version \(names) of \(serving.model) as '\(stage)', "
                + "but endpoint \(endpoint) serves version \(serving.version)")
    }
}
