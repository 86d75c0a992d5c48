import Foundation

/// Where a new version's files are said to be.
enum ModelSource: Hashable, Sendable {
    case run(String, path: String)
    case loggedModel(String)
    /// Another version, by its number, stage or alias.
    case version(model: String, reference: String)
    case artifacts(ArtifactPath)

    init(_ source: String) throws(MLflowError) {
        guard !source.utf8.contains(0), source.utf8.count <= ArtifactPath.mostBytes else {
            throw .invalid("Invalid model version source: it holds a NUL byte, or is too long")
        }
        guard let colon = source.firstIndex(of: ":"), !source.hasPrefix("/") else { throw Self.local(source) }
        let rest = source[source.index(after: colon)...]
        switch source[..<colon].lowercased() {
        case "runs":
            let parts = Self.trimmed(rest).split(separator: "/", maxSplits: 1).map(String.init)
            guard let run = parts.first, !run.isEmpty else { throw Self.unknown(source) }
            self = .run(run, path: try ArtifactPath.encoded(parts.count > 1 ? parts[1] : "").text)
        case "models":
            self = try Self.models(Self.trimmed(rest), source)
        case "mlflow-artifacts":
            self = .artifacts(try ArtifactPath.encoded(Self.withoutHost(String(rest))))
        case "file": throw Self.local(source)
        default: throw Self.unknown(source)
        }
    }

    var loggedModel: String? { if case .loggedModel(let id) = self { id } else { nil } }

    private static func models(_ text: String, _ source: String) throws(MLflowError) -> ModelSource {
        guard !text.contains("..") else { throw unknown(source) }
        let parts = text.split(separator: "/", omittingEmptySubsequences: true).map(String.init)
        if parts.count == 1, text.hasPrefix("m-") { return .loggedModel(text) }
        if parts.count == 1, let at = text.lastIndex(of: "@") {
            return .version(model: String(text[..<at]), reference: String(text[at...]))
        }
        guard parts.count == 2 else { throw unknown(source) }
        return .version(model: parts[0], reference: parts[1])
    }

    private static func trimmed(_ text: Substring) -> String { String(text.drop { $0 == "/" }) }

    /// `//host:5000/1/x` and `//host/api/2.0/mlflow-artifacts/artifacts/1/x` are `1/x`.
    private static func withoutHost(_ text: String) -> String {
        guard text.hasPrefix("//") else { return String(text.drop { $0 == "/" }) }
        var rest = text.dropFirst(2).drop { $0 != "/" }.drop { $0 == "/" }
        let door = "api/2.0/mlflow-artifacts/artifacts/"
        if rest.hasPrefix(door) { rest = rest.dropFirst(door.count) }
        return String(rest)
    }

    private static func local(_ source: String) -> MLflowError {
        .invalid(
            "Invalid model version source: '\(source)'. To use a local path as a model version source, the run_id "
                + "request parameter has to be specified and the local path has to be contained within the artifact "
                + "directory of the run specified by the run_id.")
    }

    private static func unknown(_ source: String) -> MLflowError {
        .invalid(
            "Invalid model version source: '\(source)'. Write runs:/<run_id>/<path>, models:/<model_id>, "
                + "models:/<name>/<version> or mlflow-artifacts:/<path>: files elsewhere cannot be checked.")
    }
}
