import Artifacts
import Bus
import Foundation
import HTTPClient
import Logging
import Messages
import ServiceKit
import Serving
import Store
import Synchronization

@testable import Console

/// The API on a real port, with the chronicle's read model behind it.
struct Desk {
    let chronicle: Chronicle
    let artifacts: ArtifactStore
    let caller: Caller
    let published: Published

    var token: String { caller.token }

    static func open(_ body: (Desk) async throws -> Void) async throws {
        let chronicle = try Chronicle()
        let artifacts = ArtifactStore(root: chronicle.folder + "/artifacts")
        let published = Published()
        let api = API(
            store: chronicle.store, artifacts: artifacts, hosts: HostRule(), logger: Logger(label: "test"),
            health: { [["name": "console", "state": "ready"]] },
            publish: { event, actor in published.take(event, actor) })
        try await AdminToken.ensure(at: chronicle.folder + "/admin", in: chronicle.store)
        let token = try String(contentsOfFile: chronicle.folder + "/admin", encoding: .utf8)
        let (server, port) = try await serve { api.add(to: $0) }
        defer { server.cancel() }
        try await body(
            Desk(
                chronicle: chronicle, artifacts: artifacts,
                caller: Caller(
                    url: "http://127.0.0.1:\(port)", token: token.trimmingCharacters(in: .whitespacesAndNewlines)),
                published: published))
    }

    func ask(
        _ method: String, _ path: String, _ body: JSONValue? = nil, token: String? = nil,
        headers: [(name: String, value: String)] = []
    ) async throws -> (status: Int, json: JSONValue) {
        try await caller.ask(method, path, body, token: token, headers: headers)
    }

    func get(_ path: String) async throws -> JSONValue { try await caller.get(path) }

    func newToken(_ role: String, email: String? = nil) async throws -> String {
        let answer = try await ask(
            "POST", "/api/v1/tokens",
            [
                "role": .string(role), "name": "kim", "groups": ["leads"],
                "email": email.map { .string($0) } ?? .null,
            ])
        return answer.json["token"]?.string ?? ""
    }
}

/// Somebody who asks, from any task.
struct Caller: Sendable {
    let url: String
    let token: String
    private let client = HTTPClient()

    init(url: String, token: String) {
        self.url = url
        self.token = token
    }

    func ask(
        _ method: String, _ path: String, _ body: JSONValue? = nil, token: String? = nil,
        headers: [(name: String, value: String)] = []
    ) async throws -> (status: Int, json: JSONValue) {
        let response = try await client.send(
            HTTPRequest(
                method: method, url: url + path,
                headers: [("Authorization", "Bearer \(token ?? self.token)")] + headers,
                body: try body.map { try Wire.encode($0) }))
        return (response.status, (try? Wire.decode(JSONValue.self, from: response.body)) ?? .null)
    }

    func get(_ path: String) async throws -> JSONValue { try await ask("GET", "/api/v1" + path).json }
}

/// What was handed to the log `ingest`, which is another service's.
final class Published: Sendable {
    private let events = Mutex<[(event: JSONValue, actor: String)]>([])

    var all: [(event: JSONValue, actor: String)] { events.withLock { $0 } }

    func take(_ event: Data, _ actor: String) -> BusReply {
        guard let event = try? Wire.decode(JSONValue.self, from: event), event["id"]?.string != nil else {
            return .refused(400, "the attribute 'id' is missing")
        }
        return events.withLock { events in
            events.append((event, actor))
            return .ok(["source": "ingest", "epoch": 1, "seq": .int(events.count)])
        }
    }
}
