import EventLog
import Foundation
import GRDB
import HTTPClient
import Logging
import Messages
import ServiceKit
import Serving
import Store
import Testing

@testable import TriggerService

private let project = """
    martlet: 1
    project: demo
    pipelines:
      retrain:
        on: { event: { type: acme.data.arrived, where: { data.table: churn } } }
        jobs: { a: { steps: [ { id: s, run: "echo ${{ event.data.rows }} ${{ event.type }}" } ] } }
      after-merge:
        on: { event: { type: 'dev.cdevents.change.merged.*', where: { data.subject.content.repository.id: TestRepo/TestOrg } } }
        jobs: { a: { steps: [ { id: s, run: "true" } ] } }
      notes:
        on: { event: { type: change.release_published, where: { data.prerelease: false } } }
        jobs: { a: { steps: [ { id: s, run: "true" } ] } }
    """

/// The door of a service that has heard of one token.
private struct Door {
    let installation: Installation
    let url: String
    private let client = HTTPClient()
    private static let token = TokenText(id: "ab12", secret: "cd34")

    static func open(role: Role = .operator, _ body: (Door) async throws -> Void) async throws {
        let installation = try Installation()
        let upstream = try await Upstream(in: installation, project: project)
        try await installation.command(RepositoryAddRequested(repository: "demo", url: upstream.path))
        try await installation.look()
        let digest = try #require(Digest(bytes: token.digest))
        try await installation.store.write {
            try $0.apply(
                TokenCreated(token: token.id, name: "kim", role: role.rawValue, groups: [], digest: digest))
        }
        let gate = TokenGate(store: installation.store, hosts: HostRule(), hostsSetting: "X")
        let door = CloudEventsDoor(
            ingest: Ingest(store: installation.store, dispatcher: installation.dispatcher), gate: gate,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let (server, port) = try await serve { door.add(to: $0) }
        defer { server.cancel() }
        try await body(Door(installation: installation, url: "http://127.0.0.1:\(port)/events"))
    }

    func post(
        _ body: Data, _ type: String = "application/cloudevents+json", headers: [String: String] = [:],
        token: String = token.text
    ) async throws -> (status: Int, json: JSONValue) {
        let all = ["Content-Type": type, "Authorization": "Bearer \(token)"].merging(headers) { $1 }
        let response = try await client.send(
            HTTPRequest(
                method: "POST", url: url, headers: all.map { (name: $0.key, value: $0.value) }, body: body))
        return (response.status, (try? Wire.decode(JSONValue.self, from: response.body)) ?? .null)
    }

    func post(_ event: JSONValue, _ type: String = "application/cloudevents+json") async throws -> (
        status: Int, json: JSONValue
    ) { try await post(try Wire.encode(event), type) }

    func ingested() async throws -> [Envelope] { try await installation.envelopes(.ingest) }

    func runs() async throws -> [RunQueued] {
        try await installation.settle()
        return try await installation.published(RunQueued.self)
    }
}

private func arrived(_ id: String, table: String = "churn") -> JSONValue {
    [
        "specversion": "1.0", "id": .string(id), "source": "/acme/lake", "type": "acme.data.arrived",
        "data": ["table": .string(table), "rows": 7],
    ]
}

struct CloudEventsDoorTests {
    @Test func `structured: stored, answered with its place, and a cause of what listens to it`() async throws {
        try await Door.open { (door: Door) async throws in
            let answer = try await door.post(arrived("e1"))
            #expect(answer.status == 202 && answer.json["source"] == "ingest" && answer.json["seq"] == 1)
            let event = try #require(try await door.ingested().first)
            #expect(event.id == "e1" && event.actor == "user:kim")
            let runs = try await door.runs()
            #expect(runs.map(\.pipeline) == ["retrain"] && runs.first?.cause == "e1")
            #expect(runs.first?.git?.branch == "main")
        }
    }

    @Test func `the same event again is the same event; its id for another one is a conflict`() async throws {
        try await Door.open { (door: Door) async throws in
            for _ in 1...2 { #expect(try await door.post(arrived("e1")).json["seq"] == 1) }
            #expect(try await door.post(arrived("e1", table: "other")).status == 409)
            #expect(try await door.runs().count == 1)
        }
    }

    @Test func `binary: attributes in headers, percent-encoded and quoted`() async throws {
        try await Door.open { (door: Door) async throws in
            let headers = [
                "ce-specversion": "1.0", "ce-id": "\"e%201\"", "ce-source": "/acme/lake",
                "ce-type": "acme.data.arrived",
                "ce-subject": "Euro%20%E2%82%AC", "ce-time": "2030-01-31T12:00:00Z",
                "ce-knativearrivaltime": "2030-01-31T12:00:01Z", "ce-tracestate": "vendor=1",
            ]
            let answer = try await door.post(
                Data(#"{"table":"churn","rows":1}"#.utf8), "application/json", headers: headers)
            #expect(answer.status == 202)
            let event = try #require(try await door.ingested().first)
            #expect(event.id == "e 1" && event.subject == "Euro €" && event.data["rows"] == 1)
            #expect(event.time == Timestamp("2030-01-31T12:00:00Z"))
            #expect(event.extensions == ["knativearrivaltime": "2030-01-31T12:00:01Z", "tracestate": "vendor=1"])
            #expect(try await door.runs().count == 1)
        }
    }

    @Test func `a batch is taken whole or not at all`() async throws {
        try await Door.open { (door: Door) async throws in
            let type = "application/cloudevents-batch+json"
            let wrong = try await door.post([arrived("e1"), ["id": "e2"]], type)
            #expect(wrong.status == 400 && wrong.json["error"]?.string?.hasPrefix("event 1: ") == true)
            #expect(try await door.ingested().isEmpty)
            let right = try await door.post([arrived("e1"), arrived("e2", table: "other")], type)
            #expect(right.status == 202 && right.json["items"]?.array?.compactMap { $0["id"] } == ["e1", "e2"])
            #expect(try await door.post([arrived("e3"), arrived("e1", table: "x")], type).status == 409)
            #expect(try await door.ingested().count == 2)
            #expect(try await door.post(.array((0...100).map { arrived("m\($0)") }), type).status == 413)
            // The verdict on the one that does not fit.
            _ = try await door.runs()
            let ignored = try await door.installation.published(TriggerIgnored.self).filter { $0.cause == "e2" }
            #expect(ignored.filter { $0.pipeline == "retrain" }.map(\.code) == ["event_filter"], "\(ignored)")
        }
    }

    @Test func `CDEvents are taken as they are, of every type and version`() async throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Fixtures/cdevents")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".json") }
        try #require(files.count == 45)
        try await Door.open { (door: Door) async throws in
            for file in files.sorted() {
                var event = try Wire.decode(
                    JSONValue.self, from: try Data(contentsOf: folder.appendingPathComponent(file)))
                // The examples share an id.
                event = event.replacing("context", (event["context"] ?? [:]).replacing("id", .string(file)))
                let answer = try await door.post(event, "application/json")
                #expect(answer.status == 202, "\(file): \(answer.json)")
            }
            let types = try await door.ingested().map(\.type)
            #expect(types.count == 45 && types.contains("dev.cdevents.artifact.published.0.3.0"))
            #expect(types.allSatisfy { $0.hasPrefix("dev.cdevents.") })
            #expect(try await door.runs().map(\.pipeline) == ["after-merge"])
        }
    }

    @Test func `who has no token, or only sees, publishes nothing`() async throws {
        try await Door.open { (door: Door) async throws in
            #expect(try await door.post(Wire.encode(arrived("e1")), token: "mlt_ab12_00").status == 401)
        }
        try await Door.open(role: .viewer) { (door: Door) async throws in
            #expect(try await door.post(arrived("e1")).status == 403)
            #expect(try await door.ingested().isEmpty)
        }
    }

    @Test(arguments: [
        ("{", "application/cloudevents+json", 400, "byte 1"), ("{}", "application/json", 400, "no event"),
        ("{}", "application/cloudevents+avro", 400, "cloudevents+json is"),
        ("{}", "application/cloudevents+json", 400, "'id'"),
        ("{}", "application/cloudevents-batch+json", 400, "a batch"),
    ]) func `what is no event is refused with what would be one`(
        body: String, type: String, status: Int, words: String
    ) async throws {
        try await Door.open { (door: Door) async throws in
            let answer = try await door.post(Data(body.utf8), type)
            #expect(answer.status == status && answer.json["error"]?.string?.contains(words) == true, "\(answer.json)")
        }
    }

    @Test func `nobody may speak as Martlet, and large events belong into artifacts`() async throws {
        try await Door.open { (door: Door) async throws in
            let forged = arrived("e1").replacing("type", "dev.martlet.model.registered.v1")
            #expect(try await door.post(forged).status == 400)
            let large = arrived("e1").replacing("data", .string(String(repeating: "x", count: 49 << 10)))
            #expect(try await door.post(large).status == 413)
            let body = Data(String(repeating: " ", count: (1 << 20) + 1).utf8)
            #expect(try await door.post(body).status == 413)
        }
    }

    @Test func `the same id of two sources is two causes`() async throws {
        try await Door.open { (door: Door) async throws in
            _ = try await door.post(arrived("1"))
            _ = try await door.post(arrived("1").replacing("source", "/acme/pond"))
            #expect(try await door.runs().map(\.cause) == ["1", "/acme/pond#1"])
        }
    }

    @Test func `an event of the forge starts what listens to it`() async throws {
        try await Forgery.open(project: project) { forgery in
            let release = try Recorded.json("github/release.published.json")
            _ = try await forgery.github("release", release, id: "d1")
            try await forgery.installation.settle()
            let published = try #require(try await forgery.installation.published(ReleasePublished.self).first)
            #expect(published.tag == "0.0.1" && published.author == "Codertocat")
            #expect(try await forgery.installation.published(RunQueued.self).map(\.pipeline) == ["notes"])
        }
    }
}
