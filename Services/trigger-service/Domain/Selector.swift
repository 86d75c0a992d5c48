/// Which version of a model is meant (project-file D.4).
enum Selector: Sendable, Hashable {
    case version(Int)
    case latest
    case stage(String)
    case tag(String, String)
    /// What a target runs: only deployer knows.
    case current

    init?(_ text: String) {
        if let number = Int(text), number > 0 {
            self = .version(number)
        } else if text == "latest" {
            self = .latest
        } else if text == "current" {
            self = .current
        } else if text.hasPrefix("stage=") {
            self = .stage(String(text.dropFirst("stage=".count)))
        } else if text.hasPrefix("tag:"), let equals = text.firstIndex(of: "=") {
            let key = text[text.index(text.startIndex, offsetBy: "tag:".count)..<equals]
            self = .tag(String(key), String(text[text.index(after: equals)...]))
        } else {
            return nil
        }
    }
}
