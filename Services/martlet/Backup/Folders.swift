import Foundation

#if canImport(Glibc)
    import Glibc
#endif

/// Folders and files that survive a power cut once these return.
enum Folders {
    static func make(_ path: String) throws {
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw Failure(
                "\(path) cannot be made: \(error.localizedDescription)",
                hint: "check its owner and the room on its disk")
        }
    }

    static func write(_ text: String, to path: String) throws {
        do {
            try Data(text.utf8).write(to: URL(fileURLWithPath: path + ".new"))
            try synchronize(path + ".new")
            try move(path + ".new", to: path)
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure("\(path) cannot be written: \(error.localizedDescription)", hint: "make room on its disk")
        }
    }

    /// Replaces what is there, in one step.
    static func move(_ path: String, to target: String) throws {
        guard rename(path, target) == 0 else { throw failure(target) }
        try synchronize((target as NSString).deletingLastPathComponent)
    }

    static func copy(_ path: String, to target: String) throws {
        try? FileManager.default.removeItem(atPath: target)
        do {
            try FileManager.default.copyItem(atPath: path, toPath: target)
        } catch {
            throw Failure(
                "\(path) cannot be copied to \(target): \(error.localizedDescription)", hint: "make room on its disk")
        }
        chmod(target, 0o600)
        try synchronize(target)
    }

    static func synchronize(_ path: String) throws {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(path) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure(path) }
    }

    static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

    static func size(_ path: String) -> Int64 {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        return (attributes?[.size] as? NSNumber)?.int64Value ?? 0
    }

    private static func failure(_ path: String) -> Failure {
        Failure("\(path): \(String(cString: strerror(errno)))", hint: "check its owner and the room on its disk")
    }
}
