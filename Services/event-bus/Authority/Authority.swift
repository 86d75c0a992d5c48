import Bus
import Messages

/// Who may do what, as of one reading of `authorized_keys`.
struct Authority: Sendable, Equatable {
    /// A line of the file: a client may have several keys.
    struct Client: Sendable, Equatable {
        var name: String
        var rights: Rights
    }

    /// The bus's doors, and the ZAP domain of each.
    enum Door: String, Sendable, CaseIterable {
        case events, feed, requests
    }

    /// A local bus has no keys: whoever may enter its folder is the user.
    static let local = Authority(isLocal: true, clients: [:])
    private static let user = Client(name: "local", rights: .everything)

    let isLocal: Bool
    private let clients: [PeerKey: Client]

    private init(isLocal: Bool, clients: [PeerKey: Client]) {
        self.isLocal = isLocal
        self.clients = clients
    }

    init(_ keys: AuthorizedKeys) {
        isLocal = false
        clients = Dictionary(
            keys.entries.map { ($0.key, Client(name: $0.client, rights: $0.rights)) },
            uniquingKeysWith: { first, _ in first })
    }

    /// `nil`: nobody, who may do nothing.
    func client(_ key: PeerKey?) -> Client? {
        if isLocal { return Self.user }
        return key.flatMap { clients[$0] }
    }

    /// At the handshake only the key counts, at every door: what it may do there is judged with each message, and a client
    /// that opens all three at once need not know which of them it has no right to.
    func admits(_ key: PeerKey) -> Bool { clients[key] != nil }

    /// Whether somebody may hear less than before, if only the bus's heartbeat.
    func takesHearing(from former: Authority) -> Bool {
        former.clients.contains { key, client in clients[key]?.rights.subscribe != client.rights.subscribe }
    }

    var names: Set<String> { Set(clients.values.map(\.name)) }
}
