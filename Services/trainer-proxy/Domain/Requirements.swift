import Foundation

/// A requirements file as far as it decides which environment is meant.
struct Requirements: Equatable {
    /// One entry a line, without comments, blank lines and superfluous spaces.
    let entries: [String]

    init(entries: [String]) { self.entries = entries }

    /// - Parameters:
    ///   - file: path in the working copy, for messages and to find what it includes.
    ///   - read: the text of a file in the working copy.
    init(file: String, read: (String) throws -> String) throws {
        var entries: [String] = []
        var seen: Set<String> = []
        try Self.collect(file, into: &entries, seen: &seen, read: read)
        self.entries = entries
    }

    /// What the environment's digest is made of.
    func definition(python: String) -> String { (entries + ["python \(python)", ""]).joined(separator: "\n") }

    private static func collect(
        _ file: String, into entries: inout [String], seen: inout Set<String>, read: (String) throws -> String
    ) throws {
        guard seen.insert(file).inserted else { return }
        // A line that ends in a backslash goes on in the next one.
        let text = try read(file).replacing("\r\n", with: "\n").replacing("\\\n", with: " ")
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let entry = normalized(line)
            guard !entry.isEmpty else { continue }
            if let problem = problem(entry) {
                throw RequirementsError(file: file, line: index + 1, problem: problem)
            }
            entries.append(entry)
            if let included = included(by: entry) {
                let folder = (file as NSString).deletingLastPathComponent
                try collect(
                    folder.isEmpty ? included : "\(folder)/\(included)", into: &entries, seen: &seen, read: read)
            }
        }
    }

    private static func normalized(_ line: Substring) -> String {
        var rest = line[...]
        // pip: a comment begins at the line's start or after a space.
        if let mark = line.firstRange(of: #/(^|\s)#/#) { rest = line[..<mark.lowerBound] }
        return rest.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }

    private static func included(by entry: String) -> String? {
        for option in ["-r", "--requirement", "-c", "--constraint"] where entry.hasPrefix(option) {
            let rest = entry.dropFirst(option.count).drop { $0 == " " || $0 == "=" }
            if !rest.isEmpty, !rest.contains("://") { return String(rest) }
        }
        return nil
    }

    /// What would make two different environments look the same.
    private static func problem(_ entry: String) -> String? {
        let target = entry.hasPrefix("-e ") ? entry.dropFirst(3) : entry[...]
        guard entry.hasPrefix("-e ") || target.hasPrefix(".") || target.hasPrefix("/") || target.contains("file:")
        else { return nil }
        guard !target.contains("git+"), !target.contains("https://") else { return nil }
        return "'\(entry)' installs from the working copy, which an environment outlives; "
            + "set PYTHONPATH or install it in a 'run' step"
    }
}

struct RequirementsError: Error, Hashable, CustomStringConvertible {
    var file: String
    var line: Int
    var problem: String

    var description: String { "\(file):\(line): \(problem)" }
}
