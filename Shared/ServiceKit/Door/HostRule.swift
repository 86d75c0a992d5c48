import Foundation

/// Which names a service answers under: a page in a browser must not reach it through a name of its own
/// (DNS rebinding), nor send requests from elsewhere.
package struct HostRule: Sendable, Hashable {
    private let names: Set<String>

    /// - Parameter further: names beside the loopback's, from the settings; an IPv6 address with or without brackets.
    package init(further: [String] = []) {
        let own = further.map { name in name.contains(":") && !name.hasPrefix("[") ? "[\(name)]" : name }
        names = Set(own.map { $0.lowercased() }).union(["localhost", "[::1]"])
    }

    /// What is wrong with a request's `Host` and `Origin`; `nil` when nothing is.
    package func objection(host: String?, origin: String?) -> String? {
        guard let host, !host.isEmpty else { return "the request names no host" }
        guard knows(host) else { return "'\(host)' is not a name of this service" }
        guard let origin else { return nil }
        guard let mark = origin.range(of: "://"), ["http", "https"].contains(String(origin[..<mark.lowerBound])),
            knows(String(origin[mark.upperBound...]))
        else { return "requests from '\(origin)' are not taken" }
        return nil
    }

    private func knows(_ host: String) -> Bool {
        let name = Self.name(of: host)
        return names.contains(name) || Self.isLoopback(name)
    }

    /// 127.0.0.0/8, and no name that only begins like it.
    private static func isLoopback(_ name: String) -> Bool {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts.first == "127" && parts.allSatisfy { UInt8($0) != nil }
    }

    /// `localhost:8080` is `localhost`; an IPv6 address keeps its brackets.
    private static func name(of host: String) -> String {
        let host = host.lowercased()
        if host.hasPrefix("["), let end = host.firstIndex(of: "]") { return String(host[...end]) }
        return String(host.prefix { $0 != ":" })
    }
}
