import Foundation
import Messages
import Store

/// The number of this process among the replicas of its service on this host: the lowest that no living one has.
///
/// Each number is a lock, which the kernel gives up the instant its holder dies. A number that is taken again is
/// therefore the same worker, restarted (bus.md 6).
final class ReplicaSlot: Sendable {
    private static let most = 64

    let number: Int
    private let folder: String
    private let lock: LeaderLock

    private init(number: Int, folder: String, lock: LeaderLock) {
        self.number = number
        self.folder = folder
        self.lock = lock
    }

    /// - Parameter wanted: a supervisor gives each of its children a number; taken unless somebody else keeps it.
    static func take(in folder: String, wanted: Int? = nil) async throws -> ReplicaSlot {
        // Another replica that looks whether it is alone holds a lock for a moment.
        for _ in 0..<20 {
            guard let wanted else { break }
            if let lock = try LeaderLock.acquire(path: path(wanted, folder)) {
                return ReplicaSlot(number: wanted, folder: folder, lock: lock)
            }
            try await Task.sleep(for: .milliseconds(25))
        }
        for number in 1...most {
            if let lock = try LeaderLock.acquire(path: path(number, folder)) {
                return ReplicaSlot(number: number, folder: folder, lock: lock)
            }
        }
        throw StoreError(
            path: folder, problem: "has \(most) replicas already", hint: "end some, or give one more --slots")
    }

    private static func path(_ number: Int, _ folder: String) -> String { "\(folder)/\(prefix)\(number).lock" }
    private static let prefix = "replica-"

    /// Whether no other replica lives.
    var isAlone: Bool {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let own = "\(Self.prefix)\(number).lock"
        return !names.contains { name in
            name.hasPrefix(Self.prefix) && name != own
                && (try? LeaderLock.isHeld(path: "\(folder)/\(name)")) ?? true
        }
    }

    /// The worker's name: the first replica's is the service's own.
    func worker(of source: Source) -> String { number == 1 ? source.name : "\(source.name)-\(number)" }

    /// Set by a supervisor that runs several.
    static var wanted: Int? {
        ProcessInfo.processInfo.environment["MARTLET_REPLICA"].flatMap { Int($0) }
            .flatMap { (1...most).contains($0) ? $0 : nil }
    }
}
