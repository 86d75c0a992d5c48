import Bus
import Foundation
import Messages

/// What was denied to whom, told at once and then at most once a minute for each client. Pure.
struct DenialLedger: Sendable {
    static let pause = Duration.seconds(60)
    /// Beyond them, what others are denied is told under one name.
    static let mostClients = 256

    private struct Account {
        var counts: [String: Int] = [:]
        var key: PeerKey?
        var example: String?
        var since: Duration
        var toldAt: Duration?
    }

    private var accounts: [String: Account] = [:]

    mutating func note(
        _ reason: String, client: String, key: PeerKey? = nil, example: String? = nil, count: Int = 1, now: Duration
    ) {
        let name = accounts[client] != nil || accounts.count < Self.mostClients ? client : "other"
        var account = accounts[name] ?? Account(since: now)
        if account.counts.isEmpty { account.since = now }
        account.counts[reason, default: 0] += count
        account.key = key ?? account.key
        account.example = example ?? account.example
        accounts[name] = account
    }

    /// What is to be told now; counted as told.
    mutating func due(now: Duration) -> [ClientDenied] {
        let names = accounts.keys.filter { name in
            guard let account = accounts[name], !account.counts.isEmpty else { return false }
            return account.toldAt.map { now - $0 >= Self.pause } ?? true
        }
        let told = names.sorted().compactMap { name -> ClientDenied? in
            guard var account = accounts[name] else { return nil }
            defer {
                account.counts = [:]
                account.toldAt = now
                accounts[name] = account
            }
            return ClientDenied(
                client: name, key: account.key?.text,
                reasons: account.counts.sorted { $0.key < $1.key }.map { .init(reason: $0.key, count: $0.value) },
                seconds: (now - account.since).inSeconds, example: account.example)
        }
        forget(now)
        return told
    }

    /// Whoever has been quiet for a minute makes room.
    private mutating func forget(_ now: Duration) {
        accounts = accounts.filter { _, account in
            !account.counts.isEmpty || account.toldAt.map { now - $0 < Self.pause } ?? false
        }
    }
}
