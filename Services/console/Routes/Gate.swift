import ServiceKit
import Crypto
import Foundation
import GRDB
import HTTPTypes
import Hummingbird
import Logging
import Messages
import NIOCore
import Store

/// Lets in who may come in, and answers every failure as `{error, hint}`.
struct Gate: Sendable {
    typealias Handler = @Sendable (Call) async throws -> Reply

    static let maxBody = 1 << 20
    /// Path and query.
    static let mostAddressBytes = 8192

    let store: StateStore
    let hosts: HostRule
    let logger: Logger

    func answer(
        _ request: Request, _ parameters: Parameters, role: Role, handler: Handler
    ) async throws -> Response {
        do {
            let person = try await admit(request, role: role)
            let body = try await body(of: request)
            let call = Call(person: person, body: body, request: request, parameters: parameters)
            return try await handler(call).response()
        } catch let refusal as Refusal {
            return try Reply(refusal).response()
        } catch let error as DatabaseError where error.resultCode == .SQLITE_FULL {
            return try Reply(
                Refusal(503, "the disk is full: nothing was accepted", hint: "make room and ask again")
            ).response()
        } catch is CancellationError {
            return try Reply(Refusal(503, "the console is stopping", hint: "ask again in a moment")).response()
        } catch {
            logger.error("\(request.method) \(request.uri.path): \(error)")
            return try Reply(
                Refusal(500, "the console could not answer: \(error)", hint: "its log has more; ask again later")
            ).response()
        }
    }

    /// - Parameter atPage: a browser asks, which knows only a name and a password. Elsewhere that is not taken: browsers
    ///   send it along with whatever a foreign page makes them ask for.
    @discardableResult
    func admit(_ request: Request, role: Role, atPage: Bool = false) async throws -> Person {
        if let objection = hosts.objection(host: request.head.authority, origin: request.headers[.origin]) {
            throw Refusal(403, objection, hint: "use localhost, or add the name to MARTLET_CONSOLE_HOSTS")
        }
        guard request.uri.string.utf8.count <= Self.mostAddressBytes else {
            throw Refusal(
                414, "path and query are longer than \(Self.mostAddressBytes) bytes",
                hint: "names and ids are short; a command's texts belong into the body")
        }
        let person = try await identify(request, atPage: atPage)
        guard person.role >= role else {
            throw Refusal(
                403, "the token '\(person.name)' has the role \(person.role); this needs \(role)",
                hint: "ask an admin for 'martlet tokens create --role \(role)'")
        }
        return person
    }

    private func identify(_ request: Request, atPage: Bool) async throws -> Person {
        let unknown = Refusal(
            401, "this needs a valid token",
            hint: "send 'Authorization: Bearer <token>'; on this machine the admin token is in <data>/tokens/admin")
        let header = request.headers[.authorization]
        guard let token = TokenText.bearer(header) ?? (atPage ? TokenText.password(header) : nil) else { throw unknown }
        let stored = try await store.read { db in try db.token(token.id) }
        let hash = TokenMint.hash(token)
        // An unknown id is compared as well, so that it takes as long.
        let matches = equalInConstantTime(hash, stored?.hash ?? Data(count: 32))
        guard let stored, matches else { throw unknown }
        return Person(
            token: stored.id, name: stored.name, role: stored.role, groups: stored.groups, email: stored.email)
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
