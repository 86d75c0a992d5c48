import Foundation
import GRDB
import HTTPClient
import HTTPTypes
import Hummingbird
import Messages
import NIOCore
import ServiceKit
import Store

/// `/endpoints` lists them, `/endpoints/<name>/…` is handed on to the version that serves.
struct GatewayRoutes: Sendable {
    let parts: DeployerParts

    func add(to router: Router<BasicRequestContext>) {
        let gateway = Gateway(
            routes: parts.routes, client: parts.client, settings: parts.settings, metrics: parts.context.metrics,
            ownHome: parts.home)
        router.get("/endpoints") { [parts] request, _ in
            if let refused = Self.refusal(request, parts.hosts) { return refused }
            let list = try await parts.context.store.read { [addresses = parts.addresses] db in
                try EndpointList(db, addresses)
            }
            return Response(
                status: .ok, headers: [.contentType: "application/json"],
                body: .init(byteBuffer: ByteBuffer(bytes: try Wire.encode(list))))
        }
        let methods: [HTTPTypes.HTTPRequest.Method] = [.get, .head, .post, .put, .patch, .delete, .options]
        for method in methods {
            for path in ["/endpoints/:name", "/endpoints/:name/**"] as [RouterPath] {
                router.on(path, method: method) { [settings = parts.settings, hosts = parts.hosts] request, context in
                    if let refused = Self.refusal(request, hosts) { return refused }
                    let name = try context.parameters.require("name")
                    return try await Self.forward(request, to: name, by: gateway, settings)
                }
            }
        }
    }

    /// The answer to whoever came by a foreign name or from a foreign page; `nil` for everybody else.
    private static func refusal(_ request: Request, _ hosts: HostRule) -> Response? {
        guard let objection = hosts.objection(host: request.head.authority, origin: request.headers[.origin]) else {
            return nil
        }
        let answer: JSONValue = [
            "error": .string(objection), "hint": "use localhost, or set MARTLET_DEPLOYER_URL to the gateway's address",
        ]
        return Response(
            status: .forbidden, headers: [.contentType: "application/json"],
            body: .init(byteBuffer: ByteBuffer(bytes: (try? Wire.encode(answer)) ?? Data())))
    }

    private static func forward(
        _ request: Request, to name: String, by gateway: Gateway, _ settings: Settings
    ) async throws -> Response {
        var request = request
        let body = try await request.collectBody(upTo: settings.maxBody)
        let answer = await gateway.forward(
            Gateway.Request(
                method: request.method.rawValue, path: below(request.head.path ?? "/"),
                headers: request.headers.map { ($0.name.rawName, $0.value) },
                body: body.readableBytes > 0 ? Data(body.readableBytesView) : nil),
            to: name)
        var headers = HTTPFields()
        for (name, value) in answer.headers {
            if let field = HTTPField.Name(name) { headers.append(HTTPField(name: field, value: value)) }
        }
        return Response(
            status: .init(code: answer.status), headers: headers,
            body: .init(byteBuffer: ByteBuffer(bytes: answer.body)))
    }

    /// `/endpoints/api/score?x=1` is `/score?x=1` for the version; still encoded as the client wrote it.
    static func below(_ path: String) -> String {
        let cut = path.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: true)
        if cut.count > 2 { return "/" + cut[2] }
        let query = cut.last.flatMap { part in part.firstIndex(of: "?").map { String(part[$0...]) } }
        return "/" + (query ?? "")
    }
}

/// What `/endpoints` answers.
struct EndpointList: Codable, Sendable, Hashable {
    struct Entry: Codable, Sendable, Hashable {
        var name: String
        var project: String
        var target: String
        var model: String
        var version: Int?
        var deployment: String?
        var state: String
        var url: String
        var scoringURL: String?
    }

    var endpoints: [Entry]

    init(_ db: Database, _ addresses: EndpointAddresses) throws {
        endpoints = try RolloutQueries.endpoints(db).map { endpoint in
            let rollout = try RolloutQueries.rollout(of: endpoint.name, db)
            let serving = rollout.serving
            return Entry(
                name: endpoint.name, project: endpoint.project, target: endpoint.target, model: endpoint.model,
                version: serving?.version, deployment: serving?.id, state: rollout.state.rawValue,
                url: addresses.base(endpoint.name),
                scoringURL: serving.map { addresses.scoring(endpoint.name, $0.recipe.target.score) })
        }
    }
}
