import Foundation

/// Which names this API answers under: a page in a browser must not reach it through a name of its own
/// (DNS rebinding), nor send requests from elsewhere.
struct HostRule: Sendable, Hashable {
    var names: Set<String>

    static let loopback: Set<String> = ["localhost", "127.0.0.1", "[::1]"]

    /// - Parameter further: names beside the loopback's, from the settings.
    init(further: [String] = []) {
        names = Self.loopback.union(further.map { $0.lowercased() })
    }

    /// What is wrong with a request's `Host` and `Origin`; `nil` when nothing is.
    func objection(host: String?, origin: String?) -> String? {
        guard let host, !host.isEmpty else { return "the request names no host" }
        guard names.contains(Self.name(of: host)) else { return "'\(host)' is not a name of this console" }
        guard let origin else { return nil }
        guard let mark = origin.range(of: "://"), ["http", "https"].contains(String(origin[..<mark.lowerBound])),
            names.contains(Self.name(of: String(origin[mark.upperBound...])))
        else { return "requests from '\(origin)' are not taken" }
        return nil
    }

    /// `localhost:8080` is `localhost`; an IPv6 address keeps its brackets.
    private static func name(of host: String) -> String {
        let host = host.lowercased()
        if host.hasPrefix("["), let end = host.firstIndex(of: "]") { return String(host[...end]) }
        return String(host.prefix { $0 != ":" })
    }
}
