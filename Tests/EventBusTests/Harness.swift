import Bus
import EventLog
import Foundation
import Logging
import Messages
import ServiceKit
import Testing

@testable import EventBus

/// A bus and its peers in one process, over real sockets in a folder of their own.
final class Harness: Sendable {
    let folder: String
    let address: BusAddress
    let logger: Logger

    init() throws {
        folder = "/tmp/mb-\(UUID().uuidString.prefix(8))"
        address = try BusAddress.embedded(in: folder)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        self.logger = logger
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func bus() async throws -> BusServer {
        let server = try BusServer(address: address, metrics: MetricsRegistry(), logger: logger)
        try await server.start()
        return server
    }

    func connection() throws -> BusConnection {
        let connection = BusConnection(address: address, logger: logger)
        try connection.start()
        return connection
    }
}

/// A publisher that runs until it is stopped.
struct RunningPublisher {
    let log: MemoryLog
    let connection: BusConnection
    let publisher: Publisher
    let task: Task<Void, Never>

    init(_ log: MemoryLog, _ harness: Harness) throws {
        self.log = log
        connection = try harness.connection()
        let publisher = Publisher(bus: connection, reader: log, sources: [log.source], logger: harness.logger)
        self.publisher = publisher
        task = Task { await publisher.run() }
    }

    func append(_ count: Int = 1) {
        log.append(count)
        publisher.wake()
    }

    func stop() async {
        task.cancel()
        await task.value
        await connection.shutdown()
    }
}

struct RunningSubscriber {
    let follower: MemoryFollower
    let connection: BusConnection
    let task: Task<Void, any Error>

    init(_ follower: MemoryFollower, of source: Source = "registry-service", _ harness: Harness) throws {
        self.follower = follower
        let connection = try harness.connection()
        self.connection = connection
        let logger = harness.logger
        task = Task {
            try await Subscriber(bus: connection, sources: [source], follower: follower, logger: logger).run()
        }
    }

    func stop() async {
        task.cancel()
        _ = await task.result
        await connection.shutdown()
    }
}

struct TookTooLong: Error {}

/// Fails when it takes longer than `limit`: a test never waits by sleeping, and never for ever.
func within<Value: Sendable>(
    _ limit: Duration = .seconds(60), _ work: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    try await withThrowingTaskGroup { group in
        group.addTask { try await work() }
        group.addTask {
            try await Task.sleep(for: limit)
            throw TookTooLong()
        }
        defer { group.cancelAll() }
        guard let first = try await group.next() else { throw TookTooLong() }
        return first
    }
}
