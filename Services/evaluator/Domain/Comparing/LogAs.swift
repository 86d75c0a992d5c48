import Messages

/// How both numbers of a comparison are called where people look them up (S4-12).
struct LogAs: Hashable, Sendable, Codable {
    var runName: String
    var experiment: String?
    var challenger = "challenger_"
    var champion = "champion_"

    enum CodingKeys: String, CodingKey {
        case experiment, challenger, champion
        case runName = "run_name"
    }

    /// `log_as: {run_name, experiment, prefix: {challenger, champion}}`.
    init?(_ value: JSONValue?) throws(Refusal) {
        guard let value, value != .null else { return nil }
        try value.refuseOthers(than: ["run_name", "experiment", "prefix"], path: "with.log_as")
        guard let name = try value.text("run_name") else {
            throw Refusal("with.log_as.run_name is missing: name the run that both numbers are logged in")
        }
        runName = name
        experiment = try value.text("experiment")
        guard let prefix = value["prefix"], prefix != .null else { return }
        try prefix.refuseOthers(than: ["challenger", "champion"], path: "with.log_as.prefix")
        challenger = try prefix.text("challenger") ?? challenger
        champion = try prefix.text("champion") ?? champion
    }

    /// Each metric of both, by its prefixed name.
    func metrics(of gates: [EvaluatedGate]) -> [String: Double] {
        var metrics: [String: Double] = [:]
        for gate in gates where gate.kind == "metric" {
            metrics[challenger + gate.name] = gate.challenger
            metrics[champion + gate.name] = gate.champion
        }
        return metrics
    }
}

/// Where registered numbers are read (E7); fresh scoring is asked for by `against`.
enum MetricChoice: String, CaseIterable, Sendable {
    /// Of a version what was registered with it, else its tag of that name.
    case registered
    /// The version's tag (S2-11).
    case tag
    /// The training run that made it (S3-15).
    case run
}
