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
        var bytes = Data(capacity: 6 + Self.epochDigits + 21 + Self.chainDigits)
        bytes.append(contentsOf: "MB1 ".utf8)
        bytes.append(kind.rawValue)
        bytes.append(0x20)
        let epoch = String(epoch)
        for _ in 0..<max(0, Self.epochDigits - epoch.utf8.count) { bytes.append(0x30) }
        bytes.append(contentsOf: epoch.utf8)
        bytes.append(0x20)
        bytes.append(contentsOf: String(seq).utf8)
        bytes.append(0x20)
        chain.withDigits { bytes.append(contentsOf: $0) }
        return bytes
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
