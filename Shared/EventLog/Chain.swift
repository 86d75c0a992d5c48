import Crypto
import Foundation
import Messages

/// 16 bytes that sum up a log to one point: a restored, forked or altered log shows at once (bus.md 3).
package struct Chain: Sendable, Hashable, Codable, CustomStringConvertible {
    /// 32 lower-case hex digits.
    package let hex: String

    /// `nil` unless the text is 32 lower-case hex digits.
    package init?(hex: String) {
        guard hex.utf8.count == 32, hex.utf8.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) }) else {
            return nil
        }
        self.hex = hex
    }

    private init(first16 digest: SHA256.Digest) {
        hex = String(unsafeUninitializedCapacity: 32) { text in
            for (index, byte) in digest.prefix(16).enumerated() {
                text[2 * index] = Self.digits[Int(byte >> 4)]
                text[2 * index + 1] = Self.digits[Int(byte & 0x0f)]
            }
            return 32
        }
    }

    private static let digits = Array("0123456789abcdef".utf8)

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
        hash.update(data: Data(hex.utf8))
        hash.update(data: Data(topic.utf8))
        hash.update(data: Data([0]))
        hash.update(data: body)
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
