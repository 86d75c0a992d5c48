import Foundation
import Hummingbird
import HummingbirdCore
import Logging
import Messages
import NIOCore
import ServiceLifecycle
import Synchronization

/// The HTTP door of a service: `/healthz`, `/readyz`, `/metrics`, and the routes it adds.
package struct HealthServer: ServiceLifecycle.Service {
    package let host: String
    package let port: Int
    /// Where the real port is written once the door is open.
    package let addressFile: String
    package let readiness: Readiness
    package let metrics: MetricsRegistry
    package let logger: Logger
    package let limits: DoorLimits
    package let routes: (@Sendable (Router<BasicRequestContext>) -> Void)?

    package init(
        host: String, port: Int, addressFile: String, readiness: Readiness, metrics: MetricsRegistry, logger: Logger,
        limits: DoorLimits = DoorLimits(), routes: (@Sendable (Router<BasicRequestContext>) -> Void)? = nil
    ) {
        self.host = host
        self.port = port
        self.addressFile = addressFile
        self.readiness = readiness
        self.metrics = metrics
        self.logger = logger
        self.limits = limits
        self.routes = routes
    }

    package func run() async throws {
        try? FileManager.default.removeItem(atPath: addressFile)
        metrics.collect { ProcessFigures.add(to: $0) }
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .warning)
        let application = Application(
            router: router(),
            // Longer than any long poll; a connection that sends nothing for so long is a forgotten or hostile one.
            server: .http1(
                configuration: .init(
                    additionalChannelHandlers: [
                        SlowRequestGuard(mostBytes: limits.requestBytes, grace: limits.grace), GivenBack(),
                    ],
                    idleTimeout: .seconds(75))),
            configuration: .init(
                address: .hostname(host, port: port), serverName: "martlet",
                availableConnectionsDelegate: MaximumAvailableConnections(limits.connections, logger: quiet)),
            onServerRunning: { [addressFile, host] channel in
                let address = ServiceAddress(
                    host: host, port: channel.localAddress?.port ?? 0, pid: ProcessInfo.processInfo.processIdentifier)
                do {
                    try address.write(to: addressFile)
                } catch {
                    logger.error("\(addressFile) could not be written: \(error)")
                }
            },
            logger: quiet
        )
        do {
            try await application.run()
        } catch let error as IOError where error.errnoCode == EADDRINUSE {
            throw PortInUse(host: host, port: port)
        } catch let error where Task.isCancelled && Task.isShuttingDownGracefully {
            // Its time to end was over: what was still open was dropped.
            logger.debug("the door was closed with requests open: \(error)")
        }
    }

    private func router() -> Router<BasicRequestContext> {
        let router = Router()
        router.get("/healthz") { _, _ in "ok\n" }
        router.get("/readyz") { [readiness] _, _ in
            let reasons = readiness.reasons
            let lines = (reasons.isEmpty ? ["ready"] : reasons) + readiness.notes
            return Response(
                status: reasons.isEmpty ? .ok : .serviceUnavailable, headers: [.contentType: "text/plain"],
                body: .init(byteBuffer: ByteBuffer(string: lines.joined(separator: "\n") + "\n")))
        }
        router.get("/metrics") { [metrics] _, _ in
            Response(
                status: .ok, headers: [.contentType: "text/plain; version=0.0.4"],
                body: .init(byteBuffer: ByteBuffer(string: await metrics.render())))
        }
        routes?(router)
        return router
    }
}

/// What one HTTP door bears.
package struct DoorLimits: Sendable, Hashable {
    /// Open at once; whoever comes after them waits in the kernel's queue.
    package var connections: Int
    /// Bytes that are read of one request, with its head.
    package var requestBytes: Int
    /// How long a client has to begin and, with what it sends, to go on.
    package var grace: Duration

    /// - Parameter body: the largest body that a route takes.
    package init(connections: Int = 512, body: Int = 1 << 20, grace: Duration = .seconds(10)) {
        self.connections = connections
        // Room for the head, and for a client that says too much to hear that it did.
        requestBytes = 2 * body + (1 << 20)
        self.grace = grace
    }
}

/// Why a service is not ready yet, or not any more.
package final class Readiness: Sendable {
    private let missing: Mutex<[String: String]>
    private let trouble: @Sendable () -> [String]
    private let remarks: @Sendable () -> [String]

    /// - Parameters:
    ///   - trouble: what keeps the service from working at the moment, looked at each time it is asked.
    ///   - notes: what an operator should see, though the service works.
    package init(
        waitingFor parts: [String: String] = [:], trouble: @escaping @Sendable () -> [String] = { [] },
        notes: @escaping @Sendable () -> [String] = { [] }
    ) {
        missing = Mutex(parts)
        self.trouble = trouble
        remarks = notes
    }

    package func reached(_ part: String) { missing.withLock { $0[part] = nil } }
    package func lost(_ part: String, _ reason: String) { missing.withLock { $0[part] = reason } }
    package var reasons: [String] {
        let parts = missing.withLock { $0.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" } }
        return parts + trouble()
    }
    package var notes: [String] { remarks() }
}

package struct PortInUse: Error, CustomStringConvertible {
    package let host: String
    package let port: Int

    package var description: String {
        "port \(port) on \(host) is in use by another program; stop that one or choose another with --port"
    }
}
