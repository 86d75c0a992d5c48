import Foundation

/// Turns what a process writes into what its log shows: whole lines, masked, up to a limit.
///
/// The outcome depends on the bytes alone and not on how they arrived in pieces. So after a restart the log is made once
/// more from the beginning, and what was already written is left out.
struct LogLines: Sendable {
    /// A line longer than this is shown in parts: a progress bar may never end its line.
    static let longestLine = 64 << 10
    static let tailLines = 20
    static let longestTailLine = 400

    let mask: LogMask
    let limit: Int
    private(set) var isCut: Bool
    /// The last lines, for the message of a failed step.
    private(set) var tail: [String] = []
    private var pending = Data()
    private var shown = 0

    /// - Parameter isCut: the limit was reached by an earlier process of ours; only the tail is still of interest.
    init(mask: LogMask, limit: Int, isCut: Bool = false) {
        self.mask = mask
        self.limit = limit
        self.isCut = isCut
    }

    /// What the log gains by these bytes.
    mutating func feed(_ bytes: Data) -> Data {
        pending += bytes
        var gained = Data()
        var start = pending.startIndex
        while let end = endOfLine(from: start) {
            gained += show(Data(pending[start..<end]))
            start = end
        }
        pending = Data(pending[start...])
        return gained
    }

    /// What the log gains when nothing more comes: the line that was never ended, and a last word of ours.
    mutating func finish(notice: String?) -> Data {
        var gained = Data()
        if !pending.isEmpty {
            gained += show(pending + Data("\n".utf8))
            pending = Data()
        }
        if let notice { gained += Data("[martlet] \(notice)\n".utf8) }
        return gained
    }

    private func endOfLine(from start: Data.Index) -> Data.Index? {
        let rest = pending[start...]
        if let end = rest.prefix(Self.longestLine).firstIndex(where: { $0 == 10 || $0 == 13 }) { return end + 1 }
        // Far enough beyond the cut to see a secret that would cross it.
        guard rest.count >= Self.longestLine + mask.longest else { return nil }
        let cut = start + Self.longestLine
        return mask.end(ofSecretAcross: cut, in: rest) ?? cut
    }

    private mutating func show(_ line: Data) -> Data {
        let masked = mask.apply(to: line)
        let text = String(decoding: masked, as: UTF8.self).trimmingCharacters(in: .newlines)
        if !text.trimmingCharacters(in: .whitespaces).isEmpty {
            tail.append(String(text.prefix(Self.longestTailLine)))
            if tail.count > Self.tailLines { tail.removeFirst() }
        }
        guard !isCut else { return Data() }
        guard shown + masked.count <= limit else {
            isCut = true
            return Data("[martlet] the log is cut here: it has reached its limit of \(limit) bytes\n".utf8)
        }
        shown += masked.count
        return masked
    }
}
