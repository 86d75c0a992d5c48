import Foundation
import Logging
import Store

/// Tells a replica what the others have committed: by looking every 20 ms, and only while there are others.
struct ReplicaWatch: Sendable {
    private static let pause = Duration.milliseconds(20)
    /// Between two looks at whether there are others.
    private static let looksBetween = 50

    let slot: ReplicaSlot
    let path: String
    let logger: Logger
    let onCommit: @Sendable () async -> Void

    func run() async {
        while !Task.isCancelled {
            if slot.isAlone {
                try? await Task.sleepToWholeSecond()
                continue
            }
            do {
                try await watch()
            } catch {
                logger.warning("commits of other replicas cannot be seen, trying again: \(error)")
                try? await Task.sleep(for: .seconds(1))
            }
        }
    }

    /// Returns when there are no others any more.
    private func watch() async throws {
        let watch = try CommitWatch(path: path)
        var known = try await watch.version()
        // What was committed before this look.
        await onCommit()
        while !Task.isCancelled, !slot.isAlone {
            for _ in 0..<Self.looksBetween where !Task.isCancelled {
                try? await Task.sleep(for: Self.pause, tolerance: .milliseconds(1))
                let version = try await watch.version()
                if version != known {
                    known = version
                    await onCommit()
                }
            }
        }
    }
}
