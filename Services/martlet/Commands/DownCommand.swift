import ArgumentParser
import Bus
import Foundation
import Messages
import Processes
import ServiceKit

#if canImport(Glibc)
    import Glibc
#endif

struct DownCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "down", abstract: "Stop the suite; nothing is lost, the next 'up' goes on.",
        discussion: """
            Examples:
              martlet down
              martlet down --all --data ./demo-data
            Steps at work go on without the suite, and the next 'up' finds them; --all ends them too.
            """)

    @Option(help: "Data folder. Default: $MARTLET_HOME, else ~/.martlet.")
    var data: String?

    @Flag(help: "Print JSON.")
    var json = false

    @Flag(help: "Also end steps that are at work, for example a training.")
    var all = false

    func validate() throws { try DataPaths.check(data) }

    func run() async throws {
        let paths = DataPaths.chosen(data)
        try await stop(paths)
        guard all else { return }
        let left = Leftovers(of: paths)
        await Leftovers.end(left.serving + left.working)
    }

    private func stop(_ paths: DataPaths) async throws {
        guard FileManager.default.fileExists(atPath: SuiteRecord.lockPath(paths)) else {
            return try tell("nothing runs on \(paths.root)", stopped: nil)
        }
        if let lock = try SuiteLock.acquire(paths) {
            // Nobody supervises this folder, whatever up.json says: its pid may be somebody else's by now.
            let buses = (SuiteRecord.read(paths)?.bus ?? []).compactMap { try? BusAddress($0) }
            await Orphans.end(SuitePorts().members(on: buses), paths: paths)
            SuiteRecord.remove(paths)
            withExtendedLifetime(lock) {}
            return try tell("nothing runs on \(paths.root)", stopped: nil)
        }
        guard let record = SuiteRecord.read(paths), let identity = record.living(paths),
            let process = try DetachedProcess.attach(to: identity)
        else {
            throw Failure(
                "a suite holds \(SuiteRecord.lockPath(paths)), but \(SuiteRecord.path(paths)) does not name it",
                hint: "try again in a second; 'fuser \(SuiteRecord.lockPath(paths))' shows who holds it")
        }
        kill(identity.pid, SIGTERM)
        let isDown = try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                _ = try await process.wait()
                return true
            }
            group.addTask {
                try await Task.sleep(for: .seconds(15))
                return false
            }
            defer { group.cancelAll() }
            return try await group.next() ?? false
        }
        guard isDown else {
            throw Failure(
                "pid \(record.pid) does not end", hint: "see \(SuiteRecord.logPath(paths)), or end it with kill -9")
        }
        try tell("Martlet is down (data \(paths.root))", stopped: record.pid)
    }

    private func tell(_ text: String, stopped: Int32?) throws {
        guard json else { return print(text) }
        try Terminal.show(["stopped": stopped.map { .int(Int($0)) } ?? .null])
    }
}
