import EventLog
import Foundation
import HTTPClient
import Logging
import Messages
import Store
import Synchronization
import Testing

@testable import ServiceKit

/// A door of a service that knows tokens by what the console told of them.
private struct Door {
    let inbox: Inbox
    let store: StateStore
    let url: String
    private let client = HTTPClient()

    static func open(basic: Bool = false, _ body: (Door) async throws -> Void) async throws {
        let folder = NSTemporaryDirectory() + "martlet-gate-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let store = try StateStore.open(path: folder + "/state.sqlite", source: .notifier) { _ in }
        var quiet = Logger(label: "test")
        quiet.logLevel = .critical
        let (server, port) = try await serveSecret(store: store, basic: basic, logger: quiet)
        defer { server.cancel() }
        let inbox = Inbox(
            source: .notifier, store: store, handle: { _, _ in }, positions: PositionTracker(followed: [.console]),
            retries: WakeSignal(), metrics: MetricsRegistry(), logger: quiet, canceled: { _ in })
        try await body(Door(inbox: inbox, store: store, url: "http://127.0.0.1:\(port)/secret"))
    }

    func ask(_ authorization: String?, host: String? = nil) async throws -> HTTPResponse {
        var headers: [(name: String, value: String)] = authorization.map { [("Authorization", $0)] } ?? []
        if let host { headers.append(("Host", host)) }
        return try await client.send(HTTPRequest(url: url, headers: headers))
    }

    /// The console's log says so.
    func hear<Body: EventBody>(_ body: Body, from source: Source = .console) async throws {
        let cursor = try await store.cursor(for: source)
        let envelope = Envelope(
            id: UUID().uuidString, source: "/martlet/\(source)", type: Body.eventType, subject: "token/x",
            time: Timestamp(milliseconds: 0), partitionkey: "token", causation: .first(actor: "user:ada"),
            data: try Wire.decode(JSONValue.self, from: Wire.encode(body)))
        try await inbox.apply([
            LogRecord(
                source: source, epoch: 1, seq: (cursor?.seq ?? 0) + 1,
                prev: cursor?.chain ?? Chain.start(of: source, epoch: 1, parent: nil),
                topic: "e/\(source)/\(envelope.type)", body: try Wire.encode(envelope))
        ])
    }
}

private let token = TokenText(id: "ab12", secret: "cd34")

private func created(_ role: Role) throws -> TokenCreated {
    let digest = try #require(Digest(bytes: token.digest))
    return TokenCreated(token: token.id, name: "kim", role: role.rawValue, groups: ["leads"], digest: digest)
}

private func basic(_ text: String) -> String { "Basic " + Data(text.utf8).base64EncodedString() }

struct TokenGateTests {
    @Test func `a token that the console told of opens a door, and no more once it is revoked`() async throws {
        try await Door.open { door in
            #expect(try await door.ask("Bearer \(token.text)").status == 401)
            try await door.hear(try created(.operator))
            let answer = try await door.ask("Bearer \(token.text)")
            #expect(answer.status == 200)
            #expect(try Wire.decode(JSONValue.self, from: answer.body) == ["name": "kim", "groups": ["leads"]])
            try await door.hear(TokenRevoked(token: token.id))
            #expect(try await door.ask("Bearer \(token.text)").status == 401)
        }
    }

    @Test func `without a valid token it is 401, with the way to ask`() async throws {
        try await Door.open { door in
            try await door.hear(try created(.admin))
            let wrong = [
                nil, "", "Bearer", "Bearer mlt_ab12_cd35", "Bearer mlt_ab13_cd34", "Bearer mlt_ab12_", token.text,
                basic("kim:\(token.text)"),
            ]
            for header in wrong {
                let answer = try await door.ask(header)
                #expect(answer.status == 401, "\(header ?? "none")")
                #expect(answer.header("www-authenticate") == "Bearer realm=\"Martlet\"")
                #expect(String(decoding: answer.body, as: UTF8.self).contains("hint"))
            }
        }
    }

    @Test func `a door for clients that know nothing else takes the token as password, whatever the name`() async throws
    {
        try await Door.open(basic: true) { door in
            try await door.hear(try created(.operator))
            #expect(try await door.ask(basic("kim:\(token.text)")).status == 200)
            #expect(try await door.ask(basic(":\(token.text)")).status == 200)
            #expect(try await door.ask("Bearer \(token.text)").status == 200)
            let unknown = try await door.ask(basic("kim:\(token.text)0"))
            #expect(unknown.status == 401 && unknown.header("www-authenticate")?.hasPrefix("Basic ") == true)
        }
    }

    @Test(arguments: Role.allCases) func `too small a role is 403 and names the one that is needed`(role: Role)
        async throws
    {
        try await Door.open { door in
            try await door.hear(try created(role))
            let answer = try await door.ask("Bearer \(token.text)")
            #expect(answer.status == (role < .operator ? 403 : 200))
            if role < .operator {
                #expect(String(decoding: answer.body, as: UTF8.self).contains("this needs operator"))
            }
        }
    }

    @Test func `nobody but the console says whose token opens a door`() async throws {
        try await Door.open { door in
            try await door.hear(try created(.admin), from: .ingest)
            #expect(try await door.ask("Bearer \(token.text)").status == 401)
        }
    }

    @Test func `a door answers under its own names only`() async throws {
        try await Door.open { door in
            try await door.hear(try created(.operator))
            let answer = try await door.ask("Bearer \(token.text)", host: "evil.example")
            #expect(answer.status == 403 && String(decoding: answer.body, as: UTF8.self).contains("MARTLET_X_HOSTS"))
        }
    }
}

struct TokenTextTests {
    @Test func `a token's text reads back, and nothing else does`() {
        #expect(TokenText(token.text) == token)
        for text in ["", "mlt_", "mlt_a", "mlt_a_", "mlt__b", "mlt_a_b_c", "xyz_a_b", "mlt_a_b c", "mlt_ä_b"] {
            #expect(TokenText(text) == nil, "\(text)")
        }
        #expect(TokenText.bearer("Bearer \(token.text)") == token)
        #expect(TokenText.bearer("bearer  \(token.text) ") == token)
        #expect(TokenText.bearer(token.text) == nil)
        #expect(TokenText.bearer(nil) == nil)
    }

    @Test func `a token as password is found whatever the name, and nothing else is`() {
        #expect(TokenText.password(basic("kim:\(token.text)")) == token)
        #expect(TokenText.password(basic(":\(token.text)")) == token)
        for wrong in [
            basic(token.text), basic("kim:"), "Basic ???", "Bearer \(token.text)", basic("a:b:\(token.text)"),
        ] {
            #expect(TokenText.password(wrong) == nil)
        }
    }

    @Test func `secrets are compared whole`() {
        #expect(equalInConstantTime([1, 2, 3] as [UInt8], [1, 2, 3] as [UInt8]))
        #expect(!equalInConstantTime([1, 2, 3] as [UInt8], [1, 2, 4] as [UInt8]))
        #expect(!equalInConstantTime([1, 2, 3] as [UInt8], [1, 2] as [UInt8]))
    }

    @Test func `each role may do what the ones before it may`() {
        #expect(Role.allCases == Role.allCases.sorted())
        #expect(Role.viewer < .admin)
    }
}
