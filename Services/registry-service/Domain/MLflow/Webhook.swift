import Foundation
import Messages

/// An address that wants to be told of models, as an MLflow client registered it.
struct Webhook: Hashable, Sendable {
    var id: String
    var name: String
    var description: String?
    var url: String
    var events: Set<WebhookEvent>
    var isActive: Bool
    /// Sealed; `nil`: what is sent is not signed.
    var secret: Data?
    /// Deliveries that are not settled yet.
    var waiting: Int
    var created: Int64
    var updated: Int64

    /// Deliveries that may wait for one address: more would only fill the disk while it is away.
    static let mostWaiting = 10_000

    var sortedEvents: [WebhookEvent] { events.sorted { $0.rawValue < $1.rawValue } }

    /// All that anybody gets to see of it; never its secret.
    var json: JSONValue {
        var webhook: [String: JSONValue] = [
            "webhook_id": .string(id), "name": .string(name), "url": .string(url),
            "events": .array(sortedEvents.map(\.json)), "status": isActive ? "ACTIVE" : "DISABLED",
            "creation_timestamp": .int(Int(created)), "last_updated_timestamp": .int(Int(updated)),
        ]
        if let description, !description.isEmpty { webhook["description"] = .string(description) }
        return .object(webhook)
    }

    /// Of its address only this may stand in events and logs.
    var place: String { Self.place(of: url) }

    static func place(of url: String) -> String {
        let parts = URLComponents(string: url)
        return [parts?.host, parts?.port.map(String.init)].compactMap(\.self).joined(separator: ":")
    }

    static func checkName(_ name: String) throws(MLflowError) {
        let isEdge = { (scalar: Unicode.Scalar?) in
            scalar.map { $0.isASCII && $0.properties.isAlphabetic || ("0"..."9").contains($0) } ?? false
        }
        let scalars = name.unicodeScalars
        guard scalars.count <= 63, isEdge(scalars.first), isEdge(scalars.last),
            scalars.allSatisfy({ isEdge($0) || "._-".unicodeScalars.contains($0) })
        else {
            throw .invalid(
                "Invalid webhook name '\(name.prefix(80))': it has 1 to 63 letters, digits, '_', '-' and '.', and "
                    + "begins and ends with a letter or digit.")
        }
    }

    static func checkSecret(_ secret: String) throws(MLflowError) {
        guard (1...1_000).contains(secret.utf8.count) else {
            throw .invalid("A webhook's secret has 1 to 1000 bytes; leave it out to have nothing signed.")
        }
    }
}

/// Where webhooks may go.
enum WebhookReach: String, CaseIterable, Sendable {
    /// `https` to public addresses: who may register a webhook does not get to see what only this machine reaches.
    case `public`
    /// Also `http`, this machine and private networks.
    case any

    /// Looks at an address before it is kept; where its name leads is looked at each time that something is sent.
    ///
    /// - Parameter isPublic: whether a host that is an address is a public one; `nil` for a name.
    func check(_ url: String, isPublic: (String) -> Bool?) throws(MLflowError) {
        guard url.utf8.count <= 2_048, !url.utf8.contains(where: { $0 < 33 || $0 > 126 }),
            let parts = URLComponents(string: url), let host = parts.host, !host.isEmpty
        else { throw .invalid("The webhook's URL is no address of at most 2048 bytes without blanks.") }
        guard parts.user == nil, parts.password == nil else {
            throw .invalid("The webhook's URL must hold no user or password: give it a secret instead.")
        }
        let scheme = parts.scheme?.lowercased() ?? ""
        switch self {
        case .any:
            guard ["http", "https"].contains(scheme) else {
                throw .invalid("Invalid webhook URL scheme: '\(scheme)'. It must be http or https.")
            }
        case .public:
            guard scheme == "https" else {
                throw .invalid("Invalid webhook URL scheme: '\(scheme)'. It must be https\(Self.wayOut).")
            }
            let name = host.lowercased()
            guard isPublic(host) ?? !(name == "localhost" || name.hasSuffix(".localhost")) else {
                throw .invalid("The webhook's URL leads to this machine or a private network\(Self.wayOut).")
            }
        }
    }

    private static let wayOut = " (MARTLET_REGISTRY_WEBHOOKS=any allows http and private addresses)"
}
