import Messages

extension Reading {
    static let conjunctionKeys = ["of", "by", "within"]
    /// What may be one of several: everything but what a person asks for by name.
    static let partWords = triggerWords.filter { !["manual", "all"].contains($0) }
    static let partKeys = partWords + ["by"]
    static let partCounts = 2...10

    /// `all: { of: { data: { event: … }, tests: { pipeline: … } }, by, within }`.
    func conjunction(_ tree: Tree, _ names: KnownNames) -> Trigger? {
        guard let fields = fields(tree, of: "'all'", keys: Self.conjunctionKeys) else { return nil }
        let visible = names.visible.adding([.event, .upstream]).without([.secrets])
        let by = textTemplate(fields["by"], "'by'", visible)
        let within = duration(fields["within"], "'within'") ?? Conjunction.usually
        if let place = fields["within"]?.place, within <= .zero {
            fail(place, "'within' is longer than nothing: it is how long one event waits for the others")
        }
        guard let of = fields["of"] else {
            fail(fields.place, "'all' needs 'of': what it waits for, each under a name of your choice")
            return nil
        }
        guard case .map(let entries) = of.value, Self.partCounts.contains(entries.count) else {
            fail(
                of.place,
                "'of' is a map of \(Self.partCounts.lowerBound) to \(Self.partCounts.upperBound) names, each with what"
                    + " is waited for")
            return nil
        }
        let parts = entries.compactMap { part($0, visible, names) }
        let digest = TextDigest.of([of.canonical, fields["by"]?.canonical ?? ""])
        return .all(Conjunction(parts: parts, by: by, within: within, digest: digest))
    }

    private func part(_ entry: Tree.Entry, _ visible: Visible, _ names: KnownNames) -> Conjunction.Part? {
        guard isIdentifier(entry.key) else {
            fail(
                entry.place,
                "'\(entry.key)' is no name for an event: a letter first, then letters, digits, '_', '-'")
            return nil
        }
        guard let fields = fields(entry.value, of: "'\(entry.key)'", keys: Self.partKeys) else { return nil }
        let by = textTemplate(fields["by"], "'by'", visible)
        let words = Self.partWords.filter(fields.has)
        guard let word = words.first, words.count == 1 else {
            fail(
                entry.place,
                "'\(entry.key)' is one of \(Self.partWords.joined(separator: ", "))"
                    + (words.isEmpty ? "" : ", not \(words.count) of them: give each a name of its own"))
            return nil
        }
        let tree = fields[word] ?? Tree(place: fields.place(of: word), value: .scalar("", plain: true))
        if case .list = tree.value {
            fail(tree.place, "'\(entry.key)' waits for one '\(word)', not for a list")
            return nil
        }
        if word == "pull_request", tree.text == "none" {
            fail(tree.place, "'\(entry.key)' would wait for ever: 'none' is no pull request")
            return nil
        }
        return trigger(word, tree, names).map { Conjunction.Part(name: entry.key, trigger: $0, by: by) }
    }
}

extension Tree {
    /// What it says as one text, whatever the layout and the order of keys.
    fileprivate var canonical: String {
        switch value {
        case .scalar(let text, let plain): "\(plain ? "p" : "q")\(text.utf8.count):\(text)"
        case .list(let items): "[\(items.map(\.canonical).joined())]"
        case .map(let entries):
            entries.sorted { $0.key < $1.key }
                .reduce("{") { $0 + "\($1.key.utf8.count):\($1.key)\($1.value.canonical)" } + "}"
        }
    }
}
