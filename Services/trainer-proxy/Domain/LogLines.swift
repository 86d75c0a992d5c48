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
    /// Whole lines behind the cut, as the end of a log says most.
    static let longestEnd = 64 << 10
    private var end: [Data] = []
    private var endBytes = 0
    private var leftOut = 0

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
        let (last, bytes) = lastLines()
        leftOut += endBytes - bytes
        if leftOut > 0 { gained += Data("[martlet] \(leftOut) bytes are left out here; the end follows\n".utf8) }
        gained += last.reduce(into: Data()) { $0 += $1 }
        (end, endBytes, leftOut) = ([], 0, 0)
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
        guard !isCut else {
            keep(masked)
            return Data()
        }
        guard shown + masked.count <= limit else {
            isCut = true
            keep(masked)
            return Data("[martlet] the log is cut here: it has reached its limit of \(limit) bytes\n".utf8)
        }
        shown += masked.count
        return masked
    }

    private mutating func keep(_ line: Data) {
        end.append(line)
        endBytes += line.count
        // A handful of lines at once: removing the first of many, each time, would take as long as there are lines.
        guard endBytes > 2 * Self.longestEnd else { return }
        let (last, bytes) = lastLines()
        leftOut += endBytes - bytes
        (end, endBytes) = (last, bytes)
    }

    private func lastLines() -> (lines: [Data], bytes: Int) {
        var bytes = 0
        var first = end.endIndex
        while first > end.startIndex, bytes + end[first - 1].count <= Self.longestEnd {
            first -= 1
            bytes += end[first].count
        }
        return (Array(end[first...]), bytes)
    }
}
