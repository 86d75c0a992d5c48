import Foundation
import Store

/// Says to the other replicas that this process lives, under a name that no other ever has; the kernel takes it back with
/// the last breath.
final class AnsweringReplica: Sendable {
    /// A name is locked within a moment after it was made: who finds an older one free may remove it.
    private static let settled: TimeInterval = 3600

    let name: String
    private let folder: String
    private let lock: LeaderLock

    /// - Parameter folder: shared by the replicas.
    init(in folder: String) throws {
        self.folder = folder
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        name = UUID().uuidString.lowercased()
        guard let lock = try LeaderLock.acquire(path: Self.path(name, folder)) else {
            throw StoreError(
                path: Self.path(name, folder), problem: "is locked by another process",
                hint: "start the service again")
        }
        self.lock = lock
        Self.removeDead(folder)
    }

    deinit { unlink(Self.path(name, folder)) }

    /// Whether the process lives that has the name.
    func isAlive(_ other: String) -> Bool {
        // What cannot be looked at counts as alive: to tell somebody of another's creation would be the worse mistake.
        !other.isEmpty && (try? LeaderLock.isHeld(path: Self.path(other, folder))) ?? true
    }

    private static func path(_ name: String, _ folder: String) -> String { "\(folder)/\(name).lock" }

    private static func removeDead(_ folder: String) {
        let files = FileManager.default
        for name in (try? files.contentsOfDirectory(atPath: folder)) ?? [] {
            let path = "\(folder)/\(name)"
            guard let made = (try? files.attributesOfItem(atPath: path))?[.modificationDate] as? Date,
                made.timeIntervalSinceNow < -settled, (try? LeaderLock.isHeld(path: path)) == false
            else { continue }
            // No other process ever takes the name.
            unlink(path)
        }
    }
}
