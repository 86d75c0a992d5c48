import Foundation
import Messages
import Processes
import ServiceKit
import Store

/// Starts a version's process, and finds it again: at every moment there is at most one.
///
/// The port is stored before the process is started, and the process carries its deployment's id in its environment:
/// wherever we were killed, the next start finds what was left and goes on with it.
struct ServingProcess: Sendable {
    static let marker = "MARTLET_DEPLOYMENT"

    let context: ServiceContext
    let workspace: Workspace
    /// Where the other replicas reach this one's gateway; `nil` where all share one machine's processes.
    var home: @Sendable () -> String? = { nil }

    /// A process that runs and where it listens, or is going to.
    struct Running: Sendable {
        let process: DetachedProcess
        let port: Int
    }

    /// The process that an earlier life of ours started; `nil` when there is none.
    func adopt(_ record: DeploymentRecord) async throws -> Running? {
        // In another container it is out of reach, and gone with that container: the one lock on the work is ours.
        guard let port = record.port, record.home == home() else { return nil }
        let id = record.deployment.id
        if let identity = record.process {
            return try DetachedProcess.attach(to: identity).map { Running(process: $0, port: port) }
        }
        // Killed between the start and its recording: the marker tells which one it is.
        guard let found = ProcessTable.find(environment: Self.marker, is: id).first,
            let process = try DetachedProcess.attach(to: found)
        else { return nil }
        try await context.store.write { try $0.recordProcess(of: id, found) }
        return Running(process: process, port: port)
    }

    func start(_ deployment: Deployment) async throws -> Running {
        try await workspace.prepare(deployment)
        await end(deployment.id, nil, grace: .seconds(2))
        workspace.trimLog(deployment.id)
        let port = try FreePort.find()
        let request = ProcessRequest(
            argv: arguments(deployment.recipe.target.command), environment: try environment(deployment, port),
            directory: workspace.source(deployment.id), output: workspace.log(deployment.id))
        try await context.store.write { [home = home()] in
            try $0.intendProcess(of: deployment.id, port: port, home: home)
        }
        let process = try DetachedProcess.spawn(request)
        try await context.store.write { try $0.recordProcess(of: deployment.id, process.identity) }
        return Running(process: process, port: port)
    }

    /// Ends the process and everything that carries its marker.
    func end(_ deployment: String, _ identity: ProcessIdentity?, grace: Duration = .seconds(10)) async {
        let marker = (name: Self.marker, value: deployment)
        let known = identity.map { [$0] } ?? ProcessTable.find(environment: Self.marker, is: deployment)
        if let first = known.first { await ProcessGroup.terminate(first, marker: marker, grace: grace) }
    }

    private func arguments(_ command: ProcessTarget.Command) -> [String] {
        switch command {
        // The project's own line, as in `run:`; exec where the shell can, so that signals reach the program itself.
        case .line(let line): ["/bin/sh", "-c", line]
        case .arguments(let words): words
        }
    }

    private func environment(_ deployment: Deployment, _ port: Int) throws -> [String: String] {
        let inherited = ProcessInfo.processInfo.environment
        var variables = inherited.filter { ["HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "USER"].contains($0.key) }
        var path = inherited["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
        if let environment = deployment.recipe.environment {
            let folder = context.paths.environment(environment)
            path = "\(folder)/bin:\(path)"
            variables["VIRTUAL_ENV"] = folder
        }
        for (name, value) in deployment.recipe.target.variables {
            let secret = try SecretReference.name(in: value).map { try context.secrets.value(of: $0) }
            variables[name] = secret ?? value.scalarText
        }
        variables["PATH"] = path
        variables["PYTHONUNBUFFERED"] = "1"
        variables[deployment.recipe.target.portVariable] = String(port)
        variables["MARTLET_MODEL"] = workspace.model(deployment.id)
        variables["MARTLET_MODEL_NAME"] = deployment.model
        variables["MARTLET_MODEL_VERSION"] = String(deployment.version)
        variables["MARTLET_ENDPOINT"] = deployment.endpoint
        variables["MARTLET_HOME"] = context.paths.root
        variables[Self.marker] = deployment.id
        return variables
    }
}

/// A port of the loopback interface that nobody listens on just now.
enum FreePort {
    struct Problem: Error, CustomStringConvertible { let description: String }

    static func find() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw problem() }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(descriptor, generic, length) == 0 ? getsockname(descriptor, generic, &length) : -1
            }
        }
        guard result == 0 else { throw problem() }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    private static func problem() -> Problem {
        Problem(description: "no free port: \(String(cString: strerror(errno)))")
    }
}
