import Foundation
import Hummingbird
import Logging
import ServiceKit

@testable import TriggerService

/// Routes on any free port; canceling the task closes it. Alone in its file because two libraries have an `HTTPResponse`.
func serve(_ add: (Router<BasicRequestContext>) -> Void) async throws -> (server: Task<Void, any Error>, port: Int) {
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
