import Foundation

/// Where a repository is read from: a folder of this machine, or a URL whose protocol git may use here.
struct RepositoryAddress: Sendable, Hashable {
    /// As given, trimmed; git gets it after `--`.
    let text: String
    /// The folder, where it is one of this machine.
    let path: String?

    var isLocal: Bool { path != nil }

    /// The protocols that git may use, for `GIT_ALLOW_PROTOCOL` too: nothing unencrypted and unauthenticated.
    static let protocols = ["file", "https", "ssh"]

    /// - Throws: `Refusal` saying what is wrong and what would be right.
    init(_ text: String) throws(Refusal) {
        let text = text.trimmingCharacters(in: .whitespacesAndNewlines)
        guard !text.isEmpty, text.utf8.count <= 2048, !text.unicodeScalars.contains(where: { $0.value < 0x20 }) else {
            throw Refusal("the address is empty, too long or has control characters; give a path or a URL")
        }
        guard !text.hasPrefix("-") else {
            throw Refusal("'\(text)' begins with a dash; give an absolute path or a URL")
        }
        self.text = text
        path = try Self.check(text)
    }

    /// The folder of a local address; `nil` for a remote one.
    private static func check(_ text: String) throws(Refusal) -> String? {
        if text.hasPrefix("/") { return text }
        if let scheme = text.range(of: "://") {
            return try check(scheme: text[..<scheme.lowerBound].lowercased(), rest: text[scheme.upperBound...])
        }
        guard let colon = text.firstIndex(of: ":"), !text.contains("::") else {
            throw Refusal("'\(text)' is neither an absolute path nor a URL; begin it with / or https://")
        }
        // `git@host:path`, ssh in its short form: the host comes before the first slash.
        guard !text[..<colon].contains("/") else {
            throw Refusal("'\(text)' is neither an absolute path nor a URL; begin it with / or https://")
        }
        return nil
    }

    private static func check(scheme: String, rest: Substring) throws(Refusal) -> String? {
        guard protocols.contains(scheme) else {
            throw Refusal("the protocol '\(scheme)' is not allowed; use \(protocols.joined(separator: ", ")) or a path")
        }
        let authority = rest.prefix { $0 != "/" }
        if let at = authority.lastIndex(of: "@") {
            // ssh needs a user's name there; a password, and anything at all in https, is a credential.
            let user = authority[..<at]
            guard scheme == "ssh", !user.contains(":") else {
                throw Refusal(
                    "the URL holds credentials, which would end up in events and logs; leave them out and put them"
                        + " into git's own credential helper or ~/.netrc of the service's user")
            }
        }
        guard !authority.hasPrefix("-") else { throw Refusal("'\(authority)' is not a host") }
        return scheme == "file" ? String(rest) : nil
    }
}

/// Something asked for that is not done, with the reason for the person who asked.
struct Refusal: Error, Sendable, Hashable, CustomStringConvertible {
    let reason: String

    init(_ reason: String) { self.reason = reason }

    var description: String { reason }
}
