/// What a project may require to be known of each version (G14).
public enum VersionFact: Sendable, Hashable, CustomStringConvertible {
    case commit, branch, build, dataset, environment, predictions
    /// Tests of its run were read, and passed.
    case tests
    case metric(String)
    case param(String)
    case tag(String)

    /// Reads `commit`, `tests`, `metrics.auc`, `params.alpha`, `tags.owner` and the like; `nil` for anything else.
    public init?(_ text: String) {
        if let plain = Self.plain.first(where: { $0.description == text }) {
            self = plain
            return
        }
        guard let dot = text.firstIndex(of: ".") else { return nil }
        let name = String(text[text.index(after: dot)...])
        guard !name.isEmpty else { return nil }
        switch text[..<dot] {
        case "metrics": self = .metric(name)
        case "params": self = .param(name)
        case "tags": self = .tag(name)
        default: return nil
        }
    }

    private static let plain: [VersionFact] = [.commit, .branch, .build, .dataset, .environment, .predictions, .tests]

    /// A regular expression for what can be read.
    public static let pattern = "^(\(plain.map(\.description).joined(separator: "|"))|(metrics|params|tags)\\..+)$"

    public static let forms = (plain.map(\.description) + ["metrics.NAME", "params.NAME", "tags.NAME"])
        .joined(separator: ", ")

    public var description: String {
        switch self {
        case .commit: "commit"
        case .branch: "branch"
        case .build: "build"
        case .dataset: "dataset"
        case .environment: "environment"
        case .predictions: "predictions"
        case .tests: "tests"
        case .metric(let name): "metrics.\(name)"
        case .param(let name): "params.\(name)"
        case .tag(let name): "tags.\(name)"
        }
    }
}
