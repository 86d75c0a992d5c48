import Foundation

/// W3C Trace Context: every chain of events is one trace, and every event a place in it.
///
/// Nothing is drawn or stored for it: both ids follow from ids that events have anyhow, so an event that is built again
/// has the same.
public enum Trace {
    /// The `traceparent` of an event: in the trace of its cause, or in one of its own.
    ///
    /// - Parameters:
    ///   - cause: the `traceparent` that the cause carried.
    ///   - correlation: what all events of the chain share.
    ///   - event: the event's own id.
    public static func parent(after cause: String?, correlation: String, event: String) -> String {
        // Once for every event: written in one go.
        var bytes: [UInt8] = []
        bytes.reserveCapacity(length)
        bytes += "00-".utf8
        if let cause, isOne(cause) {
            bytes += cause.utf8.dropFirst(3).prefix(32)
        } else {
            append(correlation, digits: 32, to: &bytes)
        }
        bytes.append(dash)
        append(event, digits: 16, to: &bytes)
        bytes += "-01".utf8
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The trace's id in a `traceparent`; `nil` for what is none.
    public static func id(_ traceparent: String) -> String? {
        isOne(traceparent) ? String(decoding: traceparent.utf8.dropFirst(3).prefix(32), as: UTF8.self) : nil
    }

    /// The span's id in a `traceparent`.
    public static func span(_ traceparent: String) -> String? {
        isOne(traceparent) ? String(decoding: traceparent.utf8.dropFirst(36).prefix(16), as: UTF8.self) : nil
    }

    /// The span of whatever has that id: an event, a run, a step.
    public static func span(of id: String) -> String {
        var bytes: [UInt8] = []
        append(id, digits: 16, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    private static let length = 55
    private static let dash = UInt8(ascii: "-")

    /// `00-<32 digits>-<16 digits>-<2 digits>`, neither id all zeros; newer versions may say more after that.
    private static func isOne(_ text: String) -> Bool {
        guard text.utf8.count >= length, !text.hasPrefix("ff") else { return false }
        var (trace, span) = (false, false)
        for (index, byte) in text.utf8.prefix(length).enumerated() {
            if index == 2 || index == 35 || index == 52 {
                guard byte == dash else { return false }
            } else {
                guard (48...57).contains(byte) || (97...102).contains(byte) else { return false }
                if (3..<35).contains(index), byte != 48 { trace = true }
                if (36..<52).contains(index), byte != 48 { span = true }
            }
        }
        return trace && span && (text.utf8.count == length || !text.hasPrefix("00"))
    }

    /// A UUID's own digits, its last ones where fewer are wanted: those are its random part. Of anything else a hash.
    private static func append(_ id: String, digits: Int, to bytes: inout [UInt8]) {
        let start = bytes.count
        if id.utf8.count == 36 {
            var skipped = 32 - digits
            for byte in id.utf8 where byte != dash {
                if skipped > 0 {
                    skipped -= 1
                } else if (48...57).contains(byte) || (97...102).contains(byte) {
                    bytes.append(byte)
                }
            }
            if bytes.count - start == digits, bytes[start...].contains(where: { $0 != 48 }) { return }
            bytes.removeSubrange(start...)
        }
        // FNV-1a from two beginnings: spread well enough to tell traces apart.
        let seeds: [UInt64] = [0xcbf2_9ce4_8422_2325, 0x8422_2325_cbf2_9ce4]
        for seed in seeds.prefix(digits / 16) {
            let word = max(1, id.utf8.reduce(seed) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 })
            for shift in stride(from: 60, through: 0, by: -4) {
                let digit = UInt8(word >> UInt64(shift) & 0x0f)
                bytes.append(digit < 10 ? 48 + digit : 87 + digit)
            }
        }
    }
}
