import Hummingbird
import Logging
import ServiceKit

/// A door with a route whose answer never comes; each request for it is told of. Alone in its file because two libraries
/// have an `HTTPResponse`.
func endlessDoor(addressFile: String, logger: Logger, arrived: @escaping @Sendable () -> Void) -> HealthServer {
    HealthServer(
        host: "127.0.0.1", port: 0, addressFile: addressFile, readiness: Readiness(), metrics: MetricsRegistry(),
        logger: logger,
        routes: { router in
            router.get("/endless") { _, _ -> String in
                arrived()
                try await Task.sleep(for: .seconds(600))
                return "never"
            }
        })
}
