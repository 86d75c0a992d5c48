import Foundation
import HTTPTypes
import Hummingbird
import Messages
import Store

/// Lets in whoever has a token with the role that is needed: the same way at every door of the suite.
package struct TokenGate: Sendable {
    /// Path and query.
    package static let mostAddressBytes = 8192
    private static let asBearer = "Bearer realm=\"Martlet\""
    private static let asBasic = "Basic realm=\"Martlet\", charset=\"UTF-8\""

    /// A token that is valid now, by its id.
    package typealias Lookup = @Sendable (_ id: String) async throws -> StoredToken?

    private let lookup: Lookup
    private let hosts: HostRule
    /// The setting that adds names, for whoever came under another one.
    private let hostsSetting: String

    package init(hosts: HostRule, hostsSetting: String, lookup: @escaping Lookup) {
        self.hosts = hosts
        self.hostsSetting = hostsSetting
        self.lookup = lookup
    }

    /// A door of a service that knows of tokens by what the console told of them.
    package init(store: StateStore, hosts: HostRule, hostsSetting: String) {
        self.init(hosts: hosts, hostsSetting: hostsSetting) { id in
            try await store.read { db in try APITokens.token(id, in: db) }
        }
    }

    /// - Parameter basic: a name and a password are taken too, the password being the token: for clients that know
    ///   nothing else, and browsers. Where it need not be, it is not: browsers send it along with whatever a foreign page
    ///   makes them ask for.
    /// - Throws: `DoorRefusal`: 401 without a valid token, 403 under a foreign name or with too small a role, 414.
    package func admit(_ request: Request, role: Role, basic: Bool = false) async throws -> Person {
        if let objection = hosts.objection(host: request.head.authority, origin: request.headers[.origin]) {
            throw DoorRefusal(403, objection, hint: "use localhost, or add the name to \(hostsSetting)")
        }
        guard request.uri.string.utf8.count <= Self.mostAddressBytes else {
            throw DoorRefusal(
                414, "path and query are longer than \(Self.mostAddressBytes) bytes",
                hint: "names and ids are short; longer texts belong into the body")
        }
        let person = try await identify(request.headers[.authorization], basic: basic)
        guard person.role >= role else {
            throw DoorRefusal(
                403, "the token '\(person.name)' has the role \(person.role); this needs \(role)",
                hint: "ask an admin for 'martlet tokens create --role \(role)'")
        }
        return person
    }

    /// Whose token an `Authorization` header holds.
    private func identify(_ header: String?, basic: Bool) async throws -> Person {
        let unknown = DoorRefusal(
            401, "this needs a valid token",
            hint: "send 'Authorization: Bearer <token>'; on this machine the admin token is in <data>/tokens/admin",
            challenge: basic ? "\(Self.asBasic), \(Self.asBearer)" : Self.asBearer)
        guard let token = TokenText.bearer(header) ?? (basic ? TokenText.password(header) : nil) else { throw unknown }
        let stored = try await lookup(token.id)
        // An unknown id is compared as well, so that it takes as long.
        let matches = equalInConstantTime(token.digest, stored?.hash ?? Data(count: 32))
        guard let stored, matches, let role = Role(rawValue: stored.role) else { throw unknown }
        return Person(token: stored.id, name: stored.name, role: role, groups: stored.groups, email: stored.email)
    }
}
