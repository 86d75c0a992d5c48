/// A file channel's path below `<data>/notifications`; anything that could lead out of it is refused.
struct ChannelPath: Hashable, Sendable {
    let components: [String]

    init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        let allowed = parts.allSatisfy { part in
            !part.isEmpty && part != "." && part != ".." && part.utf8.count <= 255 && !part.contains("\0")
        }
        guard allowed, parts.count <= 8 else { return nil }
        components = parts
    }
}
