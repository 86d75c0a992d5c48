import Messages

/// A YAML value with its place, aliases expanded. Scalars stay text: `on` is never a boolean and `1.10` never a number.
struct Tree {
    enum Value {
        /// `plain`: written without quotes, so that it may mean a number, a boolean or nothing.
        case scalar(String, plain: Bool)
        case list([Tree])
        case map([Entry])
    }

    struct Entry {
        var key: String
        var place: Place
        var value: Tree
    }

    var place: Place
    var value: Value

    var text: String? {
        if case .scalar(let text, _) = value { text } else { nil }
    }

    /// Nothing stands there: `manual:`.
    var isEmpty: Bool {
        if case .scalar(let text, plain: true) = value { ["", "~", "null"].contains(text) } else { false }
    }

    /// For messages: what it is instead of what was expected.
    var kindInWords: String {
        switch value {
        case .scalar where isEmpty: "nothing"
        case .scalar: "a text"
        case .list: "a list"
        case .map: "a map"
        }
    }

    /// A plain scalar as YAML 1.2's core schema types it; anything else as its text.
    var scalar: JSONValue? {
        guard case .scalar(let text, let plain) = value else { return nil }
        if isEmpty { return .null }
        guard plain else { return .string(text) }
        switch text {
        case "true": return true
        case "false": return false
        default: return JSONValue.number(text) ?? .string(text)
        }
    }
}

/// What a project's files may cost to read.
enum ReadingLimits {
    static let bytes = 1 << 20
    /// After aliases are expanded.
    static let nodes = 100_000
    static let depth = 64
    static let documents = 200
}
