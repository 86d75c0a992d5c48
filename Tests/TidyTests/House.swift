import Foundation

/// The repository's files as text, found from this file's own place.
struct House {
    struct SourceFile: Sendable {
        /// From the repository's root, with `/`.
        var path: String
        var lines: [String]

        var imports: Set<String> {
            Set(
                lines.compactMap { line in
                    let words = line.split(separator: " ")
                    guard let at = words.firstIndex(of: "import"), at < 2, words.count > at + 1 else { return nil }
                    return words.last.map { String($0.prefix { $0 != "." }) }
                })
        }

        /// Lines with their numbers, without what stands in comments.
        var code: [(number: Int, text: String)] {
            lines.enumerated().map { ($0.offset + 1, Self.withoutComment($0.element)) }
        }

        private static func withoutComment(_ line: String) -> String {
            if line.trimmingCharacters(in: .whitespaces).hasPrefix("//") { return "" }
            guard let comment = line.range(of: " // ") else { return line }
            return String(line[..<comment.lowerBound])
        }

        var folders: [String] { path.split(separator: "/").dropLast().map(String.init) }
        var isDomain: Bool { folders.contains("Domain") }
    }

    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// Files of these endings below these folders.
    static func files(in folders: [String], endings: Set<String> = ["swift"]) throws -> [SourceFile] {
        try folders.flatMap { folder -> [SourceFile] in
            let top = root.appendingPathComponent(folder)
            guard let walk = FileManager.default.enumerator(at: top, includingPropertiesForKeys: nil) else { return [] }
            return try walk.compactMap { $0 as? URL }
                .filter { endings.contains($0.pathExtension) && !$0.path.contains("/.") }
                .map { try read(String($0.path.dropFirst(root.path.count + 1))) }
        }
    }

    static func read(_ path: String) throws -> SourceFile {
        let text = try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
        return SourceFile(
            path: path, lines: text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init))
    }

    static func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: root.appendingPathComponent(path).path)
    }
}
