import Foundation

/// A repository whatever the protocol it is read by: `https://github.com/Acme/churn.git` and `git@github.com:acme/churn`
/// are the same.
struct RepositoryIdentity: Sendable, Hashable {
    /// Host and path, in small letters; a folder of this machine is itself.
    let text: String

    init(_ address: String) {
        let address = address.trimmingCharacters(in: .whitespacesAndNewlines)
        if address.hasPrefix("/") {
            text = Self.trimmed(Substring(address))
        } else if let scheme = address.range(of: "://") {
            let rest = address[scheme.upperBound...]
            text =
                address.lowercased().hasPrefix("file://")
                ? Self.trimmed(rest) : Self.named(authority: rest.prefix { $0 != "/" }, path: rest.drop { $0 != "/" })
        } else if let colon = address.firstIndex(of: ":") {
            text = Self.named(authority: address[..<colon], path: address[address.index(after: colon)...])
        } else {
            text = Self.trimmed(Substring(address))
        }
    }

    private static func named(authority: Substring, path: Substring) -> String {
        // Neither who asks nor the port of a protocol tells repositories apart.
        let host = authority.split(separator: "@").last?.split(separator: ":").first ?? ""
        let path = trimmed(path.drop { $0 == "/" }).removingPercentEncoding ?? String(path)
        let parts = path.lowercased().split(separator: "/").map(String.init)
        // Azure DevOps calls a repository `v3/<organization>/<project>/<repository>` over ssh.
        if host.lowercased() == "ssh.dev.azure.com", parts.count == 4, parts[0] == "v3" {
            return "dev.azure.com/\(parts[1])/\(parts[2])/_git/\(parts[3])"
        }
        return "\(host.lowercased())/\(parts.joined(separator: "/"))"
    }

    private static func trimmed(_ path: Substring) -> String {
        var path = path
        while path.hasSuffix("/") { path.removeLast() }
        if path.hasSuffix(".git") { path.removeLast(".git".count) }
        return String(path)
    }
}

/// How a forge's webhooks find a repository, and what they prove themselves with.
struct RepositoryHook: Sendable, Hashable {
    var repository: String
    /// The only forge that it hears; `nil`: any.
    var forge: Forge?
    /// Under which forges may name it.
    var identities: Set<RepositoryIdentity>
    /// A secret's name; `nil`: the forge's common one.
    var secret: String?

    func hears(_ forge: Forge) -> Bool { self.forge ?? forge == forge }

    func secret(of forge: Forge) -> String { secret ?? forge.secret }
}
