import CZMQ
import Foundation

/// A CURVE key pair. The secret is written to its file and handed to libzmq, and never shown.
package struct KeyPair: Sendable, Hashable, CustomStringConvertible, CustomReflectable {
    package let publicKey: PeerKey
    let secret: String

    package var description: String { "\(publicKey) (secret not shown)" }
    package var customMirror: Mirror { Mirror(self, children: ["publicKey": publicKey.text]) }

    /// - Throws: ``BusError/key(_:)`` when the secret does not belong to the public key.
    init(publicKey: PeerKey, secret: String) throws(BusError) {
        guard PeerKey(secret) != nil else { throw .key("its secret is not 40 characters of Z85") }
        var derived = [CChar](repeating: 0, count: PeerKey.length + 1)
        guard zmq_curve_public(&derived, secret) == 0, Self.key(derived) == publicKey else {
            throw .key("its secret does not belong to its public key")
        }
        self.publicKey = publicKey
        self.secret = secret
    }

    /// Made by libzmq. A public key begins with neither `#` nor `-`: it shall not look like a comment or an option.
    package static func generate() throws(BusError) -> KeyPair {
        var (open, hidden) = (
            [CChar](repeating: 0, count: PeerKey.length + 1), [CChar](repeating: 0, count: PeerKey.length + 1)
        )
        while true {
            guard zmq_curve_keypair(&open, &hidden) == 0 else {
                throw .key("libzmq makes no keys: \(lastProblem())")
            }
            guard let key = key(open), !key.text.hasPrefix("#"), !key.text.hasPrefix("-") else { continue }
            return try KeyPair(publicKey: key, secret: text(hidden))
        }
    }

    private static func key(_ characters: [CChar]) -> PeerKey? { PeerKey(text(characters)) }

    private static func text(_ characters: [CChar]) -> String {
        String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// What a client needs to dial a bus over tcp: who it is, and which bus it believes.
package struct BusCredentials: Sendable, Hashable {
    package var own: KeyPair
    package var bus: PeerKey

    package init(own: KeyPair, bus: PeerKey) {
        self.own = own
        self.bus = bus
    }
}
