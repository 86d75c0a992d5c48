import ArgumentParser
import Foundation
import Messages
import ServiceKit
import Store

/// What the program `trigger-service` does.
package struct TriggerServiceCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "trigger-service",
        abstract: "Watches repositories, decides what starts, and sequences runs, steps and approvals.",
        subcommands: [PlanCommand.self])

    @OptionGroup var options: ServiceOptions

    package init() {}

    package func run() async throws {
        let settings = try Settings(environment: ProcessInfo.processInfo.environment)
        try await Service.run(.triggerService, options: options, logs: [.ingest], migrate: TriggerStore.migrate) {
            context in
            try await Self.parts(context, settings)
        }
    }

    /// Everything wired and nothing started; tests build the same.
    static func parts(_ context: ServiceContext, _ settings: Settings) async throws -> ServiceParts {
        let variables = OperatorVariables(
            folder: context.paths.root + "/variables", environment: ProcessInfo.processInfo.environment)
        let figures = TriggerFigures(metrics: context.metrics, store: context.store, clock: context.clock)
        let dispatcher = Dispatcher(settings: settings, variables: variables, tell: { figures.note($0) })
        context.metrics.collect { _ in await figures.look() }
        let folder = context.paths.service(.triggerService)
        let mirrors = Mirrors(folder: folder + "/mirrors")
        let watcher = RepositoryWatcher(
            store: context.store, dispatcher: dispatcher, mirrors: mirrors, logger: context.logger)
        let reading = CommitReading(
            mirrors: mirrors, dispatcher: dispatcher, store: context.store, artifacts: context.artifacts,
            scratch: folder + "/scratch")
        let reminders = Reminders(
            dispatcher: dispatcher, watcher: watcher, store: context.store, logger: context.logger)
        let deliveries = DeliveryReading(store: context.store, dispatcher: dispatcher, mirrors: mirrors)
        let webhooks = Webhooks(
            store: context.store, dispatcher: dispatcher, secrets: context.secrets, metrics: context.metrics,
            logger: context.logger, largest: settings.webhookBytes)
        let ingest = Ingest(store: context.store, dispatcher: dispatcher)
        let events = CloudEventsDoor(
            ingest: ingest,
            gate: TokenGate(
                store: context.store, hosts: HostRule(further: settings.hosts), hostsSetting: "MARTLET_TRIGGER_HOSTS"),
            logger: context.logger)
        let sessions = Sessions(store: context.store, dispatcher: dispatcher, logger: context.logger)
        let requests = SessionRequests(sessions: sessions, store: context.store, dispatcher: dispatcher)
        let timer = ScheduleTimer(
            store: context.store, dispatcher: dispatcher, clock: context.clock, logger: context.logger)
        return ServiceParts(
            subscriptions: [.console, .registryService, .evaluator, .trainerProxy, .deployer],
            handle: Events(dispatcher: dispatcher).handle,
            effects: reading.effects.merging(reminders.effects) { $1 }.merging(deliveries.effects) { $1 },
            requests: requests.handlers.merging(ingest.handlers) { $1 },
            routes: { router in
                webhooks.add(to: router)
                events.add(to: router)
            }, door: DoorLimits(body: settings.webhookBytes),
            takeOver: {
                try await sessions.restore()
                try await context.store.write { try dispatcher.followStored($0) }
            },
            leading: [
                { await watcher.run() }, { await sessions.run() }, { await timer.run() }, { await reminders.run() },
            ],
            forget: { transaction in
                try transaction.forgetDeliveries()
                try transaction.forgetOldPublications()
            })
    }
}
