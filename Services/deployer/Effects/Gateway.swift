import Foundation
import HTTPClient

/// Hands requests on to the version that serves; the address in front of it never changes.
struct Gateway: Sendable {
    let routes: RouteTable
    let client: HTTPClient
    let settings: Settings

    struct Request: Sendable {
        var method: String
        /// Below the endpoint, with the slash at its beginning and the query at its end.
        var path: String
        var headers: [(name: String, value: String)]
        var body: Data?
    }

    /// Meant for one connection only, or stated anew for the next one.
    private static let hopHeaders: Set<String> = [
        "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "trailers",
        "transfer-encoding", "upgrade", "host", "content-length", "expect",
    ]

    func forward(_ request: Request, to endpoint: String) async -> HTTPResponse {
        switch routes.begin(endpoint) {
        case .unknown(let known):
            let list = known.isEmpty ? "nothing has been deployed yet" : "there are: " + known.joined(separator: ", ")
            return Self.problem(404, "there is no endpoint '\(endpoint)'; \(list)")
        case .nothing:
            return Self.problem(503, "endpoint '\(endpoint)' serves nothing at the moment")
        case .backend(let backend):
            return await forward(request, to: endpoint, by: backend, isLastTry: false)
        }
    }

    private func forward(
        _ request: Request, to endpoint: String, by backend: RouteTable.Backend, isLastTry: Bool
    ) async -> HTTPResponse {
        let error: HTTPClientError
        do throws(HTTPClientError) {
            defer { routes.finished(backend) }
            return try await send(request, to: backend)
        } catch let thrown {
            error = thrown
        }
        switch error {
        case .refused, .lost:
            // Replaced, or started again elsewhere, while the request was on its way: the successor answers it.
            if !isLastTry, let successor = await successor(of: backend, at: endpoint) {
                return await forward(request, to: endpoint, by: successor, isLastTry: true)
            }
            return Self.problem(502, "version \(backend.version) of endpoint '\(endpoint)' does not answer")
        case .timeout:
            return Self.problem(504, "version \(backend.version) of endpoint '\(endpoint)' did not answer in time")
        case .tooLarge(let limit):
            return Self.problem(502, "the answer is longer than \(limit) bytes (MARTLET_DEPLOYER_MAX_BODY_BYTES)")
        case .canceled, .other:
            return Self.problem(502, "the request could not be handed on to version \(backend.version)")
        }
    }

    private func successor(of backend: RouteTable.Backend, at endpoint: String) async -> RouteTable.Backend? {
        try? await routes.load()
        guard case .backend(let now) = routes.begin(endpoint) else { return nil }
        if now.deployment != backend.deployment || now.port != backend.port { return now }
        routes.finished(now)
        return nil
    }

    private func send(
        _ request: Request, to backend: RouteTable.Backend
    ) async throws(HTTPClientError) -> HTTPResponse {
        var response = try await client.send(
            HTTPRequest(
                method: request.method, url: "http://127.0.0.1:\(backend.port)\(request.path)",
                headers: Self.endToEnd(request.headers), body: request.body, timeout: .seconds(settings.requestSeconds),
                maxResponseBytes: settings.maxBody))
        response.head.headers = Self.endToEnd(response.headers).filter { $0.name.lowercased() != "x-martlet-version" }
        response.head.headers.append(("x-martlet-version", String(backend.version)))
        return response
    }

    private static func endToEnd(_ headers: [(name: String, value: String)]) -> [(name: String, value: String)] {
        let named = headers.filter { $0.name.lowercased() == "connection" }
            .flatMap { $0.value.split(separator: ",") }
            .map { $0.trimmingCharacters(in: .whitespaces).lowercased() }
        let dropped = hopHeaders.union(named)
        return headers.filter { !dropped.contains($0.name.lowercased()) }
    }

    private static func problem(_ status: Int, _ message: String) -> HTTPResponse {
        let body = (try? JSONSerialization.data(withJSONObject: ["error": message], options: .withoutEscapingSlashes))
        return HTTPResponse(
            head: HTTPHead(status: status, headers: [("content-type", "application/json")]), body: body ?? Data())
    }
}
