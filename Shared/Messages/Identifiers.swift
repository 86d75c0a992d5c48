import Foundation

/// A source of UUIDv7 ids: they sort by time of making, which keeps indexes dense and lists in order.
public struct UUIDv7: Sendable {
    private let random: @Sendable () -> UInt64

    /// - Parameter random: 64 random bits a call; a test hands in a seeded generator.
    public init(random: @escaping @Sendable () -> UInt64 = { UInt64.random(in: .min ... .max) }) {
        self.random = random
    }

    /// RFC 9562: 48 bits of milliseconds, version 7, 74 random bits.
    public func next(at time: Timestamp) -> String {
        let ms = UInt64(max(0, time.milliseconds)) & 0xFFFF_FFFF_FFFF
        let high = (ms << 16) | 0x7000 | (random() & 0x0FFF)
        let low = (random() & 0x3FFF_FFFF_FFFF_FFFF) | 0x8000_0000_0000_0000
        return String(unsafeUninitializedCapacity: 36) { text in
            var at = 0
            for nibble in 0..<32 {
                if nibble == 8 || nibble == 12 || nibble == 16 || nibble == 20 {
                    text[at] = UInt8(ascii: "-")
                    at += 1
                }
                let word = nibble < 16 ? high : low
                text[at] = Self.digits[Int(word >> UInt64(60 - 4 * (nibble % 16)) & 0x0f)]
                at += 1
            }
            return at
        }
    }

    private static let digits = Array("0123456789abcdef".utf8)
}

/// A content address in the artifact store: `sha256:` and 64 hex digits.
public struct Digest: Sendable, Hashable, Codable, CustomStringConvertible {
    public let text: String

    /// `nil` unless the text is `sha256:` followed by 64 lower-case hex digits: digests become file names.
    public init?(_ text: String) {
        let hex = text.dropFirst("sha256:".count)
        guard text.hasPrefix("sha256:"), hex.utf8.count == 64,
            hex.utf8.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) })
        else { return nil }
        self.text = text
    }

    /// `nil` unless there are 32 bytes.
    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 32 else { return nil }
        self.init("sha256:" + bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined())
    }

    public var hex: String { String(text.dropFirst("sha256:".count)) }
    public var bytes: Data {
        let digits = hex.utf8.map { $0 < 58 ? $0 - 48 : $0 - 87 }
        return Data(stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] })
    }
    public var description: String { text }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let digest = Digest(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "'\(text)' is not a sha256 digest")
        }
        self = digest
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}
