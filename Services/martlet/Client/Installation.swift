import ArgumentParser
import Bus
import Foundation
import Logging
import Messages
import ServiceKit

/// Which installation a command talks to; the same options at every command.
struct Installation: ParsableArguments {
    @Option(help: "Data folder. Default: $MARTLET_HOME, else ~/.martlet.")
    var data: String?

    @Option(
        help: "The console's URL, for an installation elsewhere. Default: $MARTLET_URL, else the data folder's own.")
    var url: String?

    @Option(help: "API token. Default: $MARTLET_TOKEN, else the data folder's admin token.")
    var token: String?

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws { try DataPaths.check(data) }

    private var environment: [String: String] { ProcessInfo.processInfo.environment }

    var paths: DataPaths {
        .chosen(data)
    }

    /// The console of an installation whose data folder is not here; an empty variable names none.
    private var remote: String? { url ?? environment["MARTLET_URL"].flatMap { $0.isEmpty ? nil : $0 } }

    /// Its data folder is not here.
    var isElsewhere: Bool { remote != nil }

    func api() throws -> APIClient {
        let token = token ?? environment["MARTLET_TOKEN"] ?? storedToken
        if let remote {
            return APIClient(base: remote, token: token, hint: "is \(remote) right, and is Martlet up there?")
        }
        let hint = "start it with 'martlet up --data \(paths.root)', or name another folder with --data"
        guard let address = ServiceAddress.read(from: paths.address(.console)),
            FileManager.default.fileExists(atPath: "/proc/\(address.pid)")
        else { throw Failure.unreachable("no Martlet runs on \(paths.root)", hint: hint) }
        return APIClient(base: "http://\(address.reachable):\(address.port)", token: token, hint: hint)
    }

    private var storedToken: String? {
        (try? String(contentsOfFile: paths.tokens + "/admin", encoding: .utf8))?
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// A connection to the bus itself, for what must not depend on the console.
    ///
    /// - Parameters:
    ///   - named: the bus's addresses, where an option says them.
    ///   - client, keys: whose key is used over tcp, and where it is.
    func bus(at named: [String] = [], client: String? = nil, keys: KeyFolder? = nil) throws -> BusConnection {
        var logger = Logger(label: "martlet") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = .error
        let addresses = try addresses(named)
        let credentials = try credentials(addresses, client, keys)
        let bus = BusConnection(addresses: addresses, credentials: credentials, logger: logger)
        try bus.start()
        return bus
    }

    private func addresses(_ named: [String]) throws -> [BusAddress] {
        let variable = environment["MARTLET_BUS"].flatMap { $0.isEmpty ? nil : $0 }?.split(separator: ",")
        let texts = named.isEmpty ? variable?.map(String.init) ?? SuiteRecord.read(paths)?.bus ?? [] : named
        do {
            if !texts.isEmpty { return try texts.map { try BusAddress($0) } }
        } catch let error as BusError {
            throw Failure("\(error)")
        }
        guard FileManager.default.fileExists(atPath: paths.bus) else {
            throw Failure.unreachable(
                "no Martlet runs on \(paths.root)",
                hint: "start it with 'martlet up --data \(paths.root)', or name a bus elsewhere with --bus")
        }
        return [try BusAddress.embedded(in: paths.bus)]
    }

    /// The bus where it can be reached from here: never for an installation elsewhere.
    func nearbyBus() -> BusConnection? {
        guard !isElsewhere else { return nil }
        return try? bus()
    }

    /// Whose key is used over tcp: $MARTLET_CLIENT, else the one that 'martlet up' made for the CLI.
    private func credentials(
        _ addresses: [BusAddress], _ client: String?, _ keys: KeyFolder?
    ) throws -> BusCredentials? {
        guard addresses.contains(where: \.needsKeys) else { return nil }
        let variable = environment["MARTLET_CLIENT"].flatMap { $0.isEmpty ? nil : $0 }
        do {
            return try (keys ?? .chosen(nil, data: data)).credentials(of: client ?? variable ?? SuiteKeys.commandLine)
        } catch {
            throw Failure("\(error)", hint: "--key-file, or $MARTLET_CLIENT and $MARTLET_KEYS, name another key")
        }
    }
}

extension DataPaths {
    /// The folders that options name, else the environment; an empty variable counts as none.
    static func chosen(_ data: String?, volumes: String? = nil) -> DataPaths {
        let environment = ProcessInfo.processInfo.environment
        let home = environment["MARTLET_HOME"].flatMap { $0.isEmpty ? nil : $0 }
        return DataPaths(root: data ?? home ?? (environment["HOME"] ?? ".") + "/.martlet", volumes: volumes)
    }

    /// - Throws: `ValidationError` for an empty option, which would mean the current folder.
    static func check(_ data: String?) throws {
        if data?.isEmpty == true { throw ValidationError("--data: name a folder, or leave the option out") }
    }
}
