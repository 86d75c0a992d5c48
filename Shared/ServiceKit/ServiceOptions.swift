import ArgumentParser
import Bus
import Foundation
import Logging
import Messages

/// What an operator can set at every service, by option or by environment variable.
package struct ServiceOptions: ParsableArguments, Sendable {
    @Option(help: "Data folder. Default: $MARTLET_HOME, else ~/.martlet.")
    package var data: String?

    @Option(
        help: ArgumentHelp(
            "Bus address: ipc:///folder or tcp://HOST:5550; twice for two buses side by side.",
            discussion: "Default: $MARTLET_BUS (two with a comma between), else the data folder's own."))
    package var bus: [String] = []

    @Option(help: "Folder of the bus keys, which every tcp:// bus needs. Default: $MARTLET_KEYS, else <data>/keys.")
    package var keys: String?

    @Option(help: "Address to listen on. Default: $MARTLET_HOST, else 127.0.0.1.")
    package var host: String = ServiceOptions.variable("MARTLET_HOST") ?? "127.0.0.1"

    @Option(
        name: .customLong("port"),
        help: "Port to listen on; 0 takes any free one. Default: $MARTLET_PORT, else any.")
    private var givenPort: Int?

    @Option(help: "Name of this worker; the same after a restart. Default: the service's own name.")
    package var worker: String?

    @Option(help: "Steps worked at once. Default: the service's own.")
    package var slots: Int?

    @Option(help: "trace, debug, info, notice, warning, error or critical.")
    package var logLevel: String = ProcessInfo.processInfo.environment["MARTLET_LOG_LEVEL"] ?? "info"

    @Option(help: "text or json. Default: $MARTLET_LOG_FORMAT, else text on a terminal and JSON elsewhere.")
    package var logFormat: String?

    @Flag(name: .customLong("version"), help: "Show the version.")
    private var showsVersion = false

    @Option(help: ArgumentHelp("End when this process is gone.", visibility: .hidden))
    package var parent: Int32?

    package init() {}

    package func validate() throws {
        if showsVersion { throw CleanExit.message(MartletVersion.text) }
        if Logger.Level(rawValue: logLevel) == nil {
            throw ValidationError(
                "--log-level: '\(logLevel)' is none of trace, debug, info, notice, warning, error, critical")
        }
        if let format, LineLog.Form(rawValue: format) == nil {
            throw ValidationError("--log-format or $MARTLET_LOG_FORMAT: '\(format)' is neither text nor json")
        }
        if data?.isEmpty == true { throw ValidationError("--data: name a folder, or leave the option out") }
        if keys?.isEmpty == true { throw ValidationError("--keys: name a folder, or leave the option out") }
        if let port, !(0...65_535).contains(port) {
            throw ValidationError("--port or $MARTLET_PORT: not a port; take 0 to 65535")
        }
        if let slots, !(1...1_000).contains(slots) {
            throw ValidationError("--slots: take 1 to 1000")
        }
    }

    /// An empty variable counts as none.
    private static func variable(_ name: String) -> String? {
        ProcessInfo.processInfo.environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// `nil`: any free one.
    package var port: Int? { givenPort ?? Self.variable("MARTLET_PORT").map { Int($0) ?? -1 } }

    private var format: String? { logFormat ?? Self.variable("MARTLET_LOG_FORMAT") }

    package var paths: DataPaths {
        let environment = ProcessInfo.processInfo.environment
        let fallback = (environment["HOME"] ?? ".") + "/.martlet"
        return DataPaths(root: data ?? Self.variable("MARTLET_HOME") ?? fallback)
    }

    package func busAddresses() throws -> [BusAddress] {
        let variable = Self.variable("MARTLET_BUS")?.split(separator: ",").map(String.init)
        let texts = bus.isEmpty ? variable ?? [] : bus
        guard !texts.isEmpty else { return [try BusAddress.embedded(in: paths.bus)] }
        let addresses = try texts.map { try BusAddress($0) }
        guard addresses.count <= 2, Set(addresses).count == addresses.count else {
            throw BusError.address("take one bus, or two different ones that run side by side")
        }
        return addresses
    }

    package var keyFolder: KeyFolder { KeyFolder(path: keys ?? Self.variable("MARTLET_KEYS") ?? paths.keys) }

    /// The service's way to the bus, not started yet.
    package func connection(_ source: Source, logger: Logger) throws -> BusConnection {
        let addresses = try busAddresses()
        let needsKeys = addresses.contains(where: \.needsKeys)
        let credentials = needsKeys ? try keyFolder.credentials(of: source.name) : nil
        return BusConnection(addresses: addresses, credentials: credentials, logger: logger)
    }

    package func logger(_ source: Source) -> Logger {
        let form = format.flatMap(LineLog.Form.init) ?? .natural
        var logger = Logger(label: source.name) { LineLog(label: $0, form: form) }
        logger.logLevel = Logger.Level(rawValue: logLevel) ?? .info
        return logger
    }
}
