import Artifacts
import Foundation
import GRDB
import HTTPTypes
import Hummingbird
import Logging
import Messages
import NIOCore
import ServiceKit
import Store

/// MLflow's REST API: its clients work unchanged once their tracking URI is this door's address.
struct MLflowDoor: Sendable {
    typealias Handler = @Sendable (MLflowCall) async throws -> Response

    let store: StateStore
    let artifacts: ArtifactStore
    let logger: Logger
    let webhooks: WebhookSending
    /// Lets in who may come in.
    let admit: @Sendable (Request, Need) async throws -> Caller
    /// Bytes of one artifact.
    var mostArtifactBytes: Int64 = 64 << 30
    /// What is being answered just now.
    let memory: CreateMemory

    static let root = "/api/2.0/mlflow"

    func add(to router: Router<BasicRequestContext>) {
        let routes = MLflowRoutes(router: router, door: self)
        addExperiments(routes)
        addRuns(routes)
        addMetrics(routes)
        addLoggedModels(routes)
        addModels(routes)
        addVersions(routes)
        addArtifacts(routes)
        addTraining(routes)
        addWebhooks(routes)
        routes.get("/api/3.0/mlflow/server-info", .reading) { _ in
            try Self.reply([
                "store_type": "SqlStore", "workspaces_enabled": false, "trace_archival_enabled": false,
                "multipart_uploads_enabled": false, "multipart_downloads_enabled": false,
                "presigned_upload_run_id_supported": false, "presigned_upload_model_id_supported": false,
            ])
        }
        routes.closeTheRest()
    }

    static func reply(_ value: JSONValue) throws -> Response {
        Response(
            status: .ok, headers: [.contentType: "application/json"],
            body: .init(byteBuffer: ByteBuffer(bytes: try Wire.encode(value))))
    }

    static let done = JSONValue.object([:])

    /// Answers a request, also when it cannot be done.
    func answer(_ request: Request, _ need: Need, _ body: (Caller) async throws -> Response) async -> Response {
        do {
            return try await body(try await admit(request, need))
        } catch let error as MLflowError {
            return Self.response(to: error)
        } catch let refusal as Refusal {
            return Self.response(to: .denied(refusal.reason))
        } catch let error as EventTooLarge {
            return Self.response(to: .invalid("This is longer than can be told: \(error); store it as an artifact"))
        } catch let error as DatabaseError where error.resultCode == .SQLITE_FULL {
            return Self.response(to: MLflowError(.unavailable, "The disk is full: nothing was stored"))
        } catch is CancellationError {
            return Self.response(to: MLflowError(.unavailable, "The service is stopping; ask again in a moment"))
        } catch {
            logger.error("\(request.method) \(request.uri.path): \(error)")
            return Self.response(to: MLflowError(.broken, "The registry could not answer: \(error)"))
        }
    }

    static func response(to error: MLflowError) -> Response {
        let body: JSONValue = [
            "error_code": .string(error.code.rawValue), "message": .string(error.message), "sqlstate": "KAM00",
            "error_class": .string(error.code == .missing ? "RESOURCE_NOT_FOUND" : error.code.rawValue),
        ]
        var headers: HTTPFields = [.contentType: "application/json"]
        if error.code == .unauthenticated {
            headers[.wwwAuthenticate] = "Basic realm=\"Martlet\", charset=\"UTF-8\", Bearer realm=\"Martlet\""
        }
        // MLflow's clients ask seven times more, each time after these seconds: who is behind has half a minute.
        if error.code == .unavailable { headers[.retryAfter] = "5" }
        return Response(
            status: .init(code: error.code.status), headers: headers,
            body: .init(byteBuffer: ByteBuffer(bytes: (try? Wire.encode(body)) ?? Data())))
    }

    // MARK: - The three ways to answer

    /// Looks something up.
    func read(_ body: @escaping @Sendable (Database) throws -> JSONValue) async throws -> Response {
        try Self.reply(try await store.read(body))
    }

    /// Changes something that may be sent again without harm.
    func write(_ body: @escaping @Sendable (Transaction) throws -> JSONValue) async throws -> Response {
        try Self.reply(try await store.write(body))
    }

    /// Makes something, once: a client sends the same request again when it did not get the answer.
    func create(
        _ call: MLflowCall, _ what: String, _ make: @escaping @Sendable (Transaction) throws -> JSONValue
    ) async throws -> Response {
        let request = Digest(of: Data("\(what)\n\(call.caller.actor.name)\n".utf8) + call.body).hex
        let forgotten = memory.takeDelivered()
        let delivery: Delivery
        do {
            delivery = try await store.write { [memory] tx in
                for old in forgotten { try tx.forget(answer: old.key, to: old.value) }
                return try Self.made(request, memory, make, tx)
            }
            memory.forget(forgotten)
        } catch {
            memory.putBack(forgotten)
            throw error
        }
        let bytes = ByteBuffer(bytes: delivery.answer)
        return Response(
            status: .ok, headers: [.contentType: "application/json"],
            body: .init(contentLength: bytes.readableBytes) { [store] writer in
                do {
                    try await writer.write(bytes)
                    try await writer.finish(nil)
                } catch {
                    try? await store.write { tx in try tx.disown(answer: delivery.answer, to: request) }
                    throw error
                }
                delivery.succeeded()
            })
    }

    private static func made(
        _ request: String, _ memory: CreateMemory, _ make: (Transaction) throws -> JSONValue, _ tx: Transaction
    ) throws -> Delivery {
        let horizon = tx.now.milliseconds - CreatedQueries.window
        if let made = try CreatedQueries.made(for: request, after: horizon, tx.db), memory.isLost(made) {
            try tx.remember(answer: made.answer, to: request, by: memory.owner)
            return Delivery(made.answer, to: request, memory)
        }
        let answer = try Wire.encode(make(tx))
        try tx.remember(answer: answer, to: request, by: memory.owner)
        return Delivery(answer, to: request, memory)
    }
}

/// Adds routes, each with what it needs, and answers all other paths as MLflow's server does.
final class MLflowRoutes {
    private let router: Router<BasicRequestContext>
    let door: MLflowDoor
    private var prefixes: Set<String> = []
    /// Prefixes that any name may follow.
    private var named: Set<String> = []
    private var taken: [String: Set<String>] = [:]

    init(router: Router<BasicRequestContext>, door: MLflowDoor) {
        self.router = router
        self.door = door
    }

    func get(_ path: String, _ need: Need, _ handler: @escaping MLflowDoor.Handler) { on(.get, path, need, handler) }
    func post(_ path: String, _ need: Need, _ handler: @escaping MLflowDoor.Handler) { on(.post, path, need, handler) }
    func patch(_ path: String, _ need: Need, _ handler: @escaping MLflowDoor.Handler) {
        on(.patch, path, need, handler)
    }
    func delete(_ path: String, _ need: Need, _ handler: @escaping MLflowDoor.Handler) {
        on(.delete, path, need, handler)
    }

    /// A path below MLflow's root, or a whole one.
    private func on(
        _ method: HTTPTypes.HTTPRequest.Method, _ path: String, _ need: Need, _ handler: @escaping MLflowDoor.Handler
    ) {
        let whole = path.hasPrefix("/api/") ? path : MLflowDoor.root + path
        note(whole)
        taken[whole, default: []].insert(method.rawValue)
        router.on(RouterPath(whole), method: method) { [door] request, context in
            await door.answer(request, need) { caller in
                try await handler(try await Self.call(request, context.parameters, caller))
            }
        }
    }

    /// A route that reads its body itself.
    func raw(
        _ method: HTTPTypes.HTTPRequest.Method, _ path: String, _ need: Need,
        _ handler: @escaping @Sendable (Request, Caller) async throws -> Response
    ) {
        router.on(RouterPath(path), method: method) { [door] request, _ in
            await door.answer(request, need) { caller in try await handler(request, caller) }
        }
    }

    private func note(_ path: String) {
        var prefix = ""
        for part in path.split(separator: "/") {
            // Where any name fits, nothing else can.
            if part.hasPrefix("{") {
                prefixes.remove(prefix)
            } else if !named.contains(prefix) {
                prefixes.insert(prefix)
            }
            if part.hasPrefix("{") { named.insert(prefix) }
            prefix += "/" + part
        }
    }

    /// The router does not go back to a shorter prefix once a longer one fits.
    func closeTheRest() {
        let methods: [HTTPTypes.HTTPRequest.Method] = [.get, .post, .put, .delete, .patch]
        for (path, known) in taken {
            for method in methods where !known.contains(method.rawValue) {
                answer(RouterPath(path), method, with: .methodNotAllowed)
            }
        }
        for prefix in prefixes.sorted() where !prefix.isEmpty {
            for method in methods { answer(RouterPath(prefix + "/**"), method, with: .notFound) }
        }
    }

    /// As MLflow's server answers what it does not know; to whoever may come in.
    private func answer(
        _ path: RouterPath, _ method: HTTPTypes.HTTPRequest.Method, with status: HTTPTypes.HTTPResponse.Status
    ) {
        let page = "<!doctype html>\n<html lang=en>\n<title>\(status)</title>\n<h1>\(status.reasonPhrase)</h1>\n"
        router.on(path, method: method) { [door] request, _ in
            await door.answer(request, .reading) { _ in
                Response(
                    status: status, headers: [.contentType: "text/html; charset=utf-8"],
                    body: .init(byteBuffer: ByteBuffer(string: page)))
            }
        }
    }

    private static func call(_ request: Request, _ parameters: Parameters, _ caller: Caller) async throws -> MLflowCall
    {
        var parts: [String: String] = [:]
        for (name, value) in parameters {
            parts[String(name)] = value.removingPercentEncoding ?? String(value)
        }
        let query = request.uri.query.map { MLflowCall.fields(ofQuery: $0[...]) } ?? [:]
        guard request.method != .get else {
            return MLflowCall(caller: caller, fields: query, body: Data(), parts: parts)
        }
        let type = request.headers[.contentType]?.split(separator: ";").first?.trimmingCharacters(in: .whitespaces)
        let body = try await bytes(of: request)
        guard !body.isEmpty else { return MLflowCall(caller: caller, fields: query, body: body, parts: parts) }
        guard type?.lowercased() == "application/json" else {
            throw MLflowError.invalid("Bad Request. Content-Type must be one of ['application/json'].")
        }
        do {
            let fields = try Wire.decode([String: JSONValue].self, from: body)
            return MLflowCall(caller: caller, fields: fields, body: body, parts: parts)
        } catch DecodingError.dataCorrupted(let context) {
            throw MLflowError.invalid("The body is no JSON object: \(context.debugDescription)")
        }
    }

    private static func bytes(of request: Request) async throws -> Data {
        do {
            return Data((try await request.body.collect(upTo: Limits.json)).readableBytesView)
        } catch is NIOTooManyBytesError {
            throw MLflowError.invalid("The body is longer than \(Limits.json) bytes")
        }
    }
}
