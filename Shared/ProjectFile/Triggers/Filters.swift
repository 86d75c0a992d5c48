/// Which branches or tags count. The last pattern that matches decides; `!` takes out; no pattern at all lets
/// everything in.
package struct BranchFilter: Sendable, Hashable {
    package var patterns: [String]
    private let rules: Rules

    package init(_ patterns: [String] = []) {
        self.patterns = patterns
        rules = Rules(patterns)
    }

    package static let any = BranchFilter()

    package func admits(_ branch: String) -> Bool { rules.admit(branch) }

    /// `main`, or `main, release/**` for a sentence.
    var words: String { patterns.joined(separator: ", ") }
}

/// Which changed files count; one is enough.
package struct PathFilter: Sendable, Hashable {
    package var patterns: [String]
    private let rules: Rules

    package init(_ patterns: [String] = []) {
        self.patterns = patterns
        rules = Rules(patterns)
    }

    package static let any = PathFilter()

    package func admits(_ path: String) -> Bool { rules.admit(path) }

    /// `under src/ or matching *.md`, for "no file … changed".
    var words: String {
        var folders: [String] = []
        var others: [String] = []
        for pattern in patterns where !pattern.hasPrefix("!") {
            if pattern.hasSuffix("/**"), !pattern.dropLast(3).contains(where: { "*?+[".contains($0) }) {
                folders.append(String(pattern.dropLast(2)))
            } else if pattern.hasSuffix("/"), !pattern.contains(where: { "*?+[".contains($0) }) {
                folders.append(pattern)
            } else {
                others.append(pattern)
            }
        }
        let parts = [
            folders.isEmpty ? nil : "under " + folders.joined(separator: ", "),
            others.isEmpty ? nil : "matching " + others.joined(separator: ", "),
        ]
        let wanted = parts.compactMap { $0 }.joined(separator: " or ")
        let excluded = patterns.filter { $0.hasPrefix("!") }.map { String($0.dropFirst()) }
        if excluded.isEmpty { return wanted }
        return (wanted.isEmpty ? "" : wanted + " ") + "other than " + excluded.joined(separator: ", ")
    }
}

/// Patterns in order, compiled once.
private struct Rules: Sendable, Hashable {
    private struct Rule: Sendable, Hashable {
        var glob: Glob
        var admits: Bool
    }

    private let rules: [Rule]
    private let otherwise: Bool

    init(_ patterns: [String]) {
        rules = patterns.map { pattern in
            pattern.hasPrefix("!")
                ? Rule(glob: Glob.filter(String(pattern.dropFirst())), admits: false)
                : Rule(glob: Glob.filter(pattern), admits: true)
        }
        // Only exclusions mean: everything but these.
        otherwise = rules.allSatisfy { !$0.admits }
    }

    func admit(_ candidate: String) -> Bool {
        // A name means itself: who writes `port-c++` has that branch in mind.
        rules.last { $0.glob.text == candidate || $0.glob.matches(candidate) }?.admits ?? otherwise
    }
}
