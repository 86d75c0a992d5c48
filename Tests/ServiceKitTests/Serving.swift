import Hummingbird
import Logging
import Messages
import ServiceKit
import Store

/// A door for operators on any free port; canceling the task closes it. Alone in its file because two libraries have an
/// `HTTPResponse`.
func serveSecret(store: StateStore, basic: Bool, logger: Logger) async throws -> (Task<Void, any Error>, port: Int) {
    let gate = TokenGate(store: store, hosts: HostRule(), hostsSetting: "MARTLET_X_HOSTS")
    let router = Router()
    router.get("/secret") { request, _ in
        try await answering(request, in: logger) {
            let person = try await gate.admit(request, role: .operator, basic: basic)
            return try Reply(["name": .string(person.name), "groups": .array(person.groups.map { .string($0) })])
                .response()
        }
    }
    let (ports, told) = AsyncStream.makeStream(of: Int.self)
    let application = Application(
        router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
        onServerRunning: { told.yield($0.localAddress?.port ?? 0) }, logger: logger)
    let server = Task { try await application.run() }
    var iterator = ports.makeAsyncIterator()
    return (server, await iterator.next() ?? 0)
}
