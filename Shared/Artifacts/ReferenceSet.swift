import Foundation
import Messages

/// Digests that somebody refers to; 32 bytes each.
package struct ReferenceSet: Sendable, Hashable {
    private var words: Set<SIMD4<UInt64>> = []

    package init() {}

    package var count: Int { words.count }

    package mutating func formUnion(_ other: ReferenceSet) { words.formUnion(other.words) }

    package func contains(_ digest: Digest) -> Bool {
        var hex = digest.hex
        return hex.withUTF8 { Self.word(UnsafeRawBufferPointer($0)).map(words.contains) ?? false }
    }

    /// Takes everything in these bytes that may be a digest: 64 hex digits in a row, as text has them, or 32 bytes that
    /// are all there is. What only looks like one keeps an artifact that nobody needs, and nothing worse.
    package mutating func insert(allIn bytes: UnsafeRawBufferPointer) {
        if bytes.count == 32 { words.insert(Self.word(packed: bytes)) }
        // Every run of 64 covers one of these places, so most bytes are never looked at.
        var probe = 63
        while probe < bytes.count {
            guard Self.digit(bytes[probe]) != nil else {
                probe += 64
                continue
            }
            var (start, end) = (probe, probe + 1)
            while start > 0, Self.digit(bytes[start - 1]) != nil { start -= 1 }
            while end < bytes.count, Self.digit(bytes[end]) != nil { end += 1 }
            if end - start == 64, let word = Self.word(UnsafeRawBufferPointer(rebasing: bytes[start..<end])) {
                words.insert(word)
            }
            probe = end + 63
        }
    }

    private static func word(_ hex: UnsafeRawBufferPointer) -> SIMD4<UInt64>? {
        guard hex.count == 64 else { return nil }
        var word = SIMD4<UInt64>()
        for (index, byte) in hex.enumerated() {
            guard let digit = digit(byte) else { return nil }
            word[index / 16] = word[index / 16] << 4 | UInt64(digit)
        }
        return word
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 48...57: byte - 48
        case 97...102: byte - 87
        default: nil
        }
    }
}

// MARK: - On the way

extension ReferenceSet {
    /// As parts of at most so many digests, 32 bytes each.
    package func packed(most: Int) -> [Data] {
        let all = Array(words)
        return stride(from: 0, to: all.count, by: most).map { start in
            var part = Data(capacity: most * 32)
            for word in all[start..<min(all.count, start + most)] {
                for index in 0..<4 { withUnsafeBytes(of: word[index].bigEndian) { part.append(contentsOf: $0) } }
            }
            return part
        }
    }

    package mutating func insert(packed part: Data) {
        part.withUnsafeBytes { bytes in
            for start in stride(from: 0, through: bytes.count - 32, by: 32) {
                words.insert(Self.word(packed: UnsafeRawBufferPointer(rebasing: bytes[start..<start + 32])))
            }
        }
    }

    private static func word(packed bytes: UnsafeRawBufferPointer) -> SIMD4<UInt64> {
        var word = SIMD4<UInt64>()
        for index in 0..<32 { word[index / 8] = word[index / 8] << 8 | UInt64(bytes[index]) }
        return word
    }
}
