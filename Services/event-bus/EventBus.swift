import ArgumentParser
import Bus
import Foundation
import Logging
import Messages
import ServiceKit
import ServiceLifecycle

/// Passes events on and routes requests. It keeps nothing: after a restart everybody finds together again by sequence
/// numbers.
package struct EventBusCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "event-bus", abstract: "Carries the events and requests of all services.")

    @Option(help: "Name of this bus, where two run side by side.")
    var name = Source.eventBus.name

    @Option(help: "MiB of memory at which it ends, to be started again; attacks must not take the machine's.")
    var memoryLimit = 512

    @OptionGroup var options: ServiceOptions

    package init() {}

    package func validate() throws {
        if Source(checking: name) == nil { throw ValidationError("--name: '\(name)' is not [a-z0-9.-]{1,63}") }
        if memoryLimit < 64 { throw ValidationError("--memory-limit: take at least 64") }
    }

    package func run() async throws {
        let own = Source(stringLiteral: name)
        let logger = options.logger(own)
        let addresses = try options.busAddresses()
        guard let address = addresses.first, addresses.count == 1 else {
            throw BusError.address("an event-bus serves one address; start another one for the other")
        }
        let paths = options.paths
        try paths.prepare(for: own)
        ProcessLimits.raiseDescriptors()
        let metrics = MetricsRegistry()
        let server = try BusServer(address: address, keys: options.keyFolder, metrics: metrics, logger: logger)
        try await server.start()
        logger.info("the bus is open", metadata: ["address": "\(address)"])
        let door = HealthServer(
            host: options.host, port: options.port ?? 0, addressFile: paths.address(own),
            readiness: Readiness(), metrics: metrics, logger: logger)
        var services: [any ServiceLifecycle.Service] = [
            door, StartUpMemory(), Loop { if let problem = await server.failed() { throw problem } },
            Loop { try await ProcessLimits.watchMemory(limit: memoryLimit << 20) },
        ]
        if let parent = options.parent { services.append(ParentWatch(parent: parent)) }
        let group = Ending.group(
            of: services.map {
                .init(
                    service: $0, successTerminationBehavior: .gracefullyShutdownGroup,
                    failureTerminationBehavior: .cancelGroup)
            }, logger: logger)
        do {
            try await Ending.run(group, logger: logger)
        } catch {
            await server.stop()
            throw error
        }
        await server.stop()
    }
}
