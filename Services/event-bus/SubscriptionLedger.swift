import Bus
import Foundation

/// How much the subscriptions of all peers take: libzmq keeps them in a tree with a node for every byte. Pure.
///
/// Of a peer that is gone libzmq tells the prefixes, but not whose they were: `held` is right, and `asked`, which is only
/// looked at to find out who asked for most, may be too high for keys that came and went.
struct SubscriptionLedger {
    static let mostBytes = 1 << 20
    static let mostAsked = 16 << 20

    private(set) var held = 0
    private var asked: [PeerKey: [Data: Int]] = [:]
    private var askedBytes = 0

    var isFull: Bool { held > Self.mostBytes || askedBytes > Self.mostAsked }

    mutating func subscribed(_ key: PeerKey, _ prefix: Data) {
        held += Self.size(prefix)
        askedBytes += Self.size(prefix)
        asked[key, default: [:]][prefix, default: 0] += 1
    }

    /// What was not subscribed to cannot be given back: nobody makes room for more by that.
    mutating func unsubscribed(_ key: PeerKey, _ prefix: Data) {
        guard let count = asked[key]?[prefix], count > 0 else { return }
        asked[key]?[prefix] = count > 1 ? count - 1 : nil
        askedBytes -= Self.size(prefix)
        gone(prefix)
    }

    mutating func gone(_ prefix: Data) { held = max(0, held - Self.size(prefix)) }

    /// Who asked for most.
    var greediest: PeerKey? {
        asked.max { Self.size($0.value) < Self.size($1.value) }?.key
    }

    private static func size(_ prefix: Data) -> Int { prefix.count + 1 }
    private static func size(_ prefixes: [Data: Int]) -> Int {
        prefixes.reduce(0) { $0 + size($1.key) * $1.value }
    }
}
