import Foundation

/// What may be handed to git as a name: everything that a remote says is foreign text.
enum GitNames {
    /// 40 or 64 lower-case hex digits.
    static func isCommit(_ text: String) -> Bool {
        (text.utf8.count == 40 || text.utf8.count == 64) && isHex(text)
    }

    /// The beginning of a commit's name, as a person types it.
    static func isShortCommit(_ text: String) -> Bool {
        (7...64).contains(text.utf8.count) && isHex(text)
    }

    private static func isHex(_ text: String) -> Bool {
        text.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
    }

    /// The rules of git-check-ref-format for a branch, without starting it.
    static func isBranch(_ name: String) -> Bool {
        guard (1...200).contains(name.utf8.count), name != "@", !name.hasPrefix("-"), !name.hasSuffix("."),
            !name.contains(".."), !name.contains("@{"), !name.contains("//")
        else { return false }
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.allSatisfy({ !$0.isEmpty && !$0.hasPrefix(".") && !$0.hasSuffix(".lock") }) else { return false }
        return name.unicodeScalars.allSatisfy {
            $0.value > 0x20 && $0.value != 0x7F && !"~^:?*[\\".unicodeScalars.contains($0)
        }
    }

    /// A repository's name in Martlet: it becomes a folder.
    static func isRepository(_ name: String) -> Bool {
        guard (1...100).contains(name.utf8.count), let first = name.utf8.first, first != 46, first != 45 else {
            return false
        }
        return name.utf8.allSatisfy {
            (97...122).contains($0) || (65...90).contains($0) || (48...57).contains($0) || $0 == 45 || $0 == 46
                || $0 == 95
        }
    }

    /// The branch that counts as the default: where HEAD points, else the one that did `before`, else the usual names, else
    /// the first by name.
    static func defaultBranch(
        head: String?, before: String? = nil, branches: some Collection<String>
    ) -> String? {
        if let head, branches.contains(head) { return head }
        if let before, branches.contains(before) { return before }
        for usual in ["main", "master", "trunk"] where branches.contains(usual) { return usual }
        return branches.min()
    }
}
