import Foundation
import Messages

/// `backups.json` in the console's data folder: how the scheduled backups are going, for `martlet status`.
package struct BackupStatus: Codable, Sendable, Hashable {
    package var folder: String
    package var everySeconds: Double
    /// The moment of the newest one.
    package var last: String?
    package var path: String?
    /// Why the newest try came to nothing, and when; `nil` when it succeeded.
    package var failure: String?

    package init(folder: String, everySeconds: Double) {
        self.folder = folder
        self.everySeconds = everySeconds
    }

    private static func file(_ paths: DataPaths) -> String { paths.home(of: .console) + "/backups.json" }

    package static func read(_ paths: DataPaths) -> BackupStatus? {
        FileManager.default.contents(atPath: file(paths)).flatMap { try? Wire.decode(BackupStatus.self, from: $0) }
    }

    package func write(_ paths: DataPaths) throws {
        try Wire.encode(self).write(to: URL(fileURLWithPath: Self.file(paths)), options: .atomic)
    }

    /// Without a schedule any more.
    package static func forget(_ paths: DataPaths) { try? FileManager.default.removeItem(atPath: file(paths)) }
}
