import Artifacts
import Bus
import CSimulation
import Foundation
import GRDB
import Logging
import Messages
import ServiceLifecycle
import Store

@testable import EventBus
@testable import ServiceKit

extension World {
    var paths: DataPaths { DataPaths(root: folder) }

    private func address(_ number: Int) throws -> BusAddress { try BusAddress("ipc://\(folder)/bus-\(number)") }

    /// The real bus, forwarder, router and their threads; as many of them as ``busCount`` says.
    func startBuses() throws -> [Program] { try (1...busCount).map(startBus) }

    private func startBus(_ number: Int) throws -> Program {
        let name = busCount == 1 ? "bus" : "bus-\(number)"
        let (address, logger) = (try address(number), logger(name))
        return start(name) { _ in
            let server = try BusServer(address: address, metrics: MetricsRegistry(), logger: logger)
            try await server.start()
            try await Task.sleep(for: .seconds(1_000_000))
            await server.stop()
        }
    }

    /// Everything of a service except its HTTP door.
    ///
    /// - Parameter blank: its database as a file, with all tables; `nil`: it makes them itself.
    func startService(
        _ source: Source, replica: Int = 1, after delay: Duration? = nil, logs: [Source] = [], blank: Data? = nil,
        migrate: @escaping @Sendable (inout DatabaseMigrator) -> Void,
        parts makeParts: @escaping @Sendable (ServiceContext) async throws -> ServiceParts
    ) throws -> Program {
        let (addresses, paths) = (try (1...busCount).map(address), paths)
        let name = replica == 1 ? source.name : "\(source.name)-\(replica)"
        let logger = logger(name)
        if let blank, replica == 1 { put(blank, paths.database(source)) }
        return start(name, of: source.name, after: delay) { run in
            try paths.prepare(for: source)
            let slot = try await ReplicaSlot.take(in: paths.service(source), wanted: replica)
            let store = try await Service.open(source, logs, paths, migrate)
            run.owns(store)
            let bus = BusConnection(addresses: addresses, logger: logger)
            try bus.start()
            let context = ServiceContext(
                source: source, store: store, bus: bus, artifacts: ArtifactStore(root: paths.artifacts),
                secrets: Secrets(paths: paths), paths: paths, logger: logger)
            let parts = try await makeParts(context)
            let (duties, worker, noteOthersCommit) = try Service.core(
                context, parts, worker: slot.worker(of: source), slots: parts.slots, logs)
            let replicas = ReplicaWatch(slot: slot, path: store.path, logger: logger, onCommit: noteOthersCommit)
            let leading = Task { try await duties.run() }
            run.canBeAsked { leading.cancel() }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    do {
                        try await leading.value
                    } catch {
                        // As in a service group: the process ends, and is started again.
                        logger.error("ended: \(error)")
                        run.end()
                        throw error
                    }
                }
                group.addTask { await worker.run() }
                group.addTask { await replicas.run() }
                for loop in parts.background { group.addTask { try await loop.run() } }
                try await group.waitForAll()
            }
        }
    }
}

extension World {
    private func put(_ file: Data, _ path: String) {
        file.withUnsafeBytes { simulation_disk_write(path, $0.baseAddress, $0.count) }
    }
}

// MARK: - Looking

extension World {
    /// A service's database, read by nobody else at the moment.
    func read<Value>(_ source: Source, _ body: (Database) throws -> Value) throws -> Value {
        if let known = lookers?[source] { return try known.read(body) }
        var configuration = Configuration()
        configuration.readonly = true
        let queue = try DatabaseQueue(path: paths.database(source), configuration: configuration)
        if lookers != nil {
            lookers?[source] = queue
            return try queue.read(body)
        }
        defer { try? queue.close() }
        return try queue.read(body)
    }

    /// Looks every half second whether everything has come to its end; from here on no file is put back and no power
    /// fails.
    func settle(atMost limit: Duration, until isDone: () -> Bool) -> Bool {
        if lookers == nil { lookers = [:] }
        return advance(atMost: limit, until: isDone)
    }

    func stopLooking() {
        for queue in (lookers ?? [:]).values { try? queue.close() }
        lookers = nil
    }
}
