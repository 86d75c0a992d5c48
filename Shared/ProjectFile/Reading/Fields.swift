import Messages

/// The entries of a map whose keys are known.
struct Fields {
    let what: String
    let place: Place
    private let entries: [String: Tree.Entry]

    fileprivate init(what: String, place: Place, entries: [String: Tree.Entry]) {
        self.what = what
        self.place = place
        self.entries = entries
    }

    /// `nil` when the key is not there, or stands there with nothing behind it.
    subscript(key: String) -> Tree? {
        guard let tree = entries[key]?.value, !tree.isEmpty else { return nil }
        return tree
    }

    func has(_ key: String) -> Bool { entries[key] != nil }

    func place(of key: String) -> Place { entries[key]?.place ?? place }
}

extension Reading {
    /// Reads a map and refuses keys that are not known. Nothing at all is an empty map.
    /// - Parameter synonyms: other words for the same key, from the neighbours' formats.
    func fields(
        _ tree: Tree, of what: String, keys: [String], synonyms: [String: String] = [:]
    ) -> Fields? {
        if tree.isEmpty { return Fields(what: what, place: tree.place, entries: [:]) }
        guard case .map(let all) = tree.value else {
            fail(tree.place, "\(what) is a map, not \(tree.kindInWords)")
            return nil
        }
        var entries: [String: Tree.Entry] = [:]
        for entry in all {
            guard keys.contains(entry.key) || synonyms[entry.key] != nil else {
                let hint = Self.foreign[entry.key].flatMap { keys.contains($0) ? "; did you mean '\($0)'?" : nil }
                fail(
                    entry.place,
                    "unknown key '\(entry.key)' in \(what)" + (hint ?? suggestion(for: entry.key, among: keys))
                )
                continue
            }
            let key = synonyms[entry.key] ?? entry.key
            if let other = entries[key] {
                fail(entry.place, "'\(entry.key)' means the same as '\(other.key)' in \(what): say it once")
            }
            entries[key] = entry
        }
        return Fields(what: what, place: tree.place, entries: entries)
    }

    /// Words of the neighbours that are no synonyms, because they mean nearly the same only.
    private static let foreign = [
        "timeout-minutes": "timeout", "continue-on-error": "continue_on_error", "continueOnError": "continue_on_error",
        "workflow_dispatch": "manual", "workflow_run": "pipeline", "issue_comment": "comment",
        "repository_dispatch": "event", "cancel-in-progress": "on_conflict", "inputs": "parameters",
        "entry_points": "pipelines", "stages": "jobs", "displayName": "name", "shell": "run", "command": "run",
        "types": "type", "vars": "variables", "retryCountOnTaskFailure": "retry", "schedules": "schedule",
    ]

    /// Reads a map whose keys are names of our user's choice.
    func named(_ tree: Tree?, of what: String) -> [Tree.Entry] {
        guard let tree, !tree.isEmpty else { return [] }
        guard case .map(let entries) = tree.value else {
            fail(tree.place, "\(what) is a map of names, not \(tree.kindInWords)")
            return []
        }
        return entries.filter { entry in
            if isName(entry.key) { return true }
            fail(entry.place, "'\(entry.key)' is no name: letters, digits, '_', '-' and '.' are allowed, at most 100")
            return false
        }
    }

    /// Names stand in expressions, in ids and in URLs.
    func isName(_ text: String) -> Bool {
        (1...100).contains(text.utf8.count) && text != "." && text != ".."
            && text.utf8.allSatisfy {
                (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0)
                    || [45, 46, 95].contains($0)
            }
    }

    /// What an expression can name: a letter first, and no dot.
    func isIdentifier(_ text: String) -> Bool {
        guard isName(text), let first = text.utf8.first, !text.contains(".") else { return false }
        return !(48...57).contains(first) && first != 45
    }
}
