import ServiceKit

/// Where other replicas reach this one's gateway, when each has a machine or container of its own.
struct NeighbourAddress: Sendable {
    private let address: String?

    /// - Parameter host: what the gateway listens on. On the loopback all replicas share one machine and its processes.
    init(host: String) {
        switch host {
        case "127.0.0.1", "localhost", "::1": address = nil
        case "0.0.0.0", "::", "": address = NameLookup.ownAddress()
        default: address = host.contains(":") ? "[\(host)]" : host
        }
    }

    func url(port: Int?) -> String? {
        guard let address, let port else { return nil }
        return "http://\(address):\(port)"
    }
}
