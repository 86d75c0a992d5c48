import Artifacts
import Bus
import EventLog
import Foundation
import GRDB
import Logging
import Messages
import ServiceLifecycle
import Store

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
        let slot = try await ReplicaSlot.take(in: paths.service(source), wanted: ReplicaSlot.wanted)
        let secrets = Secrets(paths: paths)
        let artifacts = try ArtifactSettings(secrets: secrets).store(paths)
        let store = try await open(source, logs, paths, migrate)
        let bus = try options.connection(source, logger: logger)
        try bus.start()
        let context = ServiceContext(
            source: source, store: store, bus: bus, artifacts: artifacts, secrets: secrets, paths: paths,
            logger: logger)
        let parts = try await makeParts(context)
        let group = Ending.group(
            of: try assemble(context, parts, options, logs, slot).map {
                .init(service: $0, successTerminationBehavior: .gracefullyShutdownGroup)
            }, logger: logger)
        try await Ending.run(group, logger: logger)
        await parts.ended()
        await bus.shutdown()
        try store.close()
    }

    /// One replica after the other: two that make the same tables at the same time would be in each other's way.
    static func open(
        _ source: Source, _ logs: [Source], _ paths: DataPaths, _ migrate: (inout DatabaseMigrator) -> Void
    ) async throws -> StateStore {
        var lock = try LeaderLock.acquire(path: paths.service(source) + "/opening.lock")
        while lock == nil {
            try await Task.sleep(for: .milliseconds(20))
            lock = try LeaderLock.acquire(path: paths.service(source) + "/opening.lock")
        }
        defer { withExtendedLifetime(lock) {} }
        let store = try StateStore.open(path: paths.database(source), source: source, logs: logs, migrate: migrate)
        try await store.markIfNew([source] + logs, paths.logMark(source))
        return store
    }

    private static func assemble(
        _ context: ServiceContext, _ parts: ServiceParts, _ options: ServiceOptions, _ logs: [Source],
        _ slot: ReplicaSlot
    ) throws -> [any ServiceLifecycle.Service] {
        let (duties, worker, noteOthersCommit) = try core(
            context, parts, worker: options.worker ?? slot.worker(of: context.source),
            slots: options.slots ?? parts.slots, logs)
        let server = HealthServer(
            host: options.host, port: options.port ?? 0,
            addressFile: context.paths.address(context.source, replica: slot.number),
            readiness: duties.readiness, metrics: context.metrics, logger: context.logger, limits: parts.door,
            routes: parts.routes)
        let replicas = ReplicaWatch(
            slot: slot, path: context.store.path, logger: context.logger, onCommit: noteOthersCommit)
        var services: [any ServiceLifecycle.Service] = [
            server, duties, Loop { await worker.run() }, Loop { await replicas.run() }, StartUpMemory(),
        ]
        if let parent = options.parent { services.append(ParentWatch(parent: parent)) }
        if parts.asksForTokens {
            duties.readiness.lost("tokens", "the console has not told of any yet")
            services.append(Loop { try await awaitTokens(context.store, duties.readiness) })
        }
        return services + parts.background
    }

    /// What there is of every service beside its door and its own loops.
    /// - Returns: also what to do when another replica has committed.
    static func core(
        _ context: ServiceContext, _ parts: ServiceParts, worker name: String, slots: Int, _ logs: [Source]
    ) throws -> (duties: LeaderDuties, worker: StepWorker, noteOthersCommit: @Sendable () async -> Void) {
        let works = !parts.verbs.isEmpty
        let followed = Set(parts.subscriptions + [.console] + (works ? [.triggerService] : []))
        let positions = PositionTracker(followed: followed)
        let worker = StepWorker(
            verbs: parts.verbs, name: name, slots: slots, context: context, positions: positions)
        let (retries, intents) = (WakeSignal(), WakeSignal())
        let owned = [context.source] + logs
        let halted = HaltBoard()
        let inbox = Inbox(
            source: context.source, owned: owned, onFork: parts.onFork, halted: halted, store: context.store,
            handle: parts.handle, positions: positions, retries: retries,
            metrics: context.metrics, logger: context.logger,
            canceled: { await worker.cancel($0.item) })
        let publisher = Publisher(
            bus: context.bus, reader: context.store, sources: owned, logger: context.logger)
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
            waitingFor: ["leader": "the service is starting"],
            trouble: {
                [context.store.trouble].compactMap(\.self) + context.bus.problems + publisher.refusals.values.sorted()
            },
            notes: { halted.notes })
        let subscriber = Subscriber(
            bus: context.bus, sources: followed.sorted { $0.name < $1.name }, follower: inbox, logger: context.logger,
            onSilent: inbox.noteSilence)
        context.metrics.collect { [store = context.store] metrics in
            await StandingFigures(store: store, owned: owned, publisher: publisher, subscriber: subscriber).add(
                to: metrics)
            metrics.set("martlet_steps_held", "Steps in work here.", to: Double(await worker.count))
        }
        let report = LogReport(source: context.source, store: context.store, owned: owned, followed: followed)
        let references = ReferenceReport(store: context.store)
        var requests = parts.requests
        requests[LogReport.method] = { _ in
            do { return .ok(try await report.answer()) } catch { return .refused(503, "\(error)") }
        }
        requests[ReferenceReport.method] = { await references.answer($0) }
        let duties = LeaderDuties(
            context: context, lockPath: context.paths.leaderLock(context.source), publisher: publisher,
            subscriber: subscriber,
            retrier: ParkedRetrier(
                inbox: inbox, store: context.store, clock: context.clock, signal: retries, logger: context.logger),
            effects: EffectRunner(
                effects: parts.effects, store: context.store, clock: context.clock, signal: intents,
                logger: context.logger),
            readiness: readiness, retention: try LogSettings().retention, logs: owned, noteHalts: inbox.noteHalts,
            takeOver: parts.takeOver, requests: requests, leading: parts.leading, forget: parts.forget)
        return (
            duties, worker,
            {
                publisher.wake()
                intents.wake()
                retries.wake()
                for (log, place) in (try? await context.store.cursors()) ?? [:] {
                    await positions.reached(log, epoch: place.epoch, seq: place.seq)
                }
                await parts.onOthersCommit()
            }
        )
    }
}

/// Whoever is told that a service is ready must not be turned away with a token that is valid.
private func awaitTokens(_ store: StateStore, _ readiness: Readiness) async throws {
    while try await !store.read({ db in try APITokens.areKnown(in: db) }) {
        try await Task.sleep(for: .milliseconds(20))
    }
    readiness.reached("tokens")
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
