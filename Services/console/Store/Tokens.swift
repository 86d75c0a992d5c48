import Foundation
import GRDB
import Messages
import ServiceKit
import Store

extension Transaction {
    /// Stores a token and tells the services of it; once for each idempotency key.
    ///
    /// - Parameter idempotency: as a command's.
    /// - Throws: `Refusal` 409 when the key came before. The secret was told then, once, and only its digest is kept: it
    ///   cannot be told again, and another one in its place would end the first while somebody uses it.
    func insert(_ token: StoredToken, by actor: String, idempotency: String? = nil) throws {
        if let idempotency { try refuseRepeated(token, idempotency) }
        try db.run(
            """
            INSERT INTO tokens (id, name, role, groups_json, email, hash, created, told, idempotency)
            VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?)
            """,
            [
                token.id, token.name, token.role, try jsonText(token.groups), token.email, token.hash, now.text,
                idempotency,
            ])
        try tell(of: token, by: actor)
    }

    private func refuseRepeated(_ token: StoredToken, _ idempotency: String) throws {
        if try db.isCommand(idempotency: idempotency) { throw Refusal.usedKey }
        guard let made = try db.token(madeWith: idempotency) else { return }
        var same = token
        same.id = made.id
        same.hash = made.hash
        guard same == made else { throw Refusal.usedKey }
        throw Refusal(
            409,
            "this request has made the token \(made.id) ('\(made.name)') already; its secret was told once, and is not kept",
            hint: "where it did not arrive: 'martlet tokens revoke \(made.id)', then ask with a new Idempotency-Key")
    }

    /// Tells of tokens that were made before services were told of them; nothing is said twice.
    func tellOfOlderTokens() throws {
        let older = try Row.fetchAll(
            db.cachedStatement(sql: "SELECT * FROM tokens WHERE told = 0 AND revoked IS NULL ORDER BY created"))
        for token in try older.map(StoredToken.init(row:)) { try tell(of: token, by: "service:console") }
        try db.run("UPDATE tokens SET told = 1 WHERE told = 0", [])
    }

    private func tell(of token: StoredToken, by actor: String) throws {
        guard let digest = Digest(bytes: token.hash) else { return }
        try publish(
            TokenCreated(
                token: token.id, name: token.name, role: token.role, groups: token.groups, email: token.email,
                digest: digest),
            subject: "token/\(token.id)", key: "token/\(token.id)", because: .first(actor: actor))
    }

    /// Takes a token away; said again it changes nothing.
    ///
    /// - Returns: whether it had been said before; `nil` when there is no such token.
    func revokeToken(_ id: String, by actor: String) throws -> Bool? {
        try db.run("UPDATE tokens SET revoked = ? WHERE id = ? AND revoked IS NULL", [now.text, id])
        guard db.changesCount > 0 else { return try knowsToken(id) ? true : nil }
        try publish(
            TokenRevoked(token: id), subject: "token/\(id)", key: "token/\(id)", because: .first(actor: actor))
        return false
    }

    /// Also a revoked one: a token that was taken away does not come back by itself.
    func knowsToken(_ id: String) throws -> Bool {
        try Bool.fetchOne(db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM tokens WHERE id = ?)"), arguments: [id])
            ?? false
    }
}

extension StoredToken {
    fileprivate init(row: Row) throws {
        let groups: String = row["groups_json"]
        self.init(
            id: row["id"], name: row["name"], role: row["role"],
            groups: try Wire.decode([String].self, from: Data(groups.utf8)), email: row["email"], hash: row["hash"])
    }
}

extension Database {
    /// A token that was not revoked.
    func token(_ id: String) throws -> StoredToken? {
        try Row.fetchOne(
            cachedStatement(sql: "SELECT * FROM tokens WHERE id = ? AND revoked IS NULL"), arguments: [id]
        ).map(StoredToken.init(row:))
    }

    /// What was made with this key, also where it is revoked by now.
    func token(madeWith idempotency: String) throws -> StoredToken? {
        try Row.fetchOne(self, sql: "SELECT * FROM tokens WHERE idempotency = ?", arguments: [idempotency])
            .map(StoredToken.init(row:))
    }

    func tokens() throws -> [JSONValue] {
        try list("SELECT id, name, role, groups_json, email, created, revoked FROM tokens ORDER BY created")
    }
}
