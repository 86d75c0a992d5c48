import Messages

/// Where a rule's messages go.
enum Recipient: Hashable, Sendable, Codable {
    /// A webhook whose address is a secret: only the secret's name is kept.
    case slackSecret(String)
    case slackURL(String)
    /// A file under `<data>/notifications`.
    case file(String)
    /// Declared, but nothing here delivers it: said with each message instead of passed over.
    case unserved(String)

    init(use: String, secret: String?, channel: String?) {
        switch (use, secret, channel) {
        case ("slack", let secret?, _): self = .slackSecret(secret)
        case ("slack", nil, let url?): self = .slackURL(url)
        case ("file", nil, let path?): self = .file(path)
        default: self = .unserved(use)
        }
    }

    init(_ rule: NotificationRule) {
        self.init(use: rule.use, secret: rule.secret, channel: rule.channel)
    }

    /// As it stands in events and logs: a webhook's path is as good as a password, so only its host is shown.
    var name: String {
        switch self {
        case .slackSecret(let secret): "slack:\(secret)"
        case .slackURL(let url): "slack:\(Self.host(of: url))"
        case .file(let path): "file:\(path)"
        case .unserved(let use): use
        }
    }

    /// Tells recipients apart; never leaves the database.
    var key: String {
        switch self {
        case .slackSecret, .file, .unserved: name
        case .slackURL(let url): "slack:\(url)"
        }
    }

    private static func host(of url: String) -> Substring {
        let rest = url.split(separator: "://", maxSplits: 1).last ?? ""
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        return authority.split(separator: "@").last ?? ""
    }
}
