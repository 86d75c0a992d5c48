import Foundation

#if canImport(Glibc)
    import Glibc
#endif

/// Replaces a file as a whole, durably: a reader sees the old one or the new one, also after a crash. One writer at a time.
package enum AtomicFile {
    package static func write(_ text: String, to path: String, mode: mode_t = 0o600) throws(BusError) {
        let temporary = path + ".new"
        // Only the holder of a lock comes here; what lies there is left from a crash.
        unlink(temporary)
        let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
        guard file >= 0 else { throw problem(temporary) }
        defer { close(file) }
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let written = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            guard written > 0 || errno == EINTR else { throw problem(temporary) }
            bytes = bytes.dropFirst(max(0, written))
        }
        guard fchmod(file, mode) == 0, fsync(file) == 0, rename(temporary, path) == 0 else { throw problem(path) }
        try syncFolder(of: path)
    }

    private static func syncFolder(of path: String) throws(BusError) {
        let folder = open((path as NSString).deletingLastPathComponent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw problem(path) }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw problem(path) }
    }

    private static func problem(_ path: String) -> BusError {
        .key("\(path) cannot be written: \(String(cString: strerror(errno)))")
    }
}

/// One writer of a folder at a time, over all processes of this machine.
package enum FolderLock {
    /// Waits for whoever writes there now, which takes milliseconds.
    package static func holding<Result>(_ folder: String, _ body: () throws -> Result) throws -> Result {
        let path = folder + "/.lock"
        let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw BusError.key("\(path) cannot be opened: \(String(cString: strerror(errno)))") }
        defer { close(file) }
        while flock(file, LOCK_EX) != 0 {
            guard errno == EINTR else {
                throw BusError.key("\(path) cannot be locked: \(String(cString: strerror(errno)))")
            }
        }
        return try body()
    }
}
