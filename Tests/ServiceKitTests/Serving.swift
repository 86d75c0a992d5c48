import Hummingbird
import Logging
import Messages
import ServiceKit
import Serving
import Store

/// A door for operators on any free port; canceling the task closes it. Alone in its file because two libraries have an
/// `HTTPResponse`.
func serveSecret(store: StateStore, basic: Bool, logger: Logger) async throws -> (Task<Void, any Error>, port: Int) {
    let gate = TokenGate(store: store, hosts: HostRule(), hostsSetting: "MARTLET_X_HOSTS")
    return try await serve { router in
        router.get("/secret") { request, _ in
            try await answering(request, in: logger) {
                let person = try await gate.admit(request, role: .operator, basic: basic)
                return try Reply(["name": .string(person.name), "groups": .array(person.groups.map { .string($0) })])
                    .response()
            }
        }
    }
}
