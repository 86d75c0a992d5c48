import Bus
import Foundation
import Logging
import Messages
import ServiceKit

@testable import EventBus

/// A bus over tcp with keys, and clients with keys of their own.
final class SecureHarness: Sendable {
    let folder: String
    let keys: KeyFolder
    let bus: BusServer
    let address: BusAddress
    let metrics = MetricsRegistry()
    let logger: Logger

    /// - Parameter clients: what is authorized from the beginning, as in `authorized_keys`.
    init(_ clients: [String: String] = [:]) async throws {
        folder = "/tmp/mb-\(UUID().uuidString.prefix(8))"
        keys = KeyFolder(path: folder + "/keys")
        var logger = Logger(label: "test")
        logger.logLevel = ProcessInfo.processInfo.environment["MARTLET_FIGURES"] == nil ? .critical : .trace
        self.logger = logger
        _ = try keys.generate("event-bus")
        try Self.write(clients, to: keys)
        (bus, address) = try await Self.start(keys, metrics, logger)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    private static func start(
        _ keys: KeyFolder, _ metrics: MetricsRegistry, _ logger: Logger
    ) async throws -> (BusServer, BusAddress) {
        for _ in 0..<50 {
            let address = try BusAddress("tcp://127.0.0.1:\(Int.random(in: 20_000...60_000))")
            let bus = try BusServer(address: address, keys: keys, metrics: metrics, logger: logger)
            do {
                try await bus.start()
                return (bus, address)
            } catch let error as BusError where "\(error)".contains("in use") {
                continue
            }
        }
        throw TookTooLong()
    }

    private static func write(_ clients: [String: String], to keys: KeyFolder) throws {
        let lines = try clients.map { "\(try keys.generate($0.key).pair.publicKey) \($0.key) \($0.value)" }
        try keys.edit { $0 = lines }
    }

    /// Replaces all of `authorized_keys`.
    func authorize(_ clients: [String: String]) throws { try Self.write(clients, to: keys) }

    func credentials(_ client: String) throws -> BusCredentials {
        _ = try keys.generate(client)
        return try keys.credentials(of: client)
    }

    func connection(_ client: String) throws -> BusConnection {
        let connection = BusConnection(address: address, credentials: try credentials(client), logger: logger)
        try connection.start()
        return connection
    }

    var drops: [String: Int] { bus.counts.drops }

    /// Polls: what the bus does is seen from outside only.
    func wait(_ limit: Duration = .seconds(30), until holds: () throws -> Bool) throws {
        let deadline = ContinuousClock.now + limit
        while try !holds() {
            guard .now < deadline else { throw TookTooLong() }
            usleep(10_000)
        }
    }
}

/// A client that speaks to libzmq itself, as an outsider's program does, or an attacker's.
struct RawClient: ~Copyable {
    private let context: SocketContext
    private let credentials: [SocketOption]

    init(_ credentials: BusCredentials?) throws {
        context = try SocketContext()
        self.credentials = SocketOption.client(credentials)
    }

    func dial(_ kind: Socket.Kind, _ endpoint: String, subscriptions: [String] = []) throws -> Socket {
        let socket = try Socket(kind, in: context, options: credentials, subscriptions: subscriptions)
        try socket.connect(to: endpoint)
        return socket
    }
}

extension Socket {
    /// Everything that has come, after waiting a little for the first.
    func heard(_ pause: Duration = .milliseconds(20)) -> [[Data]] {
        var poll = PollSet()
        poll.add(self)
        poll.wait(pause)
        var seen: [[Data]] = []
        while let (frames, _) = receive() { seen.append(frames) }
        return seen
    }
}

func frames(_ texts: String...) -> [Data] { texts.map { Data($0.utf8) } }
