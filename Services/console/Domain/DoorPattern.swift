import Foundation

/// Where the services' HTTP doors are when each runs in a container of its own: an address with `*` for its name.
struct DoorPattern: Sendable, Hashable {
    private let before: String
    private let after: String
    let port: Int

    /// `nil` for what is not as `http://*:8000`.
    init?(_ text: String) {
        let parts = text.components(separatedBy: "*")
        guard parts.count == 2, parts[0].hasPrefix("http://"), !parts[1].contains("/"),
            let colon = parts[1].lastIndex(of: ":"), let port = Int(parts[1][parts[1].index(after: colon)...]),
            (1...65_535).contains(port)
        else { return nil }
        before = String(parts[0].dropFirst("http://".count))
        after = String(parts[1][..<colon])
        self.port = port
    }

    /// The name that a service has in the network.
    func host(of service: String) -> String { before + service + after }
}
