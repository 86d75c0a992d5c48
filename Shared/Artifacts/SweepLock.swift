import Foundation
import Messages

/// Keeps the removal of an artifact and its storing anew from crossing: whoever stores holds it together with others,
/// whoever removes holds it alone. The kernel gives it up with the process.
package final class SweepLock: Sendable {
    private let descriptor: Int32

    private init(descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    enum Way {
        case together, alone
    }

    /// Waits until it has it.
    static func take(_ path: String, _ way: Way) async throws -> SweepLock {
        while true {
            if let lock = try attempt(path, way) { return lock }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// `nil` while others hold it in another way.
    static func attempt(_ path: String, _ way: Way) throws -> SweepLock? {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw DurableFile.failure(path) }
        if flock(descriptor, (way == .alone ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0 {
            return SweepLock(descriptor: descriptor)
        }
        let reason = errno
        close(descriptor)
        if reason == EWOULDBLOCK || reason == EINTR { return nil }
        throw ArtifactError.file(
            path: path,
            problem: "cannot be locked: \(String(cString: strerror(reason))); put the folder on a local file system")
    }
}
