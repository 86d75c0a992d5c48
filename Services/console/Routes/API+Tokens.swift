import Hummingbird
import Messages
import ServiceKit
import Store

extension API {
    func addTokens(_ routes: Routes) {
        routes.get("/tokens", .admin) { _ in
            Reply(["items": .array(try await store.read { db in try db.tokens() }), "next": .null])
        }
        routes.post("/tokens", .admin) { call in
            let role = try call.text("role")
            guard let role = Role(rawValue: role) else {
                throw Refusal(400, "'\(role)' is not a role", hint: "the roles are \(Role.list)")
            }
            let name = try call.optionalText("name", most: 200) ?? role.rawValue
            guard !name.isEmpty, name.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control }) else {
                throw Refusal(
                    400, "'name' is empty or holds control characters", hint: "give a plain name, or leave it out")
            }
            let groups = try call.texts("groups") ?? []
            let email = try call.optionalText("email", most: 254)
            guard email.map(Self.isAddress) ?? true else {
                throw Refusal(
                    400, "'email' is not an e-mail address",
                    hint: "write it as in the person's commits: kim@example.org")
            }
            let token = TokenMint.mint()
            let stored = TokenMint.stored(token, name: name, role: role, groups: groups, email: email)
            let actor = call.person.actor
            let idempotency = try call.idempotency()
            try await store.write { transaction in
                try transaction.insert(stored, by: actor, idempotency: idempotency)
            }
            return Reply(
                [
                    "id": .string(token.id), "name": .string(name), "role": .string(role.rawValue),
                    "groups": .array(groups.map { .string($0) }),
                    "email": email.map { .string($0) } ?? .null, "token": .string(token.text),
                ],
                status: .created)
        }
        routes.delete("/tokens/{id}", .admin) { call in
            let id = try call.path("id")
            guard id != call.person.token else {
                throw Refusal(409, "a token cannot revoke itself", hint: "use another admin token")
            }
            let actor = call.person.actor
            guard let repeated = try await store.write({ transaction in try transaction.revokeToken(id, by: actor) })
            else {
                throw Refusal(404, "no token '\(id)'", hint: "'martlet tokens list' shows what there is")
            }
            return Reply(["revoked": .string(id), "repeated": .bool(repeated)])
        }
    }

    /// Good enough to be compared with the addresses that commits have; nothing is ever sent there.
    static func isAddress(_ text: String) -> Bool {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        return parts.count == 2 && parts.allSatisfy { !$0.isEmpty }
            && text.unicodeScalars.allSatisfy {
                !$0.properties.isWhitespace && $0.properties.generalCategory != .control
            }
    }
}
