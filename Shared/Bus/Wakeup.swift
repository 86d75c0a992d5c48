import CZMQ
import Foundation

#if canImport(Glibc)
    import Glibc
#endif

/// Wakes a thread that waits in ``PollSet``: an eventfd, so a wake costs one system call and none is ever lost.
package final class Wakeup: Sendable {
    let descriptor: Int32

    package init() throws(BusError) {
        descriptor = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
        guard descriptor >= 0 else { throw .socket("cannot make an eventfd: \(String(cString: strerror(errno)))") }
    }

    deinit { close(descriptor) }

    package func wake() { _ = eventfd_write(descriptor, 1) }

    /// Takes the wakes that have come so far; call it before looking for the work they announced.
    package func clear() {
        var count: eventfd_t = 0
        _ = eventfd_read(descriptor, &count)
    }
}
