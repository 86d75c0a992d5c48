import Foundation

/// A CURVE public key: who a peer is (bus.md 8). 40 characters of Z85, kept as five words so that a look-up for each
/// message makes no string.
package struct PeerKey: Sendable, Hashable {
    package static let length = 40
    private let words: (UInt64, UInt64, UInt64, UInt64, UInt64)

    /// `nil` unless these are 40 characters of Z85 (ZeroMQ RFC 32).
    package init?(_ text: String) {
        var text = text
        guard text.utf8.count == Self.length, text.utf8.allSatisfy(Self.isZ85) else { return nil }
        words = text.withUTF8 { Self.words(UnsafeRawBufferPointer($0)) }
    }

    /// - Parameter bytes: 40 bytes of Z85, which libzmq or ``init(_:)`` has made.
    init(trusted bytes: UnsafeRawBufferPointer) { words = Self.words(bytes) }

    private static func words(_ bytes: UnsafeRawBufferPointer) -> (UInt64, UInt64, UInt64, UInt64, UInt64) {
        func word(_ index: Int) -> UInt64 { bytes.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self) }
        return (word(0), word(1), word(2), word(3), word(4))
    }

    package var text: String {
        withUnsafeBytes(of: words) { String(decoding: $0, as: UTF8.self) }
    }

    package static func == (left: PeerKey, right: PeerKey) -> Bool { left.words == right.words }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(words.0)
        hasher.combine(words.2)
        hasher.combine(words.4)
    }

    static func isZ85(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
        default: ".-:+=^!/*?&<>()[]{}@%$#".utf8.contains(byte)
        }
    }
}

extension PeerKey: CustomStringConvertible {
    package var description: String { text }
}
