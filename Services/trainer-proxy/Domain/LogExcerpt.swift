import Foundation
import Messages

/// Picks what of a step's log is told in passing: the newest lines, shortened, so many at a time and so often.
///
/// Bounded whatever the step writes; the log itself is whole and elsewhere.
struct LogExcerpt: Sendable, Equatable {
    /// As JSON.
    static let lineBytes = 1_000
    static let bytesAtOnce = 32_000
    static let linesAtOnce = 100
    static let pause = Duration.milliseconds(200)

    private var lines: [String] = []
    private var bytes = 0
    private var omitted = 0
    private var toldAt: Timestamp?
    /// A progress bar went back to the line's beginning: the next line stands in place of this one.
    private var isOverwritten = false

    /// What the log has gained: masked lines with their ends.
    mutating func add(_ gained: Data) {
        var start = skip(gained)
        while start < gained.endIndex {
            let end = gained[start...].firstIndex { $0 == 10 || $0 == 13 } ?? gained.endIndex
            if end > start { add(line: String(decoding: gained[start..<end], as: UTF8.self)) }
            guard end < gained.endIndex else { return }
            isOverwritten = gained[end] == 13
            start = end + 1
        }
    }

    /// Of a great deal only the end can be told: what stands before is counted, and not looked at any closer.
    private mutating func skip(_ gained: Data) -> Data.Index {
        guard gained.count > 2 * Self.bytesAtOnce else { return gained.startIndex }
        let rest = gained.dropLast(2 * Self.bytesAtOnce)
        guard let end = rest.lastIndex(of: 10) else { return gained.startIndex }
        omitted += lines.count + rest.withUnsafeBytes { part in part.count { $0 == 10 } }
        (lines, bytes, isOverwritten) = ([], 0, false)
        return end + 1
    }

    private mutating func add(line: String) {
        if isOverwritten, let last = lines.popLast() { bytes -= last.jsonBytes }
        isOverwritten = false
        let short = line.shortened(to: Self.lineBytes)
        lines.append(short)
        bytes += short.jsonBytes
        while lines.count > Self.linesAtOnce || bytes > Self.bytesAtOnce {
            bytes -= lines.removeFirst().jsonBytes
            omitted += 1
        }
    }

    /// What is to be told now; `nil`: nothing is new, or something was told a moment ago.
    ///
    /// - Parameter isLast: nothing more will come, so nothing waits.
    mutating func take(at now: Timestamp, isLast: Bool = false) -> (lines: [String], omitted: Int)? {
        guard !lines.isEmpty, isLast || toldAt.map({ $0.advanced(by: Self.pause) <= now }) ?? true else { return nil }
        defer {
            (lines, bytes, omitted) = ([], 0, 0)
            toldAt = now
        }
        return (lines, omitted)
    }
}
