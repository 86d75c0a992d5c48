import Bus
import Foundation

/// How much the subscriptions of all peers take: libzmq keeps them in a tree with a node for every byte. Pure.
///
/// Of a peer that is gone libzmq tells the prefixes, but not whose they were: `held` is right, and what a key asked for,
/// which is only looked at to find out who asked for most, counts at most as often as its prefix is held.
struct SubscriptionLedger {
    static let mostBytes = 1 << 20

    private struct Prefix {
        var held = 0
        var asked: [PeerKey: Int] = [:]
    }

    private(set) var held = 0
    /// Those that are held: what is gone is forgotten with everybody who asked for it.
    private var prefixes: [Data: Prefix] = [:]

    var isFull: Bool { held > Self.mostBytes }

    mutating func subscribed(_ key: PeerKey, _ prefix: Data) {
        held += Self.size(prefix)
        prefixes[prefix, default: Prefix()].held += 1
        prefixes[prefix, default: Prefix()].asked[key, default: 0] += 1
    }

    /// What was not subscribed to cannot be given back: nobody makes room for more by that.
    mutating func unsubscribed(_ key: PeerKey, _ prefix: Data) {
        guard let count = prefixes[prefix]?.asked[key] else { return }
        prefixes[prefix]?.asked[key] = count > 1 ? count - 1 : nil
        gone(prefix)
    }

    mutating func gone(_ prefix: Data) {
        guard let count = prefixes[prefix]?.held else { return }
        held -= Self.size(prefix)
        if count > 1 { prefixes[prefix]?.held = count - 1 } else { prefixes[prefix] = nil }
    }

    /// Who asked for most.
    var greediest: PeerKey? {
        var bytes: [PeerKey: Int] = [:]
        for (prefix, known) in prefixes {
            for (key, count) in known.asked { bytes[key, default: 0] += Self.size(prefix) * min(count, known.held) }
        }
        return bytes.max { $0.value < $1.value }?.key
    }

    private static func size(_ prefix: Data) -> Int { prefix.count + 1 }
}
