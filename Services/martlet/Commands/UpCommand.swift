import ArgumentParser
import Bus
import Foundation
import Messages
import Processes
import ServiceKit
import UnixSignals

struct UpCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "up", abstract: "Run the whole suite on this machine.",
        discussion: """
            Examples:
              martlet up
              martlet up --data ./demo-data --detach
              martlet up --console-port 9080 --gateway-port 9090
              martlet up --scale trainer-proxy=3
            Ctrl-C or 'martlet down' ends it; the next 'up' on the same folder goes on where it stood.
            """)

    @Option(help: "Data folder. Default: $MARTLET_HOME, else ~/.martlet.")
    var data: String?

    @Flag(help: "Go on in the background once everything is ready.")
    var detach = false

    @Option(help: "Port of the API; 0 takes any free one.")
    var consolePort = SuitePorts().console

    @Option(help: "Port of the trigger-service; 0 takes any free one.")
    var triggerPort = SuitePorts().trigger

    @Option(help: "Port of the registry; 0 takes any free one.")
    var registryPort = SuitePorts().registry

    @Option(help: "Port of the models' stable URLs; 0 takes any free one.")
    var gatewayPort = SuitePorts().gateway

    @Option(
        name: .customLong("bus"),
        help: ArgumentHelp(
            "Bus address; twice for two buses side by side. Default: sockets in the data folder.",
            discussion: """
                tcp://HOST:PORT is for clients elsewhere, with the next two ports; tcp://127.0.0.1:0 takes any free ones. Over
                tcp everybody has a key: those of the services are made, others are authorized with 'martlet keys'.
                """))
    var buses: [String] = []

    @Option(help: "SERVICE=COUNT: run several processes of a service; they share its work. May be repeated.")
    var scale: [String] = []

    @Option(
        name: .customLong("otlp-url"),
        help: "Tell traces to this collector: OTLP in JSON over HTTP, for example http://127.0.0.1:4318.")
    var otlpURL: String?

    @Option(help: "Take a backup into a new folder below this one, again and again.")
    var backupTo: String?

    @Option(help: "How often, for example 30m, 1h, 1d.")
    var backupEvery: Span = Span(seconds: 3600)

    @Option(help: "How many of the newest to keep.")
    var backupKeep = 24

    @Flag(help: "Print JSON once everything is ready.")
    var json = false

    @Option(help: "Seconds until everything must be ready.")
    var timeout = 60

    func validate() throws {
        let ports = [consolePort, triggerPort, registryPort, gatewayPort]
        for port in ports where !(0...65_535).contains(port) {
            throw ValidationError("\(port) is not a port; take 0 to 65535")
        }
        let chosen = ports.filter { $0 != 0 }
        if Set(chosen).count != chosen.count { throw ValidationError("two services cannot share a port") }
        try DataPaths.check(data)
        if buses.count > 2
            || Set(buses.filter { !$0.hasSuffix(":0") }).count < buses.count(where: { !$0.hasSuffix(":0") })
        {
            throw ValidationError("--bus: take one, or two different ones that run side by side")
        }
        _ = try Scaling(scale)
        if backupTo?.isEmpty == true { throw ValidationError("--backup-to: name a folder, or leave the option out") }
        if backupKeep < 1 { throw ValidationError("--backup-keep: take at least 1") }
        if timeout < 1 { throw ValidationError("--timeout: take at least 1") }
    }

    private var paths: DataPaths { .chosen(data) }

    private var ports: SuitePorts {
        SuitePorts(console: consolePort, trigger: triggerPort, registry: registryPort, gateway: gatewayPort)
    }

    func run() async throws {
        try RestoreMark.refuseUnfinished(paths)
        try prepareFolder()
        if detach {
            let launch = DetachedLaunch(paths: paths, timeout: .seconds(timeout + 5))
            let record = try await launch.run(arguments: arguments)
            try tell(record)
        } else {
            try await supervise()
        }
    }

    private func tell(_ record: SuiteRecord) throws {
        Terminal.say(json ? try Terminal.pretty(record) : UpText.render(record, ports, paths, isDetached: detach))
    }

    private var arguments: [String] {
        let doors = [
            "up", "--data", paths.root, "--console-port", String(consolePort), "--trigger-port", String(triggerPort),
            "--registry-port", String(registryPort), "--gateway-port", String(gatewayPort),
            "--timeout", String(timeout),
        ]
        let members = buses.flatMap { ["--bus", $0] } + scale.flatMap { ["--scale", $0] }
        let traces = otlpURL.map { ["--otlp-url", $0] } ?? []
        return doors + members + traces + backupArguments
    }

    private var backupArguments: [String] {
        guard let backupTo else { return [] }
        // Absolute: what goes on in the background has another working folder.
        return [
            "--backup-to", URL(fileURLWithPath: backupTo).standardizedFileURL.path, "--backup-every",
            backupEvery.description, "--backup-keep", String(backupKeep),
        ]
    }

    private func backupSchedule() throws -> BackupSchedule? {
        guard let backupTo else {
            BackupStatus.forget(paths)
            return nil
        }
        return try BackupSchedule(
            into: backupTo, every: backupEvery, keep: backupKeep, paths: paths, bucket: SuiteRecord.bucket)
    }

    private func prepareFolder() throws {
        do {
            try paths.prepare(for: .console)
        } catch {
            throw Failure(
                "the data folder \(paths.root) cannot be used: \(error)",
                hint: "check its owner and the room on its disk, or choose another with --data")
        }
    }

    /// Over tcp the keys of all services are made as well.
    private func chosenBuses() throws -> [BusAddress] {
        do {
            let addresses = try buses.map { try BusAddress(choosing: $0) }
            if addresses.contains(where: \.needsKeys) { try SuiteKeys.prepare(KeyFolder(path: paths.keys)) }
            return addresses
        } catch let error as BusError {
            throw Failure("\(error)")
        }
    }

    private func write(_ record: SuiteRecord) throws {
        do {
            try record.write(paths)
        } catch {
            throw Failure(
                "\(SuiteRecord.path(paths)) cannot be written: \(error.localizedDescription)",
                hint: "make room on the disk, or choose another folder with --data")
        }
    }

    private func supervise() async throws {
        guard let lock = try SuiteLock.acquire(paths) else {
            throw UpText.alreadyRunning(paths)
        }
        defer {
            SuiteRecord.remove(paths)
            withExtendedLifetime(lock) {}
        }
        let backups = try backupSchedule()
        let began = ContinuousClock.now
        let pid = ProcessInfo.processInfo.processIdentifier
        let own = ProcessIdentity(pid: pid)
        try write(SuiteRecord(pid: pid, process: own, state: "starting", services: [:]))
        let addresses = try chosenBuses()
        let supervisor = Supervisor(
            members: try Scaling(scale).apply(to: ports.members(on: addresses)), paths: paths,
            executables: try Executables.folder(),
            settings: otlpURL.map { ["MARTLET_OTLP_URL": $0] } ?? [:])
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        let limit = Duration.seconds(timeout)
        let starting = Task { try await supervisor.start(timeout: limit) }
        let waiting = Task {
            for await _ in signals { break }
            starting.cancel()
        }
        let doors: [String: ServiceAddress]
        do {
            doors = try await starting.value
        } catch is CancellationError {
            throw Failure("stopped before everything was ready")
        }
        let seconds = (.now - began) / .seconds(1)
        let services = Dictionary(uniqueKeysWithValues: doors.map { ($0.key, $0.value) })
        let record = SuiteRecord(
            pid: pid, process: own, state: "ready", seconds: seconds, services: services,
            bus: addresses.isEmpty ? nil : addresses.map(\.nearby.text))
        do {
            try write(record)
        } catch {
            await supervisor.stop()
            throw error
        }
        try tell(record)
        let settling = Task { await StartUpMemory.release() }
        let backingUp = Task { await backups?.run() }
        await waiting.value
        settling.cancel()
        backingUp.cancel()
        Terminal.complain("stopping …")
        await supervisor.stop()
        // Afterwards: one that copies much must not keep the services from ending in time.
        await backingUp.value
        let left = Leftovers(of: paths)
        await Leftovers.end(left.serving)
        let working = left.working.isEmpty ? "" : "; steps at work go on ('martlet down --all' ends them)"
        Terminal.complain("stopped\(working); 'martlet up' goes on where it stood")
    }
}
