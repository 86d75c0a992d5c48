import Yams

/// Finds where a key stands a second time, and renames it there, so that reading can go on to the other errors.
///
/// Yams says which key is doubled and where it stood first, not where it stands again.
struct DuplicateKeys {
    struct Found {
        var key: String
        var line: Int
        var column: Int
    }

    private(set) var scalars: [Unicode.Scalar]
    private var renamed: UInt32 = 0
    /// Each try composes the text once.
    private var tries = 0

    /// Less for a large file: what a doubled key costs stays within about a second.
    private let maximumTries: Int

    init(_ scalars: [Unicode.Scalar]) {
        self.scalars = scalars
        maximumTries = max(4, min(100, 10_000_000 / max(1, scalars.count)))
    }

    /// Empty when the duplicates cannot be found.
    mutating func rename(_ keys: [String], after first: Mark) -> [Found] {
        guard let key = keys.first, !key.isEmpty else { return [] }
        let wanted = Array(key.unicodeScalars)
        var taken: [Int] = []
        for candidate in candidates(for: wanted, after: first) {
            guard tries < maximumTries else { break }
            replace(at: candidate, count: wanted.count)
            taken.append(candidate)
            guard isDoubled(key, first) else { break }
        }
        guard !taken.isEmpty, !isDoubled(key, first) else {
            for candidate in taken { restore(wanted, at: candidate) }
            return []
        }
        // Some were keys of other maps: whatever may have its name back without a duplicate was none.
        var found: [Found] = []
        for candidate in taken {
            let other = Array(scalars[candidate..<candidate + wanted.count])
            restore(wanted, at: candidate)
            guard isDoubled(key, first) else { continue }
            restore(other, at: candidate)
            found.append(place(of: candidate, key))
        }
        return found
    }

    /// Places where the text is followed by a colon; those in the same column first, as in block style.
    private func candidates(for key: [Unicode.Scalar], after first: Mark) -> [Int] {
        var line = 1
        var lineStart = 0
        var same: [Int] = []
        var others: [Int] = []
        var index = 0
        while index < scalars.count {
            if scalars[index] == "\n" {
                line += 1
                lineStart = index + 1
            } else if (line, index - lineStart + 1) > (first.line, first.column + (line == first.line ? 1 : 0)),
                isKey(key, at: index)
            {
                let column = index - lineStart + 1
                if column == first.column { same.append(index) } else { others.append(index) }
            }
            index += 1
        }
        return same + others
    }

    private func isKey(_ key: [Unicode.Scalar], at index: Int) -> Bool {
        guard index + key.count < scalars.count, scalars[index..<index + key.count].elementsEqual(key) else {
            return false
        }
        if index > 0, !" \t\n\r{,?-'\"".unicodeScalars.contains(scalars[index - 1]) { return false }
        var next = index + key.count
        while next < scalars.count, " \t'\"".unicodeScalars.contains(scalars[next]) { next += 1 }
        return next < scalars.count && scalars[next] == ":"
    }

    private mutating func isDoubled(_ key: String, _ first: Mark) -> Bool {
        tries += 1
        do {
            _ = try Parser(yaml: String(String.UnicodeScalarView(scalars))).singleRoot()
            return false
        } catch let YamlError.duplicatedKeysInMapping(keys, context) {
            return keys.first == key && context.mark.line == first.line && context.mark.column == first.column
        } catch {
            return false
        }
    }

    private mutating func replace(at index: Int, count: Int) {
        renamed += 1
        let scalar = Unicode.Scalar(0xE001 + renamed % 6_000) ?? "\u{E001}"
        restore(Array(repeating: scalar, count: count), at: index)
    }

    private mutating func restore(_ text: [Unicode.Scalar], at index: Int) {
        scalars.replaceSubrange(index..<index + text.count, with: text)
    }

    private func place(of index: Int, _ key: String) -> Found {
        let before = scalars[..<index]
        let lineStart = before.lastIndex(of: "\n").map { $0 + 1 } ?? 0
        return Found(key: key, line: before.count { $0 == "\n" } + 1, column: index - lineStart + 1)
    }
}
