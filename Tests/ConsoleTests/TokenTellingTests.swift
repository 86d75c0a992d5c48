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
}
