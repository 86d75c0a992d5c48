import Crypto
import Foundation
import Messages

/// 16 bytes that sum up a log to one point: a restored, forked or altered log shows at once (bus.md 3).
package struct Chain: Sendable, Hashable, Codable, CustomStringConvertible {
    // Two numbers, not a text: records are compared and handed on far more often than they are written.
    private let high: UInt64
    private let low: UInt64

    /// `nil` unless the text is 32 lower-case hex digits.
    package init?(hex: String) {
        var hex = hex
        guard let chain = hex.withUTF8({ Chain(digits: UnsafeRawBufferPointer($0)) }) else { return nil }
        self = chain
    }

    /// `nil` unless they are 32 lower-case hex digits.
    package init?(digits: UnsafeRawBufferPointer) {
        guard digits.count == Self.digitCount, let high = Self.number(digits[0..<16]),
            let low = Self.number(digits[16..<32])
        else { return nil }
        self.high = high
        self.low = low
    }

    private init(first16 digest: SHA256.Digest) {
        (high, low) = digest.withUnsafeBytes { bytes in
            (
                UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
                UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            )
        }
    }

    private static func number(_ digits: Slice<UnsafeRawBufferPointer>) -> UInt64? {
        var value: UInt64 = 0
        for digit in digits {
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt64(digit - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt64(digit - UInt8(ascii: "a") + 10)
            default: return nil
            }
        }
        return value
    }

    private static let digitCount = 32
    private static let digits: StaticString = "0123456789abcdef"

    /// 32 lower-case hex digits.
    package var hex: String {
        String(unsafeUninitializedCapacity: Self.digitCount) { text in
            write(to: UnsafeMutableRawBufferPointer(text))
            return Self.digitCount
        }
    }

    /// The 32 digits of ``hex``, which is what is hashed and sent.
    private func write(to text: UnsafeMutableRawBufferPointer) {
        for place in 0..<Self.digitCount {
            let word = place < 16 ? high : low
            text[place] = Self.digits.utf8Start[Int(word >> UInt64(60 - 4 * (place % 16)) & 0x0f)]
        }
    }

    /// Hands out the 32 digits of ``hex`` without making a text of them.
    package func withDigits<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        withUnsafeTemporaryAllocation(byteCount: Self.digitCount, alignment: 1) { text in
            write(to: text)
            return body(UnsafeRawBufferPointer(text))
        }
    }

    /// `SHA-256("MB1" ‖ source ‖ epoch ‖ parent)[0..16)`.
    package static func start(of source: Source, epoch: Int64, parent: LogParent?) -> Chain {
        var hash = SHA256()
        hash.update(data: Data("MB1".utf8))
        hash.update(data: Data(source.name.utf8))
        hash.update(data: Data(String(epoch).utf8))
        hash.update(data: Data((parent?.text ?? "").utf8))
        return Chain(first16: hash.finalize())
    }

    /// `SHA-256(chain ‖ topic ‖ 0x00 ‖ body)[0..16)`, the chain as its 32 hex digits.
    package func next(topic: String, body: Data) -> Chain {
        var hash = SHA256()
        withDigits { hash.update(bufferPointer: $0) }
        var topic = topic
        topic.withUTF8 { hash.update(bufferPointer: UnsafeRawBufferPointer($0)) }
        var end: UInt8 = 0
        withUnsafeBytes(of: &end) { hash.update(bufferPointer: $0) }
        body.withUnsafeBytes { hash.update(bufferPointer: $0) }
        return Chain(first16: hash.finalize())
    }

    package var description: String { hex }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let chain = Chain(hex: try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not 32 hex digits")
        }
        self = chain
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(hex)
    }
}

extension Chain {
    /// All zeros: no real chain has this value. In a cursor it means "take the first record's word for it".
    package static let unknown: Chain = {
        guard let zeros = Chain(hex: String(repeating: "0", count: 32)) else {
            preconditionFailure("32 zeros are 32 hex digits")
        }
        return zeros
    }()
}

extension LogCursor {
    /// A place in a log whose chain the reader does not know, as after `--since`: the first record's `prev` is believed.
    package static func trusting(epoch: Int64, seq: Int64) -> LogCursor {
        LogCursor(epoch: epoch, seq: seq, chain: .unknown)
    }
}
