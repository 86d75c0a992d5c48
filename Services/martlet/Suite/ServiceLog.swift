import Foundation
import Processes

/// The file that a child writes to; what it said since its start is what its failure is told with.
struct ServiceLog: Sendable {
    static let largest = 10 << 20
    let path: String

    /// Begins anew when it has grown, also while its child writes; what it held before is kept.
    /// - Returns: whether it began anew.
    @discardableResult
    func rotate() -> Bool { GrowingLog.trim(path, over: Self.largest) }

    var size: Int {
        (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? 0
    }

    /// The last lines from `offset` on.
    func lastLines(from offset: Int, count: Int = 5) -> [String] {
        guard let file = FileHandle(forReadingAtPath: path) else { return [] }
        defer { try? file.close() }
        // A child that says very much shall not be read whole.
        let start = max(offset, size - 16_384)
        guard (try? file.seek(toOffset: UInt64(max(0, start)))) != nil,
            let bytes = try? file.readToEnd()
        else { return [] }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").suffix(count).map(String.init)
    }
}
