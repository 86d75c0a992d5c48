import Foundation
import Processes
import Store

/// Says to the other replicas that this one's process space lives; the kernel takes it back with the last breath.
final class Presence: Sendable {
    private let folder: String
    private let lock: LeaderLock

    /// - Parameter folder: shared by the replicas.
    init(in folder: String) throws {
        self.folder = folder
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        // Somebody who looks whether we live holds a name for a moment: there is a next one.
        let own = "\(folder)/\(ProcessSpace.current)-\(ProcessInfo.processInfo.processIdentifier)"
        for number in 1...64 {
            if let lock = try LeaderLock.acquire(path: "\(own)-\(number).lock") {
                self.lock = lock
                return
            }
        }
        throw StoreError(
            path: folder, problem: "has no free name for a lock", hint: "remove the locks in it and start again")
    }

    /// Whether any replica that sees the processes of `space` lives.
    func isAlive(_ space: String) -> Bool {
        if space == ProcessSpace.current { return true }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        for name in names where name.hasPrefix(space + "-") {
            let path = "\(folder)/\(name)"
            // What cannot be looked at counts as alive: a second process would be the worse mistake.
            guard let probe = try? LeaderLock.acquire(path: path) else { return true }
            unlink(path)
            withExtendedLifetime(probe) {}
        }
        return false
    }
}
