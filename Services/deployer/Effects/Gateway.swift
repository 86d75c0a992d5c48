import Foundation
import HTTPClient
import ServiceKit
import ServiceLifecycle

/// Hands requests on to the version that serves; the address in front of it never changes.
struct Gateway: Sendable {
    let routes: RouteTable
    let client: HTTPClient
    let settings: Settings
    let metrics: MetricsRegistry
    /// Where other replicas reach this gateway; `nil` where all share one machine.
    var ownHome: @Sendable () -> String? = { nil }

    struct Request: Sendable {
        var method: String
        /// Below the endpoint, with the slash at its beginning and the query at its end.
        var path: String
        var headers: [(name: String, value: String)]
        var body: Data?

        /// By another replica, which does the waiting.
        var isPassedOn: Bool { headers.contains { $0.name.lowercased() == Gateway.passedOn } }
    }

    /// Meant for one connection only, or stated anew for the next one.
    private static let hopHeaders: Set<String> = [
        "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "trailers",
        "transfer-encoding", "upgrade", "host", "content-length", "expect", passedOn, GivenBack.mark,
    ]

    /// While a version's process is being started again, requests wait for it instead of failing. They do not wait at a
    /// replica that ends, and which would be held up by them.
    func forward(_ request: Request, to endpoint: String) async -> HTTPResponse {
        let deadline = ContinuousClock.now.advanced(by: .seconds(settings.holdSeconds))
        var (pause, sendings) = (Duration.milliseconds(20), 0)
        while true {
            let trouble: HTTPResponse
            switch routes.begin(endpoint) {
            case .unknown(let known):
                let list =
                    known.isEmpty ? "nothing has been deployed yet" : "there are: \(known.joined(separator: ", "))"
                return Self.problem(404, "there is no endpoint '\(endpoint)'; \(list)")
            case .nothing:
                return Self.problem(503, "endpoint '\(endpoint)' serves nothing at the moment")
            case .down(let backend):
                trouble = Self.problem(503, "\(backend.name(at: endpoint)) is being started again")
            case .backend(let backend):
                switch await attempt(request, at: endpoint, by: backend) {
                case .answered(let response): return response
                case .refused:
                    trouble = Self.problem(503, "\(backend.name(at: endpoint)) cannot be reached")
                case .lost:
                    sendings += 1
                    trouble = Self.problem(502, "\(backend.name(at: endpoint)) does not answer")
                }
                if request.isPassedOn || sendings > 1 { return trouble }
                try? await routes.load()
            }
            if request.isPassedOn { return trouble }
            if Task.isShuttingDownGracefully { return Self.givenBack }
            guard ContinuousClock.now.advanced(by: pause) < deadline, (try? await Task.sleep(for: pause)) != nil
            else { return trouble }
            pause = min(pause * 2, .milliseconds(250))
        }
    }

    private enum Attempt: Sendable {
        case answered(HTTPResponse)
        /// It never left: replaced, or being started again elsewhere.
        case refused
        /// The connection broke while the request was under way; the successor answers it, but no third one.
        case lost
    }

    private func attempt(_ request: Request, at endpoint: String, by backend: RouteTable.Backend) async -> Attempt {
        let began = ContinuousClock.now
        // What another replica is handed it counts itself, where the process runs.
        let isOwn = backend.home.map { $0 == ownHome() } ?? true
        func observe(_ status: Int) {
            if isOwn { count(status, endpoint, backend, .now - began) }
        }
        do throws(HTTPClientError) {
            defer { routes.finished(backend) }
            if let home = backend.home, !isOwn {
                // Two that each take the other for its home would send a request around for ever.
                guard !request.isPassedOn else { return .refused }
                return try await passOn(request, to: "\(home)/endpoints/\(endpoint)")
            }
            let response = try await send(request, to: backend)
            observe(response.status)
            return .answered(response)
        } catch {
            switch error {
            case .refused: return .refused
            case .lost:
                observe(502)
                return .lost
            case .timeout:
                observe(504)
                return .answered(
                    Self.problem(504, "\(backend.name(at: endpoint)) did not answer in time"))
            case .tooLarge(let limit):
                return .answered(
                    Self.problem(502, "the answer is longer than \(limit) bytes (MARTLET_DEPLOYER_MAX_BODY_BYTES)"))
            case .canceled, .other:
                return .answered(
                    Self.problem(502, "the request could not be handed on to version \(backend.version)"))
            }
        }
    }

    /// To the gateway of the replica in whose container the process runs.
    private func passOn(_ request: Request, to endpoint: String) async throws(HTTPClientError) -> Attempt {
        let answer: HTTPResponse
        do throws(HTTPClientError) {
            answer = try await client.send(
                HTTPRequest(
                    method: request.method, url: endpoint + request.path,
                    headers: Self.endToEnd(request.headers) + [("host", "localhost"), (Self.passedOn, "1")],
                    body: request.body, timeout: .seconds(settings.requestSeconds), connectTimeout: .seconds(1),
                    maxResponseBytes: settings.maxBody))
        } catch .timeout {
            // A container that is gone answers nobody's knock. A request that it had taken gets no second try.
            throw .refused("the replica that serves it")
        }
        // Its own word, no version's: it has lost the process just now, and this replica sees where it goes on.
        guard answer.header(Self.version) == nil else { return .answered(answer) }
        switch answer.status {
        case 502: return .lost
        case 503: return .refused
        default: return .answered(answer)
        }
    }

    /// Each time that a version is asked, one that does not answer too.
    private func count(_ status: Int, _ endpoint: String, _ backend: RouteTable.Backend, _ time: Duration) {
        metrics.observe(
            "martlet_gateway_request_duration_seconds",
            "How long versions took to answer, by endpoint, version and status.",
            labels: [("endpoint", endpoint), ("version", String(backend.version)), ("code", String(status))], time)
    }

    /// Marks what came from a replica of ours.
    static let passedOn = "x-martlet-passed-on"
    /// Names the version that gave the answer.
    static let version = "x-martlet-version"

    private func send(
        _ request: Request, to backend: RouteTable.Backend
    ) async throws(HTTPClientError) -> HTTPResponse {
        var response = try await client.send(
            HTTPRequest(
                method: request.method, url: "http://127.0.0.1:\(backend.port)\(request.path)",
                headers: Self.endToEnd(request.headers), body: request.body, timeout: .seconds(settings.requestSeconds),
                maxResponseBytes: settings.maxBody))
        response.head.headers = Self.endToEnd(response.headers).filter { $0.name.lowercased() != Self.version }
        response.head.headers.append((Self.version, String(backend.version)))
        return response
    }

    private static func endToEnd(_ headers: [(name: String, value: String)]) -> [(name: String, value: String)] {
        let named = headers.filter { $0.name.lowercased() == "connection" }
            .flatMap { $0.value.split(separator: ",") }
            .map { $0.trimmingCharacters(in: .whitespaces).lowercased() }
        let dropped = hopHeaders.union(named)
        return headers.filter { !dropped.contains($0.name.lowercased()) }
    }

    /// No answer: the connection is closed, and the front asks a replica that stays.
    private static let givenBack = HTTPResponse(
        head: HTTPHead(status: 503, headers: [(GivenBack.mark, "1")]), body: Data())

    private static func problem(_ status: Int, _ message: String) -> HTTPResponse {
        let body = (try? JSONSerialization.data(withJSONObject: ["error": message], options: .withoutEscapingSlashes))
        return HTTPResponse(
            head: HTTPHead(status: status, headers: [("content-type", "application/json")]), body: body ?? Data())
    }
}

extension RouteTable.Backend {
    fileprivate func name(at endpoint: String) -> String { "version \(version) of endpoint '\(endpoint)'" }
}
