import Hummingbird
import Logging

/// Routes on any free port; canceling the task closes it.
///
/// A target of its own: every service with a door has tests that knock at it, and two libraries have an `HTTPResponse`.
package func serve(
    _ add: (Router<BasicRequestContext>) -> Void
) async throws -> (server: Task<Void, any Error>, port: Int) {
    let router = Router()
    add(router)
    var quiet = Logger(label: "test")
    quiet.logLevel = .critical
    let (ports, told) = AsyncStream.makeStream(of: Int.self)
    let application = Application(
        router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
        onServerRunning: { told.yield($0.localAddress?.port ?? 0) }, logger: quiet)
    let server = Task { try await application.run() }
    var iterator = ports.makeAsyncIterator()
    return (server, await iterator.next() ?? 0)
}
