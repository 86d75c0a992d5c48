import ArgumentParser
import Bus
import Foundation
import Logging
import Messages
import ServiceKit
import ServiceLifecycle
import UnixSignals

/// Passes events on and routes requests. It keeps nothing: after a restart everybody finds together again by sequence
/// numbers.
@main
struct EventBusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "event-bus", abstract: "Carries the events and requests of all services.")

    @OptionGroup var options: ServiceOptions

    func run() async throws {
        let logger = options.logger(.eventBus)
        let address = try options.busAddress()
        let paths = options.paths
        try paths.prepare(for: .eventBus)
        let metrics = MetricsRegistry()
        let server = try BusServer(address: address, keys: options.keyFolder, metrics: metrics, logger: logger)
        try await server.start()
        logger.info("the bus is open", metadata: ["address": "\(address)"])
        let door = HealthServer(
            host: options.host, port: options.port ?? 0, addressFile: paths.address(.eventBus),
            readiness: Readiness(), metrics: metrics, logger: logger)
        var services: [any ServiceLifecycle.Service] = [
            door, StartUpMemory(), Loop { if let problem = await server.failed() { throw problem } },
        ]
        if let parent = options.parent { services.append(ParentWatch(parent: parent)) }
        let group = ServiceGroup(
            configuration: .init(
                services: services.map {
                    .init(
                        service: $0, successTerminationBehavior: .gracefullyShutdownGroup,
                        failureTerminationBehavior: .cancelGroup)
                },
                gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
        do {
            try await group.run()
        } catch {
            await server.stop()
            throw error
        }
        await server.stop()
    }
}
