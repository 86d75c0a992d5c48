import Messages

/// Reading values of a known kind; what does not fit is an error and `nil`.
extension Reading {
    func text(_ tree: Tree?, _ what: String) -> String? {
        guard let tree else { return nil }
        guard let text = tree.text, !tree.isEmpty else {
            fail(tree.place, "\(what) is a text, not \(tree.kindInWords)")
            return nil
        }
        return text
    }

    /// A text that holds no expression.
    func fixedText(_ tree: Tree?, _ what: String) -> String? {
        guard let tree, let text = text(tree, what) else { return nil }
        guard !text.contains("${{") else {
            fail(tree.place, "\(what) cannot hold an expression")
            return nil
        }
        return text
    }

    func flag(_ tree: Tree?, _ what: String) -> Bool? {
        guard let tree else { return nil }
        if case .bool(let value)? = tree.scalar { return value }
        fail(tree.place, "\(what) is true or false")
        return nil
    }

    func integer(_ tree: Tree?, _ what: String, _ range: ClosedRange<Int>) -> Int? {
        guard let tree else { return nil }
        if case .int(let value)? = tree.scalar, range.contains(value) { return value }
        fail(tree.place, "\(what) is a whole number from \(range.lowerBound) to \(range.upperBound)")
        return nil
    }

    /// One of a few words.
    func word<Word: RawRepresentable & CaseIterable>(_ tree: Tree?, _ what: String, _: Word.Type) -> Word?
    where Word.RawValue == String {
        guard let tree, let text = text(tree, what) else { return nil }
        if let word = Word(rawValue: text) { return word }
        fail(tree.place, "\(what) cannot be '\(text)'" + suggestion(for: text, among: Word.allCases.map(\.rawValue)))
        return nil
    }

    func word(_ tree: Tree?, _ what: String, of known: [String]) -> String? {
        guard let tree, let text = text(tree, what) else { return nil }
        if known.contains(text) { return text }
        fail(tree.place, "\(what) cannot be '\(text)'" + suggestion(for: text, among: known))
        return nil
    }

    func duration(_ tree: Tree?, _ what: String) -> Duration? {
        guard let tree, let text = text(tree, what) else { return nil }
        if let duration = Duration(words: text) { return duration }
        fail(tree.place, "\(what) is a time such as 30d, 12h, 5m, 1s or 250ms, not '\(text)'")
        return nil
    }

    /// A list of texts; one text alone is a list of one.
    func texts(_ tree: Tree?, _ what: String) -> [(text: String, place: Place)] {
        guard let tree, !tree.isEmpty else { return [] }
        guard case .list(let items) = tree.value else {
            return text(tree, what).map { [($0, tree.place)] } ?? []
        }
        return items.compactMap { item in text(item, "each of \(what)").map { ($0, item.place) } }
    }
}

extension Duration {
    /// `30d`, `1h30m`, `250ms`; `nil` for anything else, and for more than ten years.
    package init?(words: String) {
        let units: [(name: String, milliseconds: Int64)] = [
            ("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000), ("w", 604_800_000),
        ]
        var total: Int64 = 0
        var rest = words.utf8[...]
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let digits = rest.prefix { (48...57).contains($0) }
            guard (1...9).contains(digits.count), let count = Int64(String(decoding: digits, as: UTF8.self)) else {
                return nil
            }
            rest = rest.dropFirst(digits.count)
            guard let unit = units.first(where: { rest.starts(with: $0.name.utf8) }) else { return nil }
            rest = rest.dropFirst(unit.name.utf8.count)
            total += count * unit.milliseconds
        }
        guard total <= 3_660 * 86_400_000 else { return nil }
        self = .milliseconds(total)
    }
}
