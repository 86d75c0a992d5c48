import Artifacts
import Bus
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
    var address: BusAddress { get throws { try BusAddress("ipc://\(folder)/bus") } }

    /// The real bus: forwarder, router and their threads.
    func startBus() throws -> Program {
        let (address, logger) = (try address, logger("bus"))
        return start("bus") { _ in
            let server = try BusServer(address: address, metrics: MetricsRegistry(), logger: logger)
            try await server.start()
            try await Task.sleep(for: .seconds(1_000_000))
            await server.stop()
        }
    }

    /// Everything of a service except its HTTP door.
    func startService(
        _ source: Source, name: String? = nil, after delay: Duration? = nil, logs: [Source] = [],
        migrate: @escaping @Sendable (inout DatabaseMigrator) -> Void,
        parts makeParts: @escaping @Sendable (ServiceContext) async throws -> ServiceParts
    ) throws -> Program {
        let (address, paths, name) = (try address, paths, name ?? source.name)
        let logger = logger(name)
        return start(name, after: delay) { run in
            try paths.prepare(for: source)
            let store = try StateStore.open(path: paths.database(source), source: source, logs: logs, migrate: migrate)
            run.owns(store)
            let bus = BusConnection(address: address, logger: logger)
            try bus.start()
            let context = ServiceContext(
                source: source, store: store, bus: bus, artifacts: ArtifactStore(root: paths.artifacts),
                secrets: Secrets(paths: paths), paths: paths, logger: logger)
            let parts = try await makeParts(context)
            let (duties, worker, _) = try Service.core(context, parts, worker: name, slots: parts.slots, logs)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    do {
                        try await duties.run()
                    } catch {
                        // As in a service group: the process ends, and is started again.
                        logger.error("ended: \(error)")
                        run.end()
                        throw error
                    }
                }
                group.addTask { await worker.run() }
                for loop in parts.background { group.addTask { try await loop.run() } }
                try await group.waitForAll()
            }
        }
    }

    /// A service's database, read by nobody else at the moment.
    func read<Value>(_ source: Source, _ body: (Database) throws -> Value) throws -> Value {
        let queue = try DatabaseQueue(path: paths.database(source))
        defer { try? queue.close() }
        return try queue.read(body)
    }
}
