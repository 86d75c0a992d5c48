import Foundation
import HTTPTypes
import Hummingbird
import Logging
import Messages
import NIOCore
import ServiceKit
import Store

/// Lets in who may come in, reads what they say, and answers every failure as `{error, hint}`.
struct Gate: Sendable {
    typealias Handler = @Sendable (Call) async throws -> Reply

    static let maxBody = 1 << 20

    let tokens: TokenGate
    private let store: StateStore
    let logger: Logger

    init(store: StateStore, hosts: HostRule, logger: Logger) {
        // Its own table and not what it has told others: a token counts from the moment that it is handed out.
        tokens = TokenGate(hosts: hosts, hostsSetting: "MARTLET_CONSOLE_HOSTS") { id in
            try await store.read { db in try db.token(id) }
        }
        self.store = store
        self.logger = logger
    }

    func answer(
        _ request: Request, _ parameters: Parameters, role: Role, handler: Handler
    ) async throws -> Response {
        try await answering(request, in: logger) {
            let person = try await tokens.admit(request, role: role)
            let body = try await body(of: request)
            let call = Call(person: person, body: body, request: request, parameters: parameters)
            do {
                return try await handler(call).response()
            } catch let refusal as Refusal {
                // What it names may be gone, or have ended, by what it asked for when it was said before.
                guard let command = try await accepted(call, request) else { throw refusal }
                return try Reply(command).response()
            }
        }
    }

    /// The command that this very request was when it came before.
    private func accepted(_ call: Call, _ request: Request) async throws -> AcceptedCommand? {
        guard request.method != .get, let key = try? call.idempotency() else { return nil }
        let written = try call.written()
        return try await store.read { db in try db.accepted(idempotency: key, written: written) }
    }

    private func body(of request: Request) async throws -> JSONValue {
        guard request.method != .get else { return .object([:]) }
        let bytes: Data
        do {
            bytes = Data(try await request.body.collect(upTo: Self.maxBody).readableBytesView)
        } catch {
            throw Refusal(413, "the body is longer than \(Self.maxBody) bytes", hint: "send less")
        }
        guard !bytes.isEmpty else { return .object([:]) }
        guard let value = try? Wire.decode(JSONValue.self, from: bytes), value.object != nil else {
            throw Refusal(400, "the body is not a JSON object", hint: "send Content-Type application/json and {…}")
        }
        return value
    }
}

/// Routes under `/api/v1`, each with the role that it needs.
struct Routes {
    let router: Router<BasicRequestContext>
    let gate: Gate

    func get(_ path: String, _ role: Role = .viewer, _ handler: @escaping Gate.Handler) {
        on(path, .get, role, handler)
    }

    func post(_ path: String, _ role: Role, _ handler: @escaping Gate.Handler) { on(path, .post, role, handler) }

    func delete(_ path: String, _ role: Role, _ handler: @escaping Gate.Handler) { on(path, .delete, role, handler) }

    private func on(
        _ path: String, _ method: HTTPRequest.Method, _ role: Role, _ handler: @escaping Gate.Handler
    ) {
        router.on(RouterPath("/api/v1" + path), method: method) { [gate] request, context in
            try await gate.answer(request, context.parameters, role: role, handler: handler)
        }
    }
}
