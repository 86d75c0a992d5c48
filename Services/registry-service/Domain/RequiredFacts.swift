import Messages

extension ModelRegistered {
    /// Holds a new version to what its project requires to be known (G14): all that is missing is told at once.
    func check(required: [String]) throws(Refusal) {
        let missing = required.compactMap { text in
            VersionFact(text).flatMap { fact in problem(of: fact).map { "\(fact) (\($0))" } }
        }
        guard !missing.isEmpty else { return }
        throw Refusal(
            "project '\(project ?? "?")' requires facts that are not known of this version: "
                + missing.joined(separator: "; "))
    }

    /// What is missing, with what would make it known.
    private func problem(of fact: VersionFact) -> String? {
        switch fact {
        case .commit: git == nil ? "the run has no commit" : nil
        case .branch: (git?.branch ?? "").isEmpty ? "the run has no branch" : nil
        case .build: build == nil ? "no pipeline registers it" : nil
        case .dataset: dataset == nil ? "let train/run name its dataset" : nil
        case .environment: environment == nil ? "let env/ensure make the environment before train/run" : nil
        case .predictions: predictions == nil ? "let the training write $MARTLET_OUTPUT/predictions.csv" : nil
        case .tests:
            tests == nil ? "let evaluate/test run in the same run" : tests == "passed" ? nil : "they \(tests ?? "")"
        case .metric(let name): metrics[name] == nil ? "the run's metrics are: \(Self.list(metrics.keys))" : nil
        case .param(let name): params[name] == nil ? "the run's parameters are: \(Self.list(params.keys))" : nil
        case .tag(let name): (tags[name] ?? "").isEmpty ? "give it with tags" : nil
        }
    }

    private static func list(_ names: some Sequence<String>) -> String {
        let names = names.sorted()
        return names.isEmpty ? "none" : names.joined(separator: ", ")
    }
}
