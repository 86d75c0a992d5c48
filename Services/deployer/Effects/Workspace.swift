import Artifacts
import Foundation
import Messages
import Processes
import ServiceKit

/// The folders of one deployment: the commit's files, the model's, and its process's log.
struct Workspace: Sendable {
    let artifacts: ArtifactStore
    let paths: DataPaths

    struct Problem: Error, Hashable, CustomStringConvertible { let description: String }

    func folder(_ deployment: String) -> String { "\(paths.service(.deployer))/deployments/\(deployment)" }
    func source(_ deployment: String) -> String { folder(deployment) + "/source" }
    func model(_ deployment: String) -> String { folder(deployment) + "/model" }
    func log(_ deployment: String) -> String { folder(deployment) + "/log" }

    /// Extracts what is not there yet.
    func prepare(_ deployment: Deployment) async throws {
        let recipe = deployment.recipe
        if let environment = recipe.environment {
            guard FileManager.default.fileExists(atPath: paths.environment(environment) + "/bin") else {
                throw Problem(
                    description: "the environment \(environment) is not in \(paths.environments); "
                        + "let a step env/ensure run before deploy/model")
            }
        }
        try FileManager.default.createDirectory(atPath: folder(deployment.id), withIntermediateDirectories: true)
        // Extracting ends with a rename: a folder that is there is complete.
        if !FileManager.default.fileExists(atPath: model(deployment.id)) {
            try await artifacts.extract(recipe.artifact, to: model(deployment.id))
        }
        if !FileManager.default.fileExists(atPath: source(deployment.id)) {
            if let snapshot = recipe.snapshot {
                try await artifacts.extract(snapshot, to: source(deployment.id), keepingLinks: true)
            } else {
                try FileManager.default.createDirectory(
                    atPath: source(deployment.id), withIntermediateDirectories: true)
            }
        }
    }

    /// Everything but the log, which people may still want to read.
    func clear(_ deployment: String) {
        for path in [source(deployment), model(deployment)] { try? FileManager.default.removeItem(atPath: path) }
    }

    /// A file that the commit brought along.
    func file(_ path: String, of deployment: String) throws -> Data {
        let root = URL(fileURLWithPath: source(deployment)).resolvingSymlinksInPath().path
        let file = URL(fileURLWithPath: root + "/" + path).resolvingSymlinksInPath().path
        guard file.hasPrefix(root + "/") else {
            throw Problem(description: "'\(path)' is not a file of the commit")
        }
        guard let bytes = FileManager.default.contents(atPath: file) else {
            throw Problem(description: "the commit has no file '\(path)'")
        }
        return bytes
    }

    /// The last lines that a process wrote, for the message of its failure.
    func tail(_ deployment: String, lines: Int = 10) -> String {
        guard let file = FileHandle(forReadingAtPath: log(deployment)) else { return "" }
        defer { try? file.close() }
        let end = (try? file.seekToEnd()) ?? 0
        try? file.seek(toOffset: end > 8192 ? end - 8192 : 0)
        let text = String(decoding: (try? file.readToEnd()) ?? Data(), as: UTF8.self)
        return text.split(separator: "\n").suffix(lines).joined(separator: "\n").shortened(to: 6 << 10)
    }

    /// Those that have a folder.
    var deployments: [String] {
        let folder = paths.service(.deployer) + "/deployments"
        return (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    }

    func remove(_ deployment: String) { try? FileManager.default.removeItem(atPath: folder(deployment)) }

    /// A server may write for months: what is old makes room, also while it runs.
    func trimLog(_ deployment: String) { GrowingLog.trim(log(deployment), over: 16 << 20) }
}
