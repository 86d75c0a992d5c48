import Logging
import ServiceLifecycle
import UnixSignals

/// How a process ends when it is told to: soon, whatever still goes on in it.
package enum Ending {
    /// How long parts have to end by themselves. `martlet up` kills after seven seconds (a bus, which
    /// nobody speaks to any more then, after two), a container's engine later.
    package static let time = Duration.seconds(6)

    /// The parts of a process, which SIGTERM and SIGINT end one after the other, the last one first.
    ///
    /// - Parameter time: when it is over, what has not ended yet is canceled.
    package static func group(
        of parts: [ServiceGroupConfiguration.ServiceConfiguration], within time: Duration = Ending.time, logger: Logger
    ) -> ServiceGroup {
        var configuration = ServiceGroupConfiguration(
            services: parts, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        configuration.maximumGracefulShutdownDuration = time
        return ServiceGroup(configuration: configuration)
    }

    /// Runs until the group has ended.
    ///
    /// - Throws: what a part failed with; that the time to end was over is no failure.
    package static func run(_ group: ServiceGroup, logger: Logger) async throws {
        do {
            try await group.run()
        } catch is CancellationError where !Task.isCancelled {
            // Only the group cancels its parts, and when one fails it throws what that one failed with.
            logger.notice("what did not end in time was dropped")
        }
    }
}
