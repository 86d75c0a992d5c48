import Foundation
import Glibc
import Messages
import Processes
import ServiceKit
import Testing

@testable import Martlet

/// A data folder of its own, short enough for sockets, gone at the end.
private func inFolder(_ body: (DataPaths) async throws -> Void) async throws {
    let paths = DataPaths(root: "/tmp/martlet-\(UUID().uuidString.prefix(8))")
    try paths.prepare(for: .console)
    defer { try? FileManager.default.removeItem(atPath: paths.root) }
    try await body(paths)
}

private let anyPorts = SuitePorts(console: 0, trigger: 0, registry: 0, gateway: 0)

private func spawn(_ words: String..., marked variables: [String: String], in folder: String) throws -> DetachedProcess
{
    try DetachedProcess.spawn(
        ProcessRequest(
            argv: words, environment: variables.merging(["PATH": "/usr/bin:/bin"]) { $1 }, directory: folder))
}

/// Looks again until it is so.
private func until(_ isSo: () async -> Bool) async throws {
    while await !isSo() { try await Task.sleep(for: .milliseconds(20)) }
}

@Suite(.serialized, .timeLimit(.minutes(5))) struct SupervisorTests {
    private func supervisor(_ paths: DataPaths) throws -> Supervisor {
        Supervisor(members: anyPorts.members, paths: paths, executables: try Executables.folder())
    }

    @Test func `a suite starts, brings back what was killed, and ends in silence with nothing left`() async throws {
        try await inFolder { paths in
            let supervisor = try supervisor(paths)
            let addresses = try await supervisor.start(timeout: .seconds(120))
            #expect(addresses.count == 8)
            let killed = try #require(addresses["evaluator"]).pid
            kill(killed, SIGKILL)
            try await until {
                guard let again = ServiceAddress.read(from: paths.address(.evaluator)) else { return false }
                return again.pid != killed && ProcessIdentity(pid: again.pid) != nil
            }
            let pids = anyPorts.members.compactMap { ServiceAddress.read(from: paths.address($0.source))?.pid }
            let identities = pids.compactMap { ProcessIdentity(pid: $0) }
            #expect(identities.count == 8)
            let began = ContinuousClock.now
            await supervisor.stop()
            #expect(ContinuousClock.now - began < .seconds(10))
            #expect(identities.filter(\.isAlive).isEmpty)
            for member in anyPorts.members {
                let said = try String(contentsOfFile: paths.log(member.source), encoding: .utf8)
                let trouble = said.split(separator: "\n").filter { line in
                    line.contains(" error ") || line.contains(#""level":"error""#) || line.contains("Error")
                }
                #expect(trouble.isEmpty, "\(member.source): \(trouble.joined(separator: "\n"))")
            }
        }
    }

    @Test func `a service that could not live for a while is there again once it can`() async throws {
        try await inFolder { paths in
            let programs = paths.root + "/programs"
            let obstacle = paths.root + "/obstacle"
            let real = try Executables.folder()
            try FileManager.default.createDirectory(atPath: programs, withIntermediateDirectories: true)
            for member in anyPorts.members where member.source != .evaluator {
                try FileManager.default.createSymbolicLink(
                    atPath: "\(programs)/\(member.executable)", withDestinationPath: "\(real)/\(member.executable)")
            }
            let script = """
                #!/bin/sh
                if [ -e '\(obstacle)' ]; then echo tried >> '\(obstacle)'; exit 1; fi
                exec '\(real)/evaluator' "$@"

                """
            try script.write(toFile: programs + "/evaluator", atomically: true, encoding: .utf8)
            chmod(programs + "/evaluator", 0o755)
            let quickly = RestartPolicy(longest: .milliseconds(200), resting: .milliseconds(200))
            let supervisor = Supervisor(
                members: anyPorts.members, paths: paths, executables: programs, policy: quickly)
            let addresses = try await supervisor.start(timeout: .seconds(120))
            try Data().write(to: URL(fileURLWithPath: obstacle))
            let killed = try #require(addresses["evaluator"]).pid
            kill(killed, SIGKILL)
            try await until {
                let tries = (try? String(contentsOfFile: obstacle, encoding: .utf8))?.split(separator: "\n").count ?? 0
                return tries > RestartPolicy.mostQuickDeaths + 2
            }
            try FileManager.default.removeItem(atPath: obstacle)
            try await until {
                guard let again = ServiceAddress.read(from: paths.address(.evaluator)) else { return false }
                return again.pid != killed && ProcessIdentity(pid: again.pid) != nil
            }
            await supervisor.stop()
        }
    }

    @Test func `a service that cannot live ends the start with its own words, and nothing runs on`() async throws {
        try await inFolder { paths in
            try paths.prepare(for: .registryService)
            try Data(repeating: 7, count: 8192).write(to: URL(fileURLWithPath: paths.database(.registryService)))
            let failure = await #expect(throws: Failure.self) {
                _ = try await supervisor(paths).start(timeout: .seconds(120))
            }
            #expect(failure?.description.contains("registry-service") == true)
            #expect(failure?.description.contains("restore this file from a backup") == true)
            let running = Leftovers.all(withArgument: paths.root)
            #expect(running.isEmpty, "\(running)")
        }
    }
}

@Suite(.timeLimit(.minutes(5))) struct OrphanTests {
    private func evaluator(_ paths: DataPaths, _ further: String...) async throws -> DetachedProcess {
        try paths.prepare(for: .evaluator)
        let process = try DetachedProcess.spawn(
            ProcessRequest(
                argv: ["\(try Executables.folder())/evaluator", "--data", paths.root] + further,
                environment: ProcessInfo.processInfo.environment, directory: paths.root,
                output: paths.log(.evaluator)))
        try await until { ServiceAddress.read(from: paths.address(.evaluator)) != nil }
        return process
    }

    @Test func `what a killed supervisor left is ended, and nobody else's`() async throws {
        try await inFolder { paths in
            try await inFolder { others in
                let parent = String(ProcessInfo.processInfo.processIdentifier)
                let orphan = try await evaluator(paths, "--parent", parent)
                let foreign = try await evaluator(others, "--parent", parent)
                await Orphans.end(anyPorts.members, paths: paths)
                #expect(!orphan.identity.isAlive && foreign.identity.isAlive)
                await ProcessGroup.terminate(foreign.identity, grace: .seconds(10))
            }
        }
    }

    @Test func `a replica that an operator started is spared`() async throws {
        try await inFolder { paths in
            let replica = try await evaluator(paths)
            await Orphans.end(anyPorts.members, paths: paths)
            #expect(replica.identity.isAlive)
            await ProcessGroup.terminate(replica.identity, grace: .seconds(10))
        }
    }
}

@Suite(.timeLimit(.minutes(5))) struct DownTests {
    private struct Left {
        let serving: DetachedProcess
        let working: DetachedProcess
        let foreign: DetachedProcess

        init(_ paths: DataPaths) throws {
            func left(_ mark: String, of home: String, in folder: String) throws -> DetachedProcess {
                // Ids are never given twice: what carries one belongs together.
                try spawn("sleep", "600", marked: ["MARTLET_HOME": home, mark: UUID().uuidString], in: folder)
            }
            serving = try left("MARTLET_DEPLOYMENT", of: paths.root, in: paths.root)
            working = try left("MARTLET_EXECUTION", of: paths.root, in: paths.root)
            foreign = try left("MARTLET_EXECUTION", of: paths.root + "-other", in: "/tmp")
        }

        func end() async {
            for process in [serving, working, foreign] { await ProcessGroup.terminate(process.identity, grace: .zero) }
        }
    }

    /// The exit code of `martlet down`.
    private func down(_ paths: DataPaths, _ words: String...) async -> Int32 {
        await CommandLineRun.run(["down", "--data", paths.root, "--json"] + words)
    }

    @Test func `leftovers are this folder's own, told apart by what they do`() async throws {
        try await inFolder { paths in
            let left = try Left(paths)
            let found = Leftovers(of: paths)
            #expect(found.serving.map(\.identity) == [left.serving.identity])
            #expect(found.working.map(\.identity) == [left.working.identity])
            await Leftovers.end(found.serving)
            #expect(!left.serving.identity.isAlive && left.working.identity.isAlive)
            await left.end()
        }
    }

    @Test func `down --all also ends steps at work, down does not, and neither what is another folder's`() async throws
    {
        try await inFolder { paths in
            let left = try Left(paths)
            #expect(await down(paths) == 0)
            #expect(left.working.identity.isAlive)
            #expect(await down(paths, "--all") == 0)
            #expect(!left.serving.identity.isAlive && !left.working.identity.isAlive && left.foreign.identity.isAlive)
            await left.end()
        }
    }

    @Test func `a suite whose record is an older Martlet's is known by the lock that it holds`() async throws {
        try await inFolder { paths in
            let lock = SuiteRecord.lockPath(paths)
            let holder = try spawn("flock", "-o", lock, "sleep", "600", marked: [:], in: paths.root)
            try await until { SuiteRecord.hasOpen(lock, holder.identity.pid) }
            let innocent = try spawn("sleep", "600", marked: [:], in: paths.root)
            try SuiteRecord(pid: innocent.identity.pid, state: "ready", services: [:]).write(paths)
            // That process does not hold the lock: it is not touched, and the way out is told.
            #expect(await down(paths) == CommandLineRun.failed)
            #expect(innocent.identity.isAlive && holder.identity.isAlive)
            await ProcessGroup.terminate(innocent.identity, grace: .zero)
            try SuiteRecord(pid: holder.identity.pid, state: "ready", services: [:]).write(paths)
            #expect(await down(paths) == 0)
            #expect(!holder.identity.isAlive)
        }
    }
}

extension Leftovers {
    /// Processes of whatever kind that were started with this word.
    fileprivate static func all(withArgument word: String) -> [Int32] {
        let pids = (try? FileManager.default.contentsOfDirectory(atPath: "/proc"))?.compactMap { Int32($0) } ?? []
        return pids.filter { pid in
            guard let words = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") else { return false }
            return words.split(separator: 0).contains { String(decoding: $0, as: UTF8.self) == word }
        }
    }
}
