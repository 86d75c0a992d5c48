import ServiceKit
import Store

/// The lock that `up` holds as long as it lives. The kernel gives it up with the process, so it is the truth about
/// whether a suite runs; `up.json` only says which.
enum SuiteLock {
    /// `nil` while a suite runs on this folder.
    static func acquire(_ paths: DataPaths) throws -> LeaderLock? {
        do {
            return try LeaderLock.acquire(path: SuiteRecord.lockPath(paths))
        } catch {
            throw Failure(
                "the data folder \(paths.root) cannot be used: \(error)",
                hint: "check its owner and the room on its disk, or choose another with --data")
        }
    }
}
