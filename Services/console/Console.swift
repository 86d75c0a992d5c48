import ArgumentParser
import Bus
import Foundation
import Messages
import ServiceKit
import Store

/// The read model of everything, its API, and the door for what people ask for.
package struct ConsoleCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "console", abstract: "Keeps a read model of the suite and answers /api/v1.")

    @OptionGroup var options: ServiceOptions

    package init() {}

    package func run() async throws {
        let settings = try Settings(environment: ProcessInfo.processInfo.environment)
        try await Service.run(.console, options: options, migrate: ConsoleStore.migrate) { context in
            try await AdminToken.ensure(at: context.paths.tokens + "/admin", in: context.store)
            let health = SuiteHealth(context: context, doors: settings.doors)
            let logs = SuiteLogs(bus: context.bus)
            context.metrics.collect { [paths = context.paths] metrics in
                BackupFigures.add(BackupStatus.read(paths), to: metrics)
            }
            let api = API(
                store: context.store, artifacts: context.artifacts, hosts: HostRule(further: settings.hosts),
                logger: context.logger, health: { await health.look() },
                publish: { [bus = context.bus] event, actor in
                    try await bus.request(
                        "publish", to: Source.ingest.name, params: ["actor": .string(actor)], body: [event],
                        timeout: .seconds(10))
                },
                logs: { await logs.look() }, backups: { [paths = context.paths] in BackupStatus.read(paths) },
                references: { [bus = context.bus] in try await SuiteReferences(bus: bus).all() })
            let export = settings.otlp.map {
                TraceExport(url: $0, secrets: context.secrets, logger: context.logger)
            }
            return ServiceParts(
                subscriptions: Source.all,
                handle: { event, transaction in
                    try Projection.take(event.envelope, at: event.position, in: transaction.db)
                    if export != nil { try TraceExport.note(event.envelope, in: transaction) }
                    // Now and then is enough: the limit is one of space.
                    if event.position.seq % 500 == 0 {
                        try Projection.forget(keeping: settings.keptEvents, in: transaction.db)
                    }
                },
                effects: export.map { [TraceExport.kind: $0.effect] } ?? [:], routes: { api.add(to: $0) },
                onFork: .goOn,
                forget: { transaction in try Projection.forgetOver(at: transaction.now, in: transaction.db) })
        }
    }
}
