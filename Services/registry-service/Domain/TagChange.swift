import Messages

/// Tags as a step wants them; `nil` takes one away.
struct TagChange: Sendable {
    var wanted: [String: String?]

    init(wanted: [String: String?]) { self.wanted = wanted }

    /// Reads `tags:` of a step: scalars become text, null removes.
    init(_ value: JSONValue?) throws(Refusal) {
        wanted = [:]
        guard let value, value != .null else { return }
        guard let object = value.object else {
            throw Refusal("with.tags: write a mapping of names to texts, like tags: {area: churn}")
        }
        for (key, value) in object {
            guard !key.isEmpty, key.utf8.count <= 250 else {
                throw Refusal("with.tags: a tag's name has 1 to 250 bytes, not \(key.utf8.count)")
            }
            if value == .null {
                wanted[key] = .some(nil)
            } else if let text = value.scalarText {
                guard text.utf8.count <= 8_000 else {
                    throw Refusal("with.tags.\(key): a tag has at most 8000 bytes; publish longer texts as artifacts")
                }
                wanted[key] = text
            } else {
                throw Refusal("with.tags.\(key): a tag is a text, a number or a boolean")
            }
        }
    }

    /// Adds `remove:` of a step: a name or a list of names.
    mutating func remove(_ value: JSONValue?) throws(Refusal) {
        for entry in value?.array ?? [value ?? .null] where entry != .null {
            guard let key = entry.scalarText else { throw Refusal("with.remove: write the names of tags") }
            wanted[key] = .some(nil)
        }
    }

    /// What really changes; empty when the same is asked again.
    func decide(tags: [String: String], mirror: String?) throws(Refusal) -> (set: [String: String], removed: [String]) {
        if let mirror, wanted.keys.contains(mirror) {
            throw Refusal("with.tags.\(mirror): this tag mirrors the stage; change it with registry/transition")
        }
        var set: [String: String] = [:]
        var removed: [String] = []
        for (key, value) in wanted {
            if let value {
                if tags[key] != value { set[key] = value }
            } else if tags[key] != nil {
                removed.append(key)
            }
        }
        return (set, removed.sorted())
    }
}
