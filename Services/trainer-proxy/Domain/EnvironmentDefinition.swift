import Foundation
import Messages
import ProjectFile

/// A named environment as a file of the repository defines it (S3-3 … S3-6).
struct EnvironmentDefinition: Hashable, Sendable {
    var file: String
    var name: String
    var version: String
    /// All that it says, without white space and blank lines: how two definitions are compared.
    var definition: String
    var python: String?
    /// A requirements file of the repository.
    var requirements: String?
    /// Packages that the definition lists itself.
    var packages: [String]

    /// - Parameters:
    ///   - read: the text of a file of the repository.
    init(file: String, read: (String) throws -> String) throws {
        let text = try read(file)
        let fields = try DefinitionFile.read(text, path: file)
        guard let name = fields["name"]?.string, !name.isEmpty else {
            throw DefinitionProblem("\(file): the environment has no name: write name: …")
        }
        guard let version = fields["version"]?.string, !version.isEmpty else {
            throw DefinitionProblem("\(file): environment '\(name)' has no version: write version: 1")
        }
        (self.file, self.name, self.version) = (file, name, version)
        var parts = [text]
        var packages = fields["pip"]?.array?.compactMap(\.string) ?? []
        python = fields["python"]?.string
        if let conda = try Self.condaFile(fields["conda_file"], beside: file, read: read) {
            parts.append(conda.text)
            packages += conda.packages
            python = python ?? conda.python
        }
        if let named = fields["requirements"]?.string {
            let path = try Self.path(named, beside: file)
            let entries = try Requirements(file: path, read: read).entries
            parts.append(entries.joined(separator: "\n"))
            requirements = path
        } else {
            requirements = nil
        }
        self.packages = packages
        definition = parts.map(Self.normalized).joined(separator: "\n")
    }

    var isBuildable: Bool { requirements != nil || !packages.isEmpty || python != nil }

    /// As `diff -w -B` would compare two files.
    static func normalized(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline).map { line in String(line.filter { !$0.isWhitespace }) }
            .filter { !$0.isEmpty }.joined(separator: "\n")
    }

    /// A path as the file means it: from its own folder, and never out of the repository.
    static func path(_ named: String, beside file: String) throws -> String {
        var parts = file.split(separator: "/").dropLast().map(String.init)
        for part in named.split(separator: "/").map(String.init) where part != "." {
            if part != ".." {
                parts.append(part)
            } else if parts.popLast() == nil {
                throw DefinitionProblem("\(file): '\(named)' leads out of the repository")
            }
        }
        let isFile = named.split(separator: "/").last.map { $0 != "." && $0 != ".." } ?? false
        guard isFile, !named.hasPrefix("/"), let path = PathName.inside(parts.joined(separator: "/")) else {
            throw DefinitionProblem("\(file): '\(named)' is no path beside this file")
        }
        return path
    }

    private typealias Conda = (text: String, packages: [String], python: String?)

    private static func condaFile(
        _ value: JSONValue?, beside file: String, read: (String) throws -> String
    ) throws -> Conda? {
        guard let value, value != .null else { return nil }
        let (text, fields, place): (String, JSONValue, String)
        if let named = value.string {
            place = try path(named, beside: file)
            text = try read(place)
            fields = try DefinitionFile.read(text, path: place)
        } else {
            (text, fields, place) = ("", value, file)
        }
        var packages: [String] = []
        var python: String?
        for entry in fields["dependencies"]?.array ?? [] {
            if let pip = entry["pip"]?.array {
                packages += pip.compactMap(\.string)
            } else if let package = entry.string, package.hasPrefix("python") {
                let version = package.drop { !$0.isNumber }.prefix { $0.isNumber || $0 == "." }
                python =
                    version.isEmpty
                    ? "python3" : "python\(version.split(separator: ".").prefix(2).joined(separator: "."))"
            } else if let package = entry.string, package != "pip", !package.hasPrefix("pip=") {
                throw DefinitionProblem(
                    "\(place): '\(package)' is a package of conda, which is not used here; list it under pip:")
            }
        }
        return (text, packages, python)
    }
}

struct DefinitionProblem: Error, Hashable, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// What is known of a named environment, held against a file's definition (S3-4).
enum EnvironmentStanding: Hashable, Sendable {
    case unknownName, unknownVersion, same, different

    /// - Parameter registered: definitions by version.
    init(of wanted: EnvironmentReference, registered: [String: Digest]) {
        if registered.isEmpty {
            self = .unknownName
        } else if let known = registered[wanted.version] {
            self = known == wanted.definition ? .same : .different
        } else {
            self = .unknownVersion
        }
    }

    /// For people.
    func message(_ wanted: EnvironmentReference) -> String {
        switch self {
        case .unknownName: "Environment '\(wanted.name)' doesn't exist in the workspace."
        case .unknownVersion:
            "Environment '\(wanted.name)' exists, but not in the required version (\(wanted.version))."
        case .same: "Environment '\(wanted.name)' version \(wanted.version) is registered with this definition."
        case .different:
            "Environment file definition doesn't match the one registered. Please increase version to get it created"
        }
    }

    /// Whether the step may succeed with it.
    func holds(validateOnly: Bool, failOnMissing: Bool) -> Bool {
        switch self {
        case .same: true
        case .different: false
        case .unknownName, .unknownVersion: !validateOnly || !failOnMissing
        }
    }
}
