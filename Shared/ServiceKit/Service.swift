import Artifacts
import Bus
import Foundation
import GRDB
import Logging
import Messages
import ServiceLifecycle
import Store
import UnixSignals

/// Builds a service out of its parts and runs it until it is told to stop.
package enum Service {
    /// - Parameters:
    ///   - logs: further logs that this service owns.
    ///   - migrate: the service's own tables.
    ///   - parts: what this service adds to what all do alike.
    /// - Throws: what an operator has to know; the caller's `run()` prints it and exits with 1.
    package static func run(
        _ source: Source, options: ServiceOptions, logs: [Source] = [],
        migrate: (inout DatabaseMigrator) -> Void,
        parts makeParts: (ServiceContext) async throws -> ServiceParts
    ) async throws {
        let paths = options.paths
        let logger = options.logger(source)
        try paths.prepare(for: source)
        let store = try StateStore.open(path: paths.database(source), source: source, logs: logs, migrate: migrate)
        let bus = try options.connection(source, logger: logger)
        try bus.start()
        let context = ServiceContext(
            source: source, store: store, bus: bus, artifacts: ArtifactStore(root: paths.artifacts),
            secrets: Secrets(paths: paths), paths: paths, logger: logger)
        let parts = try await makeParts(context)
        let group = ServiceGroup(
            configuration: .init(
                services: try assemble(context, parts, options, logs).map {
                    .init(service: $0, successTerminationBehavior: .gracefullyShutdownGroup)
                },
                gracefulShutdownSignals: [.sigterm, .sigint],
                logger: logger))
        try await group.run()
        await bus.shutdown()
        try store.close()
    }

    private static func assemble(
        _ context: ServiceContext, _ parts: ServiceParts, _ options: ServiceOptions, _ logs: [Source]
    ) throws -> [any ServiceLifecycle.Service] {
        let works = !parts.verbs.isEmpty
        let followed = Set(parts.subscriptions + [.console] + (works ? [.triggerService] : []))
        let positions = PositionTracker(followed: followed)
        let worker = StepWorker(
            verbs: parts.verbs, name: options.worker ?? context.source.name, slots: options.slots ?? parts.slots,
            context: context, positions: positions)
        let (retries, intents) = (WakeSignal(), WakeSignal())
        let inbox = Inbox(
            source: context.source, store: context.store, handle: parts.handle, positions: positions, retries: retries,
            metrics: context.metrics, logger: context.logger,
            committed: { envelope in
                if let request = try? envelope.body(StepCancelRequested.self) { await worker.cancel(request.item) }
            })
        let publisher = Publisher(
            bus: context.bus, reader: context.store, sources: [context.source] + logs, logger: context.logger)
        context.store.onCommit { summary in
            if summary.published { publisher.wake() }
            if summary.intended { intents.wake() }
        }
        context.metrics.collect { [bus = context.bus] metrics in
            for (reason, count) in bus.drops.byReason {
                metrics.total(
                    "martlet_messages_dropped_total", "Messages that were dropped on this side of the bus, by reason.",
                    labels: [("reason", reason)], is: Double(count))
            }
        }
        let readiness = Readiness(
            waitingFor: ["leader": "another replica leads or the service is starting"],
            trouble: { context.store.trouble })
        // A further log is a target too: `publish` is asked of `ingest`, which trigger-service owns (bus.md 6).
        if !parts.requests.isEmpty {
            for target in [context.source] + logs { context.bus.serve(as: target, parts.requests) }
        }
        let subscriber = Subscriber(
            bus: context.bus, sources: followed.sorted { $0.name < $1.name }, follower: inbox, logger: context.logger,
            onSilent: inbox.noteSilence)
        let duties = LeaderDuties(
            context: context, lockPath: context.paths.leaderLock(context.source), publisher: publisher,
            subscriber: subscriber,
            retrier: ParkedRetrier(
                inbox: inbox, store: context.store, clock: context.clock, signal: retries, logger: context.logger),
            effects: EffectRunner(
                effects: parts.effects, store: context.store, clock: context.clock, signal: intents,
                logger: context.logger),
            readiness: readiness)
        let server = HealthServer(
            host: options.host, port: options.port ?? 0, addressFile: context.paths.address(context.source),
            readiness: readiness, metrics: context.metrics, logger: context.logger, limits: parts.door,
            routes: parts.routes)
        var services: [any ServiceLifecycle.Service] = [server, duties, Loop { await worker.run() }, StartUpMemory()]
        if let parent = options.parent { services.append(ParentWatch(parent: parent)) }
        return services + parts.background
    }
}

/// A loop that runs until the service stops; it is then dropped where it is, for nothing it holds would be lost.
package struct Loop: ServiceLifecycle.Service {
    private let body: @Sendable () async throws -> Void

    package init(_ body: @escaping @Sendable () async throws -> Void) { self.body = body }

    package func run() async throws {
        try await untilShutdown { try await body() }
        // A service with nothing to do in this loop must not end the group.
        try? await gracefulShutdown()
    }
}

/// Drops `body` when the service is to stop; that is no failure, which would take the other parts down with it.
func untilShutdown(_ body: @escaping @Sendable () async throws -> Void) async throws {
    do {
        try await cancelWhenGracefulShutdown { try await body() }
    } catch is CancellationError where Task.isShuttingDownGracefully {
        return
    }
}
