import ArgumentParser
import Foundation
import Messages
import Processes
import ServiceKit
import Testing

@testable import Martlet

struct CommandLineTests {
    private func parse<Command: ParsableCommand>(_ text: String, as type: Command.Type) throws -> Command {
        let parsed = try MartletCommand.parseAsRoot(text.split(separator: " ").map(String.init))
        return try #require(parsed as? Command)
    }

    @Test(arguments: [
        "", "--help", "up --help", "down --help", "status --help", "repo add --help", "validate --help", "run --help",
        "runs list --help", "runs logs --help", "approvals list --help", "approve --help", "reject --help",
        "models transition --help", "endpoints rollback --help", "events tail --help", "events publish --help",
        "why --help", "why-not --help", "dlq retry --help", "tokens create --help", "notify test --help",
        "schemas --help",
    ])
    func `help is an answer`(text: String) async {
        #expect(await CommandLineRun.run(text.split(separator: " ").map(String.init)) == 0)
    }

    @Test(arguments: [
        "nonsense", "run", "runs nonsense", "runs show", "approve", "up --console-port x", "up --console-port 70000",
        "up --console-port 9000 --trigger-port 9000", "run train --param novalue", "models at churn yesterday",
        "events tail --since yesterday", "events tail --since nobody:3", "runs list --limit 0", "why", "why-not",
        "schemas", "tokens create", "runs list --state zzz", "events publish",
        "why-not train --limit 0", "runs logs 1 --attempt 0", "up --data=",
        "down --data=", "status --data=", "tokens create --role viewer --name=",
    ])
    func `wrong usage ends with 2`(text: String) async {
        #expect(await CommandLineRun.run(text.split(separator: " ").map(String.init)) == 2)
    }

    @Test(arguments: [
        "status", "runs list", "repo list", "approve x", "models list", "events tail", "why churn/1", "dlq list",
        "tokens list", "runs", "repo", "approvals", "models", "endpoints", "dlq", "tokens", "logs", "artifacts",
        "models show churn", "models show churn 1", "models history churn", "models verify", "models verify churn",
        "models at churn --time 2026-01-31T12:00:00Z", "models transition churn 1 staged", "models verify --json",
    ])
    func `where nothing runs the exit code is 3`(text: String) async {
        let folder = NSTemporaryDirectory() + "no-martlet-" + UUID().uuidString
        let arguments = text.split(separator: " ").map(String.init) + ["--data", folder]
        #expect(await CommandLineRun.run(arguments) == 3)
    }

    @Test func `a group that can list does so by itself`() {
        var groups: [String] = []
        for group in MartletCommand.configuration.subcommands {
            let (name, parts) = (group.configuration.commandName ?? "", group.configuration.subcommands)
            guard let list = parts.first(where: { String(describing: $0) == "List" }) else { continue }
            groups.append(name)
            let chosen = group.configuration.defaultSubcommand.map { ObjectIdentifier($0) }
            #expect(chosen == ObjectIdentifier(list), "martlet \(name)")
        }
        #expect(groups.contains("runs") && groups.contains("keys") && groups.count >= 10)
    }

    @Test func `a console that refuses the connection is not reachable`() async {
        #expect(await CommandLineRun.run(["status", "--url", "http://127.0.0.1:1"]) == 3)
    }

    @Test func `the version is told, and is not mistaken for a model's`() async throws {
        #expect(await CommandLineRun.run(["--version"]) == 0)
        #expect(await CommandLineRun.run(["approve", "--version", "3"]) == 2)
        #expect(try parse("approve 7 --version 3", as: ApproveCommand.self).version == "3")
    }

    @Test func `down where nothing runs is no failure`() async {
        #expect(await CommandLineRun.run(["down", "--data", NSTemporaryDirectory() + UUID().uuidString]) == 0)
    }

    @Test func `options reach their commands`() throws {
        let run = try parse("run train --project churn --param a=1 --param b=x=y --wait --json", as: RunCommand.self)
        #expect(run.pipeline == "train")
        #expect(run.parameters == ["a=1", "b=x=y"])
        #expect(run.wait && run.installation.json)
        let up = try parse("up --data /tmp/x --gateway-port 0 --detach", as: UpCommand.self)
        #expect(up.detach && up.gatewayPort == 0 && up.consolePort == 8080)
        let logs = try parse("runs logs -f 12 --step a/b", as: RunLogsCommand.self)
        #expect(logs.follow && logs.step == "a/b")
    }

    @Test func `failures say what to do next`() {
        #expect(Failure("no run '7'", hint: "list them").description == "Error: no run '7'\n  list them")
    }

    @Test func `paths of repositories mean the same to the services`() {
        let here = FileManager.default.currentDirectoryPath
        #expect(RepoCommand.Add.absolute("./x") == here + "/x")
        #expect(RepoCommand.Add.absolute("/srv/a/../b") == "/srv/b")
        #expect(RepoCommand.Add.absolute("https://host/x.git") == "https://host/x.git")
        #expect(RepoCommand.Add.absolute("git@host:acme/x.git") == "git@host:acme/x.git")
    }

    @Test func `down leaves a process alone whose pid stands in an old record`() async throws {
        let folder = NSTemporaryDirectory() + "old-record-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let paths = DataPaths(root: folder)
        try paths.prepare(for: .console)
        // This very process is the innocent one: were it signalled, no test would end.
        let own = ProcessInfo.processInfo.processIdentifier
        try SuiteRecord(pid: own, process: ProcessIdentity(pid: own), state: "ready", services: [:]).write(paths)
        _ = FileManager.default.createFile(atPath: SuiteRecord.lockPath(paths), contents: nil)
        #expect(await CommandLineRun.run(["down", "--data", folder]) == 0)
        #expect(SuiteRecord.read(paths) == nil)
    }

    @Test func `a pid that was given to another process is not the suite`() throws {
        let own = try #require(ProcessIdentity(pid: ProcessInfo.processInfo.processIdentifier))
        let paths = DataPaths(root: NSTemporaryDirectory() + UUID().uuidString)
        let later = ProcessIdentity(pid: own.pid, startTime: own.startTime + 1)
        let rebooted = ProcessIdentity(pid: own.pid, startTime: own.startTime, boot: "another")
        #expect(SuiteRecord(pid: own.pid, process: own, state: "ready", services: [:]).living(paths) == own)
        for other in [later, rebooted, nil] {
            #expect(SuiteRecord(pid: own.pid, process: other, state: "ready", services: [:]).living(paths) == nil)
        }
    }

    @Test func `control characters do not reach the terminal`() {
        #expect("a\u{1b}[2Jb\u{9b}\nc\r".printable == "a\\u{1b}[2Jb\\u{9b}\nc\\u{d}")
    }
}
