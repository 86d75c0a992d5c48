import Foundation

/// A file's or folder's place under the artifact root, such as `1/<run>/artifacts/model/MLmodel`.
struct ArtifactPath: Hashable, Sendable {
    static let mostBytes = 4096

    /// Without a slash at its ends; empty for the root.
    let text: String

    /// - Parameter text: already decoded.
    init(_ text: String) throws(MLflowError) {
        guard text.utf8.count <= Self.mostBytes else {
            throw .invalid("Invalid path: it is longer than \(Self.mostBytes) bytes")
        }
        guard !text.utf8.contains(0), !text.contains("\\"), !text.hasPrefix("/") else { throw .invalid("Invalid path") }
        var parts: [Substring] = []
        for part in text.split(separator: "/", omittingEmptySubsequences: true) {
            guard part != ".." else { throw .invalid("Invalid path") }
            // What was encoded twice would be decoded by somebody further on.
            guard part.removingPercentEncoding != ".." else { throw .invalid("Invalid path") }
            if part != "." { parts.append(part) }
        }
        self.text = parts.joined(separator: "/")
    }

    private init(unchecked text: String) { self.text = text }

    /// As it stands in a request's path: `%C3%BC` is decoded, `+` is a plus.
    static func encoded(_ text: String) throws(MLflowError) -> ArtifactPath {
        guard let decoded = text.removingPercentEncoding else { throw .invalid("Invalid path") }
        return try ArtifactPath(decoded)
    }

    var isRoot: Bool { text.isEmpty }

    /// The folders that it lies in, the nearest one last.
    var parents: [String] {
        var parents: [String] = []
        var path = ""
        for part in text.split(separator: "/").dropLast() {
            path += path.isEmpty ? String(part) : "/" + part
            parents.append(path)
        }
        return parents
    }

    func appending(_ name: String) -> ArtifactPath {
        ArtifactPath(unchecked: isRoot ? name : name.isEmpty ? text : text + "/" + name)
    }

    static func run(_ experiment: Int64, _ run: String) -> ArtifactPath {
        ArtifactPath(unchecked: "\(experiment)/\(run)/artifacts")
    }

    static func loggedModel(_ experiment: Int64, _ id: String) -> ArtifactPath {
        ArtifactPath(unchecked: "\(experiment)/models/\(id)/artifacts")
    }

    /// Where the files of a version appear that a pipeline registered.
    static func version(_ model: String, _ version: Int) -> ArtifactPath {
        ArtifactPath(unchecked: "versions/\(model)/\(version)")
    }

    var uri: String { "mlflow-artifacts:/" + text }
}
