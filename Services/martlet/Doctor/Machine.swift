import Foundation
import Messages
import ServiceKit
import Store

#if canImport(Glibc)
    import Glibc
#endif

/// What the machine under an installation is like.
enum Machine {
    /// The nearest folder that exists.
    private static func existing(_ path: String) -> String {
        var path = path
        while !Folders.exists(path), path != "/" { path = (path as NSString).deletingLastPathComponent }
        return path
    }

    /// Locks that the kernel keeps, and a place that is really here: leadership and the databases stand on them.
    static func fileSystem(_ path: String) -> Finding {
        let place = existing(path)
        if let kind = NetworkFileSystem.name(of: place) {
            return .bad(
                "file system", "\(place) is \(kind)",
                do: "put the data folder on a local disk: SQLite and flock need one")
        }
        guard Folders.exists(path) else { return .ok("file system", "\(place) is local") }
        do {
            let probe = path + "/.doctor-\(UUID().uuidString.prefix(8))"
            defer { unlink(probe) }
            let first = try LeaderLock.acquire(path: probe)
            let second = try LeaderLock.acquire(path: probe)
            withExtendedLifetime(first) {}
            return first != nil && second == nil
                ? .ok("file system", "local, and its locks hold")
                : .bad("file system", "two processes can hold the same lock", do: "put the data folder on a local disk")
        } catch {
            return .bad("file system", "\(error)", do: "check the folder and its owner")
        }
    }

    static func room(_ path: String) -> Finding {
        let place = existing(path)
        var status = statvfs()
        guard statvfs(place, &status) == 0 else {
            return .bad("room", "\(place): \(String(cString: strerror(errno)))", do: "check the mount")
        }
        let free = Double(status.f_bavail) * Double(status.f_frsize)
        let share = Int(100 * Double(status.f_bavail) / max(1, Double(status.f_blocks)))
        let note = "\(Sizes.text(.double(free))) free (\(share) %)"
        let advice = "make room: 'martlet artifacts gc' shows what nobody needs, old backups and environments/ may go"
        if free < Double(256 << 20) { return .bad("room", note, do: advice) }
        return free < Double(2 << 30) || share < 5 ? .warning("room", note, do: advice) : .ok("room", note)
    }

    /// Whether the ports are there to be taken, for a suite that does not run.
    static func free(_ ports: SuitePorts) -> Finding {
        let taken = ports.members.filter { $0.port != 0 && !isFree($0.port) }
        guard !taken.isEmpty else { return .ok("ports", "those of the doors are free") }
        let list = taken.map { "\($0.port) (\($0.source))" }.joined(separator: ", ")
        let options = taken.compactMap(\.portOption).joined(separator: ", ")
        return .warning("ports", "in use by another program: \(list)", do: "choose others with \(options)")
    }

    private static func isFree(_ port: Int) -> Bool {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard socket >= 0 else { return true }
        defer { close(socket) }
        var yes: Int32 = 1
        setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(clamping: port).bigEndian)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }

    /// Whether group or others may do anything there.
    static func isOpen(_ path: String) -> Bool {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        let mode = (attributes?[.posixPermissions] as? NSNumber)?.intValue ?? 0
        return mode & 0o077 != 0
    }

    static func modified(_ path: String) -> Date? {
        (try? FileManager.default.attributesOfItem(atPath: path)[.modificationDate]) as? Date
    }
}
