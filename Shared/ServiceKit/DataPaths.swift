import Foundation
import Messages
import Store

/// Where everything stands under one data folder; the same for every service.
package struct DataPaths: Sendable, Hashable {
    package let root: String
    /// Where each service's data folder lies below its name, when each has one of its own: the volumes of containers, for
    /// what looks at all of them.
    package let volumes: String?

    package init(root: String, volumes: String? = nil) {
        self.root = URL(fileURLWithPath: root).standardizedFileURL.path
        self.volumes = volumes.map { URL(fileURLWithPath: $0).standardizedFileURL.path }
    }

    /// The data folder of one service.
    package func home(of source: Source) -> String { volumes.map { "\($0)/\(source.name)" } ?? root }
    /// There while databases are being replaced by those of a backup.
    package func restoreMark(of source: Source) -> String { home(of: source) + "/restore.json" }

    package var bus: String { root + "/bus" }
    package var artifacts: String { root + "/artifacts" }
    /// Python environments, one folder for each digest.
    package var environments: String { root + "/environments" }
    package var secrets: String { root + "/secrets" }
    package var tokens: String { root + "/tokens" }
    /// Bus keys and `authorized_keys`.
    package var keys: String { root + "/keys" }
    /// Working copies of runs.
    package var work: String { root + "/work" }
    package var notifications: String { root + "/notifications" }

    package func service(_ source: Source) -> String { home(of: source) + "/services/" + source.name }
    package func database(_ source: Source) -> String { service(source) + "/state.sqlite" }
    /// How far the service's logs had come; beside the database, so that putting an older one back is noticed.
    package func logMark(_ source: Source) -> String { service(source) + "/log.mark" }
    package func leaderLock(_ source: Source) -> String { service(source) + "/leader.lock" }
    /// The port that a service really listens on.
    package func address(_ source: Source, replica: Int = 1) -> String {
        service(source) + (replica == 1 ? "/http.json" : "/http-\(replica).json")
    }
    package func log(_ source: Source, replica: Int = 1) -> String {
        service(source) + (replica == 1 ? "/log" : "/log-\(replica)")
    }
    package func environment(_ digest: Digest) -> String { environments + "/" + digest.hex }

    /// Makes the folders that a service needs, closed to other users: state, sockets and secrets lie in them.
    /// - Parameter fileSystem: how to know the kind of file system that a folder lies on.
    /// - Throws: `StoreError` for a folder that cannot be made, lies on another machine, or is half restored.
    package func prepare(
        for source: Source, fileSystem: (String) -> Int = NetworkFileSystem.number(of:)
    ) throws {
        guard !FileManager.default.fileExists(atPath: restoreMark(of: source)) else {
            throw StoreError(
                path: root, problem: "is half restored: a 'martlet restore' was interrupted",
                hint: "finish it by saying it again, while nothing runs")
        }
        let folders = [
            root, bus, root + "/services", service(source), artifacts, environments, secrets, tokens, work,
            notifications,
        ]
        for folder in folders {
            do {
                try FileManager.default.createDirectory(
                    atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            } catch {
                throw StoreError(
                    path: folder, problem: "cannot be made: \(SystemWords.reason(of: error))",
                    hint: "check who owns the data folder, or the container's volume, and its room")
            }
        }
        try NetworkFileSystem.refuse(service(source), number: fileSystem)
    }
}

/// What a service writes into `http.json` once it listens.
package struct ServiceAddress: Codable, Sendable, Hashable {
    package var host: String
    package var port: Int
    package var pid: Int32

    package init(host: String, port: Int, pid: Int32) {
        self.host = host
        self.port = port
        self.pid = pid
    }

    /// An address to connect to: a door that listens everywhere is reached at home.
    package var reachable: String { ["0.0.0.0", "::", ""].contains(host) ? "127.0.0.1" : host }

    package func write(to path: String) throws {
        try Wire.encode(self).write(to: URL(fileURLWithPath: path), options: .atomic)
    }

    /// `nil` while the service has not listened yet.
    package static func read(from path: String) -> ServiceAddress? {
        guard let text = try? Data(contentsOf: URL(fileURLWithPath: path)) else { return nil }
        return try? Wire.decode(ServiceAddress.self, from: text)
    }
}
