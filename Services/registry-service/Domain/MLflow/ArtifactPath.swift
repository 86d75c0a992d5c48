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

    var uri: String { "mlflow-artifacts:/" + text }
}

// MARK: - Versions

extension ArtifactPath {
    /// Where the files of a version appear.
    static func version(_ model: String, _ version: Int) -> ArtifactPath {
        ArtifactPath(unchecked: "versions/\(folder(of: model))/\(version)")
    }

    /// The version that the path lies in.
    var version: (model: String, number: Int)? {
        let parts = text.split(separator: "/").map(String.init)
        guard parts.count >= 3, parts[0] == "versions", let number = Int(parts[2]),
            let model = Self.model(ofFolder: parts[1])
        else { return nil }
        return (model, number)
    }

    /// Clients put a path into addresses as it is: `#`, `?` and `%` would end or change it there.
    private static func folder(of model: String) -> String {
        let isPlain = model.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
                true
            default: false
            }
        }
        return isPlain ? model : "~" + model.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private static func model(ofFolder name: String) -> String? {
        guard name.hasPrefix("~") else { return name }
        let digits = Array(name.utf8.dropFirst())
        guard digits.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        for start in stride(from: 0, to: digits.count, by: 2) {
            guard let byte = UInt8(String(decoding: digits[start..<start + 2], as: UTF8.self), radix: 16) else {
                return nil
            }
            bytes.append(byte)
        }
        return String(bytes: bytes, encoding: .utf8)
    }
}
