/// What `refs/heads/x` and `refs/tags/x` name.
enum NamedReference: Sendable, Hashable {
    case branch(String)
    case tag(String)

    /// `nil` for other references, and for names that git does not take.
    init?(_ text: String) {
        for (prefix, make) in [("refs/heads/", Self.branch), ("refs/tags/", Self.tag)] where text.hasPrefix(prefix) {
            let name = String(text.dropFirst(prefix.count))
            guard GitNames.isBranch(name) else { return nil }
            self = make(name)
            return
        }
        return nil
    }
}
