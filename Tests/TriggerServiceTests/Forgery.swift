import Crypto
import Foundation
import HTTPClient
import Logging
import Messages
import ServiceKit
import Serving
import Store
import Testing

@testable import TriggerService

/// A real repository and a forge in front of it: payloads are recorded ones, told of this repository's commits, and
/// signed as the forge signs.
struct Forgery {
    static let address = "https://github.com/Codertocat/Hello-World.git"

    let installation: Installation
    let upstream: Upstream
    let url: String
    let metrics: MetricsRegistry
    private let client = HTTPClient()

    static func open(
        project: String, forgeURL: String? = address, secrets: [String: String] = ["WEBHOOK_GITHUB": "s3cret"],
        ignoreForks: Bool? = false, environment: [String: String] = [:], _ body: (Forgery) async throws -> Void
    ) async throws {
        let installation = try Installation(environment: environment)
        let upstream = try await Upstream(in: installation, project: project)
        try await installation.command(
            RepositoryAddRequested(
                repository: "demo", url: upstream.path, forgeURL: forgeURL, ignoreForks: ignoreForks))
        try await installation.look()
        try await with(installation, upstream, secrets, body)
    }

    static func with(
        _ installation: Installation, _ upstream: Upstream, _ secrets: [String: String],
        _ body: (Forgery) async throws -> Void
    ) async throws {
        let paths = DataPaths(root: installation.folder + "/data")
        try FileManager.default.createDirectory(atPath: paths.secrets, withIntermediateDirectories: true)
        for (name, value) in secrets {
            try Data((value + "\n").utf8).write(to: URL(fileURLWithPath: "\(paths.secrets)/\(name)"))
        }
        let metrics = MetricsRegistry()
        let webhooks = Webhooks(
            store: installation.store, dispatcher: installation.dispatcher, secrets: Secrets(paths: paths),
            metrics: metrics, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            largest: 1 << 20)
        let (server, port) = try await serve { webhooks.add(to: $0) }
        defer { server.cancel() }
        try await body(
            Forgery(
                installation: installation, upstream: upstream, url: "http://127.0.0.1:\(port)/webhooks",
                metrics: metrics))
    }

    /// How many webhooks of a forge had this verdict.
    func counted(_ verdict: String, of forge: String = "github") async -> Int {
        let series = "martlet_webhooks_total{forge=\"\(forge)\",verdict=\"\(verdict)\"} "
        let line = await metrics.render().split(separator: "\n").first { $0.hasPrefix(series) }
        return line.flatMap { Double($0.dropFirst(series.count)) }.map { Int($0) } ?? 0
    }

    struct Answer {
        var status: Int
        var json: JSONValue
        var challenge: String?
    }

    func post(_ path: String, _ body: Data, _ headers: [String: String]) async throws -> Answer {
        let response = try await client.send(
            HTTPRequest(
                method: "POST", url: url + path,
                headers: headers.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) }, body: body))
        return Answer(
            status: response.status, json: (try? Wire.decode(JSONValue.self, from: response.body)) ?? .null,
            challenge: response.header("www-authenticate"))
    }

    /// As GitHub sends it.
    func github(
        _ event: String, _ payload: JSONValue, id: String, secret: String = "s3cret", path: String = "/github"
    ) async throws -> Answer {
        try await github(event, try Wire.encode(payload), id: id, secret: secret, path: path)
    }

    func github(
        _ event: String, _ body: Data, id: String, secret: String = "s3cret", path: String = "/github",
        type: String = "application/json"
    ) async throws -> Answer {
        try await post(
            path, body,
            [
                "X-GitHub-Event": event, "X-GitHub-Delivery": id, "Content-Type": type,
                "X-Hub-Signature-256": "sha256=" + Self.signature(body, secret),
            ])
    }

    static func signature(_ body: Data, _ secret: String) -> String {
        HMAC<SHA256>.authenticationCode(for: body, using: SymmetricKey(data: Data(secret.utf8)))
            .map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// GitHub's recorded push, of this repository's commits.
    func push(_ ref: String, _ after: String, before: String = String(repeating: "1", count: 40)) throws -> JSONValue {
        try Recorded.json("github/push.branch-with-files.json").replacing("ref", .string(ref))
            .replacing("before", .string(before)).replacing("after", .string(after))
    }

    /// GitHub's recorded pull request, of this repository's commits.
    func pullRequest(
        _ file: String = "pull_request.opened.json", number: Int = 2, sha: String, source: String = "changes",
        target: String = "main", fork: Bool = false
    ) throws -> JSONValue {
        let json = try Recorded.json("github/\(file)")
        let request = json["pull_request"] ?? [:]
        var head = (request["head"] ?? [:]).replacing("sha", .string(sha)).replacing("ref", .string(source))
        if fork { head = head.replacing("repo", (head["repo"] ?? [:]).replacing("full_name", "stranger/Hello-World")) }
        let base = (request["base"] ?? [:]).replacing("ref", .string(target))
        return json.replacing("number", .int(number)).replacing(
            "pull_request",
            request.replacing("head", head).replacing("base", base).replacing("number", .int(number)))
    }

    func comment(_ text: String, on number: Int) throws -> JSONValue {
        let repository = try Recorded.json("github/push.branch-with-files.json")["repository"] ?? .null
        return [
            "action": "created", "repository": repository,
            "issue": ["number": .int(number), "pull_request": ["url": "https://api.github.com/x"]],
            "comment": [
                "body": .string(text), "user": ["login": "Codertocat"], "author_association": "OWNER",
                "html_url": "https://github.com/Codertocat/Hello-World/pull/2#issuecomment-1",
            ],
        ]
    }

    /// What was held against a delivery.
    func verdicts(of delivery: String) async throws -> [TriggerIgnored] {
        try await installation.published(TriggerIgnored.self).filter { $0.cause == delivery }
    }

    func waiting() async throws -> Int {
        try await installation.store.read { db in
            try DeliveryQueries.waiting(for: "demo", in: db).count
        }
    }
}
