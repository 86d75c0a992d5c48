/// How a project names a model version without knowing its number (project-file D.4).
///
/// It is looked up once a step and is then a number (X5).
public enum VersionSelector: Sendable, Hashable, CustomStringConvertible {
    case number(Int)
    case latest
    case stage(String)
    case tag(key: String, value: String)
    /// What an endpoint serves now.
    case current

    /// Reads `7`, `latest`, `current`, `stage=<s>`, `tag:<k>=<v>` and `<k>=<v>`; `nil` for anything else.
    public init?(_ text: String) {
        if let number = Int(text) {
            guard number > 0 else { return nil }
            self = .number(number)
            return
        }
        switch text {
        case "latest": self = .latest
        case "current": self = .current
        default:
            let isTag = text.hasPrefix("tag:")
            let pair = isTag ? text.dropFirst("tag:".count) : text[...]
            guard let equals = pair.firstIndex(of: "="), equals > pair.startIndex else { return nil }
            let key = String(pair[..<equals])
            let value = String(pair[pair.index(after: equals)...])
            guard !value.isEmpty else { return nil }
            self = !isTag && key == "stage" ? .stage(value) : .tag(key: key, value: value)
        }
    }

    /// Reads the value of a step's `with`: a number, a text, or `{select: …}` as a model's `champion` may be written.
    public init?(_ value: JSONValue) {
        if let object = value.object {
            guard let inner = object["select"] else { return nil }
            self.init(inner)
            return
        }
        guard let text = value.scalarText else { return nil }
        self.init(text)
    }

    public static let forms = "a number, latest, current, stage=<stage> or tag:<key>=<value>"

    public var description: String {
        switch self {
        case .number(let number): String(number)
        case .latest: "latest"
        case .stage(let stage): "stage=\(stage)"
        case .tag(let key, let value): "tag:\(key)=\(value)"
        case .current: "current"
        }
    }
}
