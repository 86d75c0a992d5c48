import Foundation
import GRDB
import Messages
import Store

/// A token as it is stored: enough to recognise it, too little to use it.
struct StoredToken: Sendable, Hashable {
    var id: String
    var name: String
    var role: Role
    var groups: [String]
    var email: String?
    var hash: Data
}

extension Transaction {
    func insert(_ token: StoredToken) throws {
        try db.run(
            "INSERT INTO tokens (id, name, role, groups_json, email, hash, created) VALUES (?, ?, ?, ?, ?, ?, ?)",
            [token.id, token.name, token.role.rawValue, try jsonText(token.groups), token.email, token.hash, now.text])
    }

    /// `false` when there is no such token, or no longer.
    func revokeToken(_ id: String) throws -> Bool {
        try db.run("UPDATE tokens SET revoked = ? WHERE id = ? AND revoked IS NULL", [now.text, id])
        return db.changesCount > 0
    }
}

extension Database {
    /// A token that was not revoked.
    func token(_ id: String) throws -> StoredToken? {
        let row = try Row.fetchOne(
            cachedStatement(sql: "SELECT * FROM tokens WHERE id = ? AND revoked IS NULL"), arguments: [id])
        guard let row, let role = Role(rawValue: row["role"]) else { return nil }
        let groups: String = row["groups_json"]
        return StoredToken(
            id: row["id"], name: row["name"], role: role,
            groups: try Wire.decode([String].self, from: Data(groups.utf8)), email: row["email"], hash: row["hash"])
    }

    func tokens() throws -> [JSONValue] {
        try list("SELECT id, name, role, groups_json, email, created, revoked FROM tokens ORDER BY created")
    }
}

extension Transaction {
    /// Also a revoked one: a token that was taken away does not come back by itself.
    func knowsToken(_ id: String) throws -> Bool {
        try Bool.fetchOne(db, sql: "SELECT EXISTS (SELECT 1 FROM tokens WHERE id = ?)", arguments: [id]) ?? false
    }
}
