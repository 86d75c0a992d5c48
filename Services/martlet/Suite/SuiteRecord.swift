import Foundation
import Messages
import Processes
import ServiceKit

/// `<data>/up.json`: who supervises this folder, for `down`, `--detach` and a second `up`.
struct SuiteRecord: Codable, Sendable, Hashable {
    var pid: Int32
    /// Which process that pid was: the number alone may be somebody else's by now.
    var process: ProcessIdentity?
    /// `starting` or `ready`.
    var state: String
    /// From the start to readiness.
    var seconds: Double?
    var services: [String: ServiceAddress]
    /// Where the buses are, unless in the data folder.
    var bus: [String]?
    /// The bucket that the artifacts are in, unless in the data folder.
    var artifacts: String? = SuiteRecord.bucket

    /// As this process's environment names it.
    static var bucket: String? {
        ProcessInfo.processInfo.environment["MARTLET_ARTIFACTS"].flatMap { $0.isEmpty ? nil : $0 }
    }

    static func path(_ paths: DataPaths) -> String { paths.root + "/up.json" }
    static func lockPath(_ paths: DataPaths) -> String { paths.root + "/up.lock" }
    /// What a detached `up` says.
    static func logPath(_ paths: DataPaths) -> String { paths.root + "/up.log" }

    static func read(_ paths: DataPaths) -> SuiteRecord? {
        FileManager.default.contents(atPath: path(paths)).flatMap { try? Wire.decode(SuiteRecord.self, from: $0) }
    }

    func write(_ paths: DataPaths) throws {
        try Wire.encode(self).write(to: URL(fileURLWithPath: Self.path(paths)), options: .atomic)
    }

    /// The process that wrote this, where it still lives. A record of an older Martlet says only a number: then it is
    /// the process of that number if it has the suite's lock open, which nobody else does.
    func living(_ paths: DataPaths) -> ProcessIdentity? {
        if let process { return process.pid == pid && process.isAlive ? process : nil }
        guard Self.hasOpen(Self.lockPath(paths), pid) else { return nil }
        return ProcessIdentity(pid: pid)
    }

    static func hasOpen(_ path: String, _ pid: Int32) -> Bool {
        let folder = "/proc/\(pid)/fd"
        let wanted = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        let open = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return open.contains { name in
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\(name)")) == wanted
        }
    }

    static func remove(_ paths: DataPaths) { try? FileManager.default.removeItem(atPath: path(paths)) }
}
