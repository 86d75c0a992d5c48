import Foundation
import GRDB

/// Notices that somebody has committed to the database, other processes too (bus.md 7).
package final class CommitWatch: Sendable {
    private let queue: DatabaseQueue

    /// - Parameter path: of a database that is open in this process.
    package init(path: String) throws {
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(5)
        queue = try DatabaseQueue(path: path, configuration: configuration)
    }

    /// Changes with each commit of anybody else's connection; reads a few bytes of shared memory.
    package func version() async throws -> Int64 {
        try await withCheckedThrowingContinuation { continuation in
            queue.asyncRead { connection in
                continuation.resume(
                    with: Result { try Int64.fetchOne(connection.get(), sql: "PRAGMA data_version") ?? 0 })
            }
        }
    }
}
