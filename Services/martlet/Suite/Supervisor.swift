import Foundation
import HTTPClient
import Messages
import Processes
import ServiceKit

/// Keeps the services of one data folder running.
actor Supervisor {
    private struct Child {
        var process: DetachedProcess
        /// Where its log stood when it was started.
        var logStart: Int
        var started: ContinuousClock.Instant
    }

    private let members: [Member]
    private let paths: DataPaths
    private let executables: String
    /// Variables that all members are given beside the environment's.
    private let settings: [String: String]
    private let policy: RestartPolicy
    private let client = HTTPClient()
    private var children: [String: Child] = [:]
    private var keepers: [Task<Void, Never>] = []
    private var isStopping = false
    /// Once everything was ready, a child that ends is started again instead of ending the start.
    private var wasReady = false
    /// Why the start cannot succeed.
    private var failure: Failure?

    init(
        members: [Member], paths: DataPaths, executables: String, settings: [String: String] = [:],
        policy: RestartPolicy = RestartPolicy()
    ) {
        self.policy = policy
        self.members = members
        self.paths = paths
        self.executables = executables
        self.settings = settings
    }

    /// Starts everything and returns when everything is ready.
    /// - Throws: `Failure`; by then nothing runs any more.
    func start(timeout: Duration) async throws -> [String: ServiceAddress] {
        let began = ContinuousClock.now
        do {
            await Orphans.end(members, paths: paths)
            for member in members {
                try paths.prepare(for: member.source)
                try? FileManager.default.removeItem(atPath: paths.address(member.source, replica: member.replica))
                try spawn(member)
            }
            for member in members { keepers.append(Task { await self.keep(member) }) }
            keepers.append(Task { await self.rotateLogs() })
            var ready: [String: ServiceAddress] = [:]
            while ready.count < members.count {
                if let failure { throw failure }
                try Task.checkCancellation()
                for member in members where ready[member.name] == nil {
                    ready[member.name] = await readiness(of: member)
                }
                if ready.count < members.count {
                    guard ContinuousClock.now - began < timeout else {
                        throw late(members.filter { ready[$0.name] == nil })
                    }
                    try await Task.sleep(for: .milliseconds(15))
                }
            }
            wasReady = true
            return ready
        } catch {
            await stop()
            throw error
        }
    }

    /// Ends everything: first the services, last what carries their events. At most ten seconds.
    func stop() async {
        isStopping = true
        for keeper in keepers { keeper.cancel() }
        let carriers = Set(members.filter(\.isBus).map(\.name))
        await end(children.filter { !carriers.contains($0.key) }, grace: .seconds(7))
        await end(children.filter { carriers.contains($0.key) }, grace: .seconds(2))
    }

    private func end(_ children: [String: Child], grace: Duration) async {
        await withTaskGroup(of: Void.self) { group in
            for child in children.values where child.process.end == nil {
                group.addTask { await ProcessGroup.terminate(child.process.identity, grace: grace) }
            }
        }
    }

    private func log(_ member: Member) -> ServiceLog {
        ServiceLog(path: paths.log(member.source, replica: member.replica))
    }

    private func spawn(_ member: Member) throws {
        let log = log(member)
        log.rotate()
        let pid = ProcessInfo.processInfo.processIdentifier
        var environment = ProcessInfo.processInfo.environment
        environment.merge(settings) { $1 }
        environment["MARTLET_HOME"] = paths.root
        environment["MARTLET_REPLICA"] = String(member.replica)
        let offset = log.size
        do {
            let process = try DetachedProcess.spawn(
                ProcessRequest(
                    argv: member.arguments(paths: paths, executables: executables, parent: pid),
                    environment: environment, directory: paths.root, output: log.path))
            children[member.name] = Child(process: process, logStart: offset, started: .now)
        } catch {
            throw Failure("\(error)", hint: "all services stand beside 'martlet': build them with 'make build'")
        }
    }

    /// Starts a member again whenever it ends, until the suite stops.
    private func keep(_ member: Member) async {
        var restarts = policy
        while !isStopping, let child = children[member.name] {
            guard let end = try? await child.process.wait(), !isStopping else { return }
            // One that ends by itself before all are ready cannot be helped by trying again; a killed one can.
            if !wasReady, case .code = end {
                failure = failure ?? explain(member, child, end)
                return
            }
            switch restarts.died(after: .now - child.started) {
            case .again(let pause):
                Terminal.complain("\(member.name) ended (\(end)); it is started again")
                await spawn(member, after: pause)
            case .rest(let pause, let isNew):
                if isNew {
                    Terminal.complain("\(explain(member, child, end))\n  it is tried once a minute; the others go on")
                }
                await spawn(member, after: pause)
            }
        }
    }

    /// Tries until the program can be started, or the suite stops.
    private func spawn(_ member: Member, after first: Duration) async {
        var pause = first
        var isTold = false
        while (try? await Task.sleep(for: pause)) != nil, !isStopping {
            do {
                return try spawn(member)
            } catch {
                if !isTold { Terminal.complain("\(error)\n  it is tried again; the others go on") }
                isTold = true
                pause = RestartPolicy.longest
            }
        }
    }

    /// A service may run for months: its log is looked at each minute.
    private func rotateLogs() async {
        while (try? await Task.sleep(for: .seconds(60))) != nil {
            for member in members where log(member).rotate() { children[member.name]?.logStart = 0 }
        }
    }

    private func explain(_ member: Member, _ child: Child, _ end: ProcessEnd) -> Failure {
        let lines = log(member).lastLines(from: child.logStart, count: 20)
        if let option = member.portOption,
            lines.contains(where: { $0.contains("port \(member.port)") && $0.contains("in use") })
        {
            return Failure(
                "port \(member.port) for \(member.source) is in use by another program",
                hint: "stop that program, or choose another port with \(option)")
        }
        // What was wrong with an option is said before its usage.
        let reason = lines.last { $0.hasPrefix("Error: ") } ?? lines.last
        let said = reason.map { $0.hasPrefix("Error: ") ? String($0.dropFirst("Error: ".count)) : $0 }
        return Failure(
            "\(member.name) ended (\(end))\(said.map { ": \($0)" } ?? "")",
            hint: "its log is \(log(member).path)")
    }

    private func late(_ missing: [Member]) -> Failure {
        let names = missing.map(\.name).joined(separator: ", ")
        return Failure("not ready in time: \(names)", hint: "their logs are in \(paths.root)/services/<name>/log")
    }

    private func readiness(of member: Member) async -> ServiceAddress? {
        guard let address = ServiceAddress.read(from: paths.address(member.source, replica: member.replica)),
            address.pid == children[member.name]?.process.identity.pid
        else { return nil }
        let url = "http://\(address.host):\(address.port)/readyz"
        let answer = try? await client.send(HTTPRequest(url: url, timeout: .seconds(1)))
        return answer?.isSuccess == true ? address : nil
    }
}
