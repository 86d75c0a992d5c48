import Foundation
import Messages

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The exclusive `flock` that makes one replica the leader (bus.md 7). The kernel gives it up the instant the process
/// dies: no clock is involved.
package final class LeaderLock: Sendable {
    private let descriptor: Int32

    private init(descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// `nil` while another process holds it.
    /// - Throws: `StoreError` where the file cannot be made or the file system has no such locks.
    package static func acquire(path: String) throws -> LeaderLock? {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw StoreError(
                path: path, problem: "cannot be made: \(String(cString: strerror(errno)))",
                hint: "check the folder and its owner")
        }
        if flock(descriptor, LOCK_EX | LOCK_NB) == 0 {
            return LeaderLock(descriptor: descriptor)
        }
        let reason = errno
        close(descriptor)
        if reason == EWOULDBLOCK { return nil }
        throw StoreError(
            path: path, problem: "cannot be locked: \(String(cString: strerror(reason)))",
            hint: "put the data folder on a local file system")
    }
}
