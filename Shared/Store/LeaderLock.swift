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
        guard descriptor >= 0 else { throw cannot("be made", errno, path, hint: "check the folder and its owner") }
        let lock = LeaderLock(descriptor: descriptor)
        return try take(descriptor, LOCK_EX, path) ? lock : nil
    }

    /// Whether somebody holds it. Who looks is in nobody's way who looks too, and for a moment in that of who acquires.
    /// - Throws: `StoreError` where the file cannot be read or the file system has no such locks; a missing one is free.
    package static func isHeld(path: String) throws -> Bool {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return false }
            throw cannot("be read", errno, path, hint: "check the folder and its owner")
        }
        defer { close(descriptor) }
        return try !take(descriptor, LOCK_SH, path)
    }

    /// - Returns: whether nobody was in the way.
    private static func take(_ descriptor: Int32, _ kind: Int32, _ path: String) throws -> Bool {
        if flock(descriptor, kind | LOCK_NB) == 0 { return true }
        let reason = errno
        if reason == EWOULDBLOCK { return false }
        throw cannot("be locked", reason, path, hint: "put the data folder on a local file system")
    }

    private static func cannot(_ what: String, _ reason: Int32, _ path: String, hint: String) -> StoreError {
        StoreError(path: path, problem: "cannot \(what): \(String(cString: strerror(reason)))", hint: hint)
    }
}
