import EventLog
import Foundation
import GRDB
import Messages
import ServiceKit
import Store
import Testing

@testable import Console

struct TokenTellingTests {
    private func told(_ store: StateStore) async throws -> [Envelope] {
        let head = try await store.head(of: .console)
        return try await store.records(of: .console, epoch: head.epoch, after: 0, limit: 100, maxBytes: 1 << 20)
            .map { try Wire.decode(Envelope.self, from: $0.body) }
    }

    @Test func `services are told of every token, by its digest alone, and of its end`() async throws {
        try await Desk.open { desk in
            let token = try #require(TokenText(try await desk.newToken("approver", email: "kim@example.org")))
            #expect(try await desk.ask("DELETE", "/api/v1/tokens/\(token.id)").status == 200)
            #expect(try await desk.ask("DELETE", "/api/v1/tokens/\(token.id)").status == 200)
            let told = try await told(desk.chronicle.store)
            let created = try told.compactMap { try $0.body(TokenCreated.self) }
            #expect(created.map(\.name) == ["admin", "kim"])
            let mine = try #require(created.last)
            #expect(mine.token == token.id && mine.role == "approver" && mine.groups == ["leads"])
            #expect(mine.email == "kim@example.org" && mine.digest.bytes == token.digest)
            #expect(try told.compactMap { try $0.body(TokenRevoked.self) } == [TokenRevoked(token: token.id)])
            #expect(told.last?.actor == "user:admin")
            #expect(!told.contains { "\($0)".contains(token.secret) })
        }
    }

    @Test func `tokens from before services were told are told of once, but for the revoked ones`() async throws {
        let chronicle = try Chronicle()
        let path = chronicle.folder + "/admin"
        try await AdminToken.ensure(at: path, in: chronicle.store)
        let (old, gone) = (TokenMint.mint(), TokenMint.mint())
        try await chronicle.store.write { transaction in
            for token in [old, gone] {
                try transaction.db.run(
                    "INSERT INTO tokens (id, name, role, groups_json, hash, created) VALUES (?, 'x', 'viewer', '[]', ?, '')",
                    [token.id, token.digest])
            }
            try transaction.db.run("UPDATE tokens SET revoked = 'x' WHERE id = ?", [gone.id])
        }
        for _ in 1...2 { try await AdminToken.ensure(at: path, in: chronicle.store) }
        let created = try await told(chronicle.store).compactMap { try $0.body(TokenCreated.self) }
        #expect(created.map(\.name) == ["admin", "x"] && created.last?.token == old.id)
    }

    @Test func `a token that is asked for again with the same key is made once, and the answer says which it was`()
        async throws
    {
        try await Desk.open { desk in
            func create(_ role: String, key: String) async throws -> (status: Int, json: JSONValue) {
                try await desk.ask(
                    "POST", "/api/v1/tokens", ["role": .string(role), "name": "ci"],
                    headers: [("Idempotency-Key", key)])
            }
            let first = try await create("viewer", key: "once")
            #expect(first.status == 201)
            let token = try #require(TokenText(first.json["token"]?.string ?? ""))
            for _ in 1...2 {
                let again = try await create("viewer", key: "once")
                #expect(again.status == 409 && again.json["token"] == nil)
                #expect(again.json["error"]?.string?.contains("\(token.id) ('ci')") == true)
                #expect(again.json["hint"]?.string?.contains("martlet tokens revoke \(token.id)") == true)
            }
            // Also once it is gone: what was asked for was done.
            #expect(try await desk.ask("GET", "/api/v1/whoami", token: token.text).status == 200)
            #expect(try await desk.ask("DELETE", "/api/v1/tokens/\(token.id)").status == 200)
            #expect(try await create("viewer", key: "once").status == 409)
            let created = try await told(desk.chronicle.store).compactMap { try $0.body(TokenCreated.self) }
            #expect(created.map(\.name) == ["admin", "ci"])
            #expect(try await create("viewer", key: "another").status == 201)
        }
    }

    @Test func `a key is for one request, be it a token or a command`() async throws {
        try await Desk.open { desk async throws in
            let repository: JSONValue = ["repository": "other", "url": "/srv/other"]
            func ask(_ path: String, _ body: JSONValue, key: String) async throws -> String {
                let answer = try await desk.ask("POST", "/api/v1" + path, body, headers: [("Idempotency-Key", key)])
                return "\(answer.status) \(answer.json["error"]?.string ?? "done")"
            }
            let used = "409 this Idempotency-Key was used for another request"
            #expect(try await ask("/tokens", ["role": "viewer"], key: "a") == "201 done")
            #expect(try await ask("/tokens", ["role": "operator"], key: "a") == used)
            #expect(try await ask("/repositories", repository, key: "a") == used)
            #expect(try await ask("/repositories", repository, key: "b") == "202 done")
            #expect(try await ask("/tokens", ["role": "viewer"], key: "b") == used)
        }
    }
}
