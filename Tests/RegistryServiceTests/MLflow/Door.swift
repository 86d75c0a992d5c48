import Artifacts
import Foundation
import Hummingbird
import Logging
import Messages
import ServiceKit
import Serving
import Store

@testable import RegistryService

/// A registry with its MLflow door open on any free port; who comes in is an admin unless the test says otherwise.
final class Door: Sendable {
    let registry: Registry
    let port: Int
    let webhooks: WebhookSending
    let memory: CreateMemory
    private let server: Task<Void, any Error>

    struct Answer: Sendable {
        var status: Int
        var json: JSONValue
        var bytes: Data

        var code: String? { json["error_code"]?.string }
        var message: String { json["message"]?.string ?? "" }
    }

    static let ada = Caller(actor: Actor(name: "user:ada", groups: ["ml"]), name: "ada")

    /// - Parameter caller: who asks; by default Ada, whoever the request says it is.
    init(
        _ registry: Registry? = nil, reach: WebhookReach = .any,
        caller: @escaping @Sendable (Request, Need) async throws -> Caller = { _, _ in Door.ada }
    ) async throws {
        let registry = try registry ?? Registry()
        self.registry = registry
        var quiet = Logger(label: "test")
        quiet.logLevel = .critical
        let secrets = WebhookSecrets(path: registry.folder + "/webhooks.key")
        let webhooks = WebhookSending(store: registry.store, secrets: secrets, reach: reach)
        self.webhooks = webhooks
        let memory = CreateMemory(try AnsweringReplica(in: registry.folder + "/answering"))
        self.memory = memory
        let door = MLflowDoor(
            store: registry.store, artifacts: registry.artifacts, logger: quiet, webhooks: webhooks, admit: caller,
            memory: memory)
        (server, port) = try await serve { door.add(to: $0) }
    }

    deinit { server.cancel() }

    /// - Parameter path: below MLflow's root, or a whole one.
    func send(
        _ method: String, _ path: String, query: [(String, String)] = [], body: Data? = nil,
        headers: [(name: String, value: String)] = []
    ) async throws -> Answer {
        let whole = path.hasPrefix("/api/") ? path : "/api/2.0/mlflow" + path
        let asked = query.map { "\(Self.quoted($0.0))=\(Self.quoted($0.1))" }.joined(separator: "&")
        let url = "http://127.0.0.1:\(port)\(whole)" + (asked.isEmpty ? "" : "?" + asked)
        let answer = try await ask(method, url, headers: headers, body: body)
        return Answer(
            status: answer.status, json: (try? Wire.decode(JSONValue.self, from: answer.body)) ?? .null,
            bytes: answer.body)
    }

    func get(_ path: String, _ query: [(String, String)] = []) async throws -> Answer {
        try await send("GET", path, query: query)
    }

    func post(_ path: String, _ body: JSONValue) async throws -> Answer { try await json("POST", path, body) }

    func json(_ method: String, _ path: String, _ body: JSONValue) async throws -> Answer {
        try await send(
            method, path, body: try Wire.encode(body), headers: [(name: "Content-Type", value: "application/json")])
    }

    /// As Python's `quote_plus` does it.
    private static func quoted(_ text: String) -> String {
        let plain = CharacterSet(charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-~ ")
        return (text.addingPercentEncoding(withAllowedCharacters: plain) ?? text).replacingOccurrences(
            of: " ", with: "+")
    }

    // MARK: - What many tests need

    func run(_ experiment: String = "0") async throws -> String {
        try await post("/runs/create", ["experiment_id": .string(experiment), "start_time": 1]).json["run"]?["info"]?[
            "run_id"]?.string ?? ""
    }

    func put(_ path: String, _ text: String = "bytes") async throws {
        let answer = try await send(
            "PUT", "/api/2.0/mlflow-artifacts/artifacts/" + path, body: Data(text.utf8),
            headers: [(name: "Content-Type", value: "text/plain")])
        guard answer.status == 200 else { throw Refusal("PUT \(path): \(answer.status)") }
    }

    /// A model whose versions are really there: `versions` of them.
    func model(_ name: String, versions: Int = 1) async throws {
        let run = try await run()
        try await put("0/\(run)/artifacts/model/MLmodel")
        _ = try await post("/registered-models/create", ["name": .string(name)])
        for _ in 0..<versions {
            _ = try await post(
                "/model-versions/create",
                ["name": .string(name), "source": .string("runs:/\(run)/model"), "run_id": .string(run)])
        }
    }
}
