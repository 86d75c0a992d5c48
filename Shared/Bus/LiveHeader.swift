import EventLog
import Foundation
import Messages

/// The second frame of a live message: `MB1 <kind> <epoch> <seq> <prev>` (bus.md 3).
package struct LiveHeader: Sendable, Hashable {
    package enum Kind: UInt8, Sendable {
        /// An event: durable and sequenced.
        case event = 0x45
        /// A heartbeat: `seq` is the last event's, `prev` the chain with it.
        case heartbeat = 0x48
        /// Telemetry: lossy, not sequenced; epoch, seq and chain are zero.
        case telemetry = 0x54
    }

    package var kind: Kind
    package var epoch: Int64
    package var seq: Int64
    package var chain: Chain

    package init(kind: Kind, epoch: Int64, seq: Int64, chain: Chain) {
        self.kind = kind
        self.epoch = epoch
        self.seq = seq
        self.chain = chain
    }

    package static let telemetry = LiveHeader(kind: .telemetry, epoch: 0, seq: 0, chain: .unknown)

    package var text: String { String(decoding: bytes, as: UTF8.self) }

    package var bytes: Data {
        // Each event has one: it is written in place, because a `Data` that grows piece by piece costs three times as much.
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 6 + 20 + 1 + 20 + 1 + Self.chainDigits) { text in
            (text[0], text[1], text[2], text[3]) = (0x4D, 0x42, 0x31, 0x20)
            (text[4], text[5]) = (kind.rawValue, 0x20)
            var end = Self.write(epoch, digits: Self.epochDigits, into: text, at: 6)
            text[end] = 0x20
            end = Self.write(seq, digits: 1, into: text, at: end + 1)
            text[end] = 0x20
            end += 1
            chain.withDigits { digits in
                for digit in digits {
                    text[end] = digit
                    end += 1
                }
            }
            return Data(buffer: UnsafeBufferPointer(rebasing: text[..<end]))
        }
    }

    /// Writes a number that is not negative with at least so many digits; returns where it ends.
    private static func write(
        _ number: Int64, digits: Int, into text: UnsafeMutableBufferPointer<UInt8>, at start: Int
    ) -> Int {
        var length = 1
        var rest = number.magnitude
        while rest >= 10 {
            rest /= 10
            length += 1
        }
        let end = start + max(digits, length)
        rest = number.magnitude
        for place in (start..<end).reversed() {
            text[place] = 0x30 + UInt8(rest % 10)
            rest /= 10
        }
        return end
    }

    private static let epochDigits = 13
    private static let chainDigits = 32
    /// `MB1 E <13> <1...19> <32>`.
    private static let lengths = (6 + 13 + 1 + 1 + 1 + 32)...(6 + 13 + 1 + 19 + 1 + 32)

    /// Strict: one way to write every header; `nil` for anything else.
    package init?(parsing bytes: UnsafeRawBufferPointer) {
        guard Self.lengths.contains(bytes.count), bytes.starts(with: "MB1 ".utf8),
            let kind = Kind(rawValue: bytes[4]), bytes[5] == 0x20,
            let epoch = Self.number(bytes[6..<19]), bytes[19] == 0x20
        else { return nil }
        let chainStart = bytes.count - Self.chainDigits
        let seqBytes = bytes[20..<(chainStart - 1)]
        guard bytes[chainStart - 1] == 0x20, seqBytes.first != 0x30 || seqBytes.count == 1,
            let seq = Self.number(seqBytes),
            let chain = Chain(digits: UnsafeRawBufferPointer(rebasing: bytes[chainStart...]))
        else { return nil }
        switch kind {
        case .event: guard seq > 0, epoch > 0 else { return nil }
        case .heartbeat: guard epoch > 0 else { return nil }
        case .telemetry: guard seq == 0, epoch == 0 else { return nil }
        }
        self.init(kind: kind, epoch: epoch, seq: seq, chain: chain)
    }

    package init?(_ bytes: Data) {
        guard let header = bytes.withUnsafeBytes({ LiveHeader(parsing: $0) }) else { return nil }
        self = header
    }

    /// Decimal digits only; `nil` when there are none or they do not fit.
    private static func number(_ digits: Slice<UnsafeRawBufferPointer>) -> Int64? {
        guard !digits.isEmpty else { return nil }
        var value: Int64 = 0
        for digit in digits {
            guard (0x30...0x39).contains(digit) else { return nil }
            let (scaled, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflowToo) = scaled.addingReportingOverflow(Int64(digit - 0x30))
            guard !overflow, !overflowToo else { return nil }
            value = sum
        }
        return value
    }
}
