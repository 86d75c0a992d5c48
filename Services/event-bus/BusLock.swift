import Bus
import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Keeps a second bus from these sockets: libzmq would silently take over the paths of a bus that still runs.
///
/// The kernel lets go of the lock the instant the process ends, so nothing is left behind after a crash.
final class BusLock: Sendable {
    private let descriptor: Int32

    init(in directory: String) throws {
        let path = directory + "/bus.lock"
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw BusError.address("cannot open '\(path)': \(String(cString: strerror(errno)))")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            throw BusError.address(
                "another event-bus already runs on '\(directory)'; stop it, or choose another folder with --data or --bus"
            )
        }
    }

    /// Explicit, so that a bus that was stopped in this process makes room at once.
    func release() { _ = flock(descriptor, LOCK_UN) }

    deinit { close(descriptor) }
}
