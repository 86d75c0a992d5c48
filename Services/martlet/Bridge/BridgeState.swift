import Bus
import EventLog
import Foundation
import Messages

/// How far a bridge has come, in a file: what was accepted there is not sent again after a restart.
struct BridgeState: Sendable, Hashable, Codable {
    /// By the name of the log.
    var cursors: [String: LogCursor] = [:]

    /// `nil` when there is no file yet.
    static func read(_ path: String) throws -> BridgeState? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        do {
            return try Wire.decode(BridgeState.self, from: try Data(contentsOf: URL(fileURLWithPath: path)))
        } catch {
            throw Failure(
                "\(path) holds no bridge's place: \(error)",
                hint: "name another --state, or remove the file to begin anew")
        }
    }

    /// Replaces the file as a whole: a crash leaves the old place or the new one.
    func write(_ path: String) throws {
        try AtomicFile.write(String(decoding: try Wire.encode(self), as: UTF8.self), to: path)
    }
}
