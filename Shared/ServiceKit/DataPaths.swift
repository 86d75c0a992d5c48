import Foundation
import Messages
import Store

/// Where everything stands under one data folder; the same for every service.
package struct DataPaths: Sendable, Hashable {
    package let root: String

    package init(root: String) {
        self.root = URL(fileURLWithPath: root).standardizedFileURL.path
    }

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

    package func service(_ source: Source) -> String { root + "/services/" + source.name }
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
    /// - Throws: `StoreError` for a folder that cannot be made, or lies on another machine.
    package func prepare(for source: Source) throws {
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
                    path: folder, problem: "cannot be made: \(Self.reason(of: error))",
                    hint: "check who owns the data folder, or the container's volume, and its room")
            }
        }
        try NetworkFileSystem.refuse(service(source))
    }

    /// The system's own words, without Foundation's around them.
    private static func reason(of error: any Error) -> String {
        let underlying = (error as NSError).userInfo[NSUnderlyingErrorKey] as? any Error
        guard let underlying = underlying.map({ $0 as NSError }), underlying.domain == NSPOSIXErrorDomain else {
            return error.localizedDescription
        }
        return String(cString: strerror(Int32(underlying.code)))
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
