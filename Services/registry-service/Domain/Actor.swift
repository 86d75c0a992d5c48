/// Who asks: a pipeline in a step, a person in a command.
struct Actor: Hashable, Sendable {
    /// `pipeline:x`, `user:x` or `service:x`.
    let name: String
    /// Of a person's token.
    var groups: [String] = []

    /// Whether one entry of `set_by` means this actor: `user` is any person.
    func isMeant(by entry: String) -> Bool {
        if entry == "user" { return name.hasPrefix("user:") }
        if entry.hasPrefix("group:") { return groups.contains(String(entry.dropFirst("group:".count))) }
        return entry == name
    }
}
