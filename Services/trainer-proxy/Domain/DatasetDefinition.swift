import Foundation
import Messages
import ProjectFile

/// A data set as a file of the repository defines it (S3-2).
struct DatasetDefinition: Hashable, Sendable {
    var name: String
    var description: String?
    /// Where its first version comes from, in the repository.
    var source: String

    /// - Parameter sample: the folder beside the file that the first version is made of.
    init(file: String, text: String, sample: String) throws {
        let fields = try DefinitionFile.read(text, path: file)
        guard let name = fields["name"]?.string, !name.isEmpty else {
            throw DefinitionProblem("\(file): the data set has no name: write name: …")
        }
        try self.init(
            name: name, description: fields["description"]?.string,
            source: try EnvironmentDefinition.path(sample, beside: file))
    }

    init(name: String, description: String? = nil, source: String) throws {
        guard !name.contains(":"), !name.contains("/"), !name.hasPrefix("."), name.utf8.count <= 200 else {
            throw DefinitionProblem("'\(name)' is no name for a data set: no ':', no '/', at most 200 bytes")
        }
        (self.name, self.description, self.source) = (name, description, source)
    }
}

/// Which data a training run is about: `with.dataset` of train/run (S2-7).
struct DatasetRequest: Hashable, Sendable {
    var name: String
    /// `nil`: the newest.
    var version: Int?
    /// A file or folder of the working copy that becomes a new version.
    var path: String?

    /// `patients`, `patients:3`, or `{name, version, path}`; `latest` and `none` are nothing said.
    init?(_ value: JSONValue?) throws {
        guard let value, value != .null, value != "" else { return nil }
        func text(_ key: String) -> String? {
            value[key]?.scalarText.flatMap { ["", "latest", "none"].contains($0) ? nil : $0 }
        }
        let number: String?
        if let written = value.scalarText {
            let parts = written.split(separator: ":", maxSplits: 1).map(String.init)
            guard let first = parts.first else { return nil }
            name = first
            number = parts.count > 1 && parts[1] != "latest" ? parts[1] : nil
            path = nil
        } else {
            guard let named = text("name") else {
                throw DefinitionProblem("'dataset' needs a name: write dataset: patients, or {name, version, path}")
            }
            name = named
            number = text("version")
            path = text("path")
        }
        if let number {
            guard let known = Int(number), known > 0 else {
                throw DefinitionProblem("'dataset': version '\(number)' is not a number; write latest for the newest")
            }
            version = known
        }
    }
}
