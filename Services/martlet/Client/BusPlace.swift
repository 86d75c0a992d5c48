import ArgumentParser
import Bus
import Foundation
import Logging

/// Which bus is listened to, and with whose key: for whoever has no installation of Martlet at hand.
struct BusPlace: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Bus address, as tcp://HOST:5550; twice for two buses side by side.",
            discussion: "Default: $MARTLET_BUS (two with a comma between), else the data folder's own."))
    var bus: [String] = []

    @Option(help: "Key for a bus over tcp, with event-bus.pub beside it. Default: $MARTLET_KEYS and $MARTLET_CLIENT.")
    var keyFile: String?

    func validate() throws {
        if keyFile?.hasSuffix(".key") == false || keyFile == ".key" {
            throw ValidationError("--key-file: name a file CLIENT.key, as 'martlet keys generate CLIENT' makes it")
        }
    }

    /// The bus that is named here, else the installation's.
    func connect(_ installation: Installation) throws -> BusConnection {
        guard !bus.isEmpty || keyFile != nil else { return try installation.bus() }
        let file = keyFile.map { URL(fileURLWithPath: $0) }
        return try installation.bus(
            at: bus, client: file?.deletingPathExtension().lastPathComponent,
            keys: file.map { KeyFolder(path: $0.deletingLastPathComponent().standardizedFileURL.path) })
    }
}
