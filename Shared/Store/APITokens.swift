import Foundation
import GRDB
import Messages

/// An API token as it is stored: enough to recognise it, too little to use it.
package struct StoredToken: Sendable, Hashable {
    package var id: String
    package var name: String
    package var role: String
    package var groups: [String]
    package var email: String?
    /// SHA-256 of its secret, 32 bytes.
    package var hash: Data

    package init(id: String, name: String, role: String, groups: [String], email: String? = nil, hash: Data) {
        self.id = id
        self.name = name
        self.role = role
        self.groups = groups
        self.email = email
        self.hash = hash
    }
}

/// The tokens that are valid, as the console has told of them: every service knows them, so that it may have a door.
package enum APITokens {
    package static func token(_ id: String, in db: Database) throws -> StoredToken? {
        let row = try Row.fetchOne(
            db.cachedStatement(sql: "SELECT * FROM api_token WHERE id = ?"), arguments: [id])
        guard let row else { return nil }
        let groups: Data = row["groups"]
        return StoredToken(
            id: row["id"], name: row["name"], role: row["role"], groups: try Wire.decode([String].self, from: groups),
            email: row["email"], hash: row["hash"])
    }

    /// Whether there is any.
    package static func areKnown(in db: Database) throws -> Bool {
        try Bool.fetchOne(db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM api_token)")) ?? false
    }
}

extension Transaction {
    package func apply(_ created: TokenCreated) throws {
        try db.cachedStatement(
            sql: """
                INSERT OR REPLACE INTO api_token (id, name, role, groups, email, hash) VALUES (?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: [
            created.token, created.name, created.role, try Wire.encode(created.groups), created.email,
            created.digest.bytes,
        ])
    }

    package func apply(_ revoked: TokenRevoked) throws {
        try db.cachedStatement(sql: "DELETE FROM api_token WHERE id = ?").execute(arguments: [revoked.token])
    }
}
