import Foundation
import GRDB
import Messages
import Store

/// A watched repository.
struct Repository: Sendable, Hashable {
    var name: String
    var url: String
    var poll: Duration
    /// Patterns of the branches that count; empty: all.
    var branches: [String] = []
    var defaultBranch: String?
    /// It was read at least once.
    var seen = false
    /// Its tags were.
    var tagsSeen = false
    var hook = Hook()
    /// Pull requests of forks start nothing.
    var ignoresForks = false
    var failures = 0
    var reason: String?
    /// The chain that began with the wish to watch it.
    var because: Causation

    /// It is known what was there before it was watched: from here on it is told what is new.
    var isRead: Bool { seen && tagsSeen }

    /// What its webhooks are known by.
    struct Hook: Sendable, Hashable {
        /// `nil`: any.
        var forge: Forge?
        /// Under which its forge names it; `nil`: the one that it is read from.
        var address: String?
        /// A secret's name; `nil`: the forge's common one.
        var secret: String?
    }
}

extension Repository {
    fileprivate init(row: Row) throws {
        let poll: Int64 = row["poll_milliseconds"]
        self.init(
            name: row["name"], url: row["url"], poll: .milliseconds(poll),
            branches: try row.decodeIfPresent([String].self, "branches") ?? [], defaultBranch: row["default_branch"],
            seen: row["seen"], tagsSeen: row["tags_seen"],
            hook: Hook(
                forge: (row["forge"] as String?).flatMap(Forge.init), address: row["forge_url"],
                secret: row["webhook_secret"]),
            ignoresForks: row["ignore_forks"], failures: row["failures"], reason: row["reason"],
            because: try row.decode(Causation.self, "cause"))
    }
}

extension Transaction {
    func insert(_ repository: Repository) throws {
        let (seconds, attoseconds) = repository.poll.components
        try db.cachedStatement(
            sql: """
                INSERT INTO repository (name, url, poll_milliseconds, branches, cause, added) VALUES (?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: [
            repository.name, repository.url, seconds * 1000 + attoseconds / 1_000_000_000_000_000,
            try Wire.encode(repository.branches), try Wire.encode(repository.because), now.milliseconds,
        ])
        try setHook(of: repository)
    }

    /// How its webhooks are recognised, and what forks may.
    func setHook(of repository: Repository) throws {
        try db.cachedStatement(
            sql: """
                UPDATE repository SET forge = ?, forge_url = ?, webhook_secret = ?, ignore_forks = ? WHERE name = ?
                """
        ).execute(arguments: [
            repository.hook.forge?.rawValue, repository.hook.address, repository.hook.secret,
            repository.ignoresForks, repository.name,
        ])
    }

    func repository(_ name: String) throws -> Repository? { try RepositoryQueries.repository(name, in: db) }

    /// Branches stand again where they stood when the same repository was removed: a commit that was looked at once
    /// starts nothing again.
    func restoreHeads(of repository: Repository) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO head (repository, branch, sha)
                SELECT repository, branch, sha FROM last_head WHERE repository = ? AND url = ?
                """
        ).execute(arguments: [repository.name, repository.url])
        try db.cachedStatement(sql: "DELETE FROM last_head WHERE repository = ?").execute(arguments: [repository.name])
    }

    func deleteRepository(_ name: String) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO last_head (repository, url, branch, sha)
                SELECT r.name, r.url, h.branch, h.sha FROM head h JOIN repository r ON r.name = h.repository
                WHERE r.name = ?
                """
        ).execute(arguments: [name])
        try db.cachedStatement(sql: "DELETE FROM repository WHERE name = ?").execute(arguments: [name])
    }

    func update(_ repository: Repository, nextAttempt: Timestamp?) throws {
        try db.cachedStatement(
            sql: """
                UPDATE repository SET default_branch = ?, seen = ?, tags_seen = ?, failures = ?, reason = ?, next_attempt = ?
                WHERE name = ?
                """
        ).execute(arguments: [
            repository.defaultBranch, repository.seen, repository.tagsSeen, repository.failures, repository.reason,
            nextAttempt?.milliseconds, repository.name,
        ])
    }

    func heads(of repository: String) throws -> [String: String] { try RepositoryQueries.heads(of: repository, in: db) }

    func head(of repository: String, branch: String) throws -> String? {
        try String.fetchOne(
            db.cachedStatement(sql: "SELECT sha FROM head WHERE repository = ? AND branch = ?"),
            arguments: [repository, branch])
    }

    func setHead(_ sha: String?, branch: String, of repository: String) throws {
        guard let sha else {
            try db.cachedStatement(sql: "DELETE FROM head WHERE repository = ? AND branch = ?").execute(arguments: [
                repository, branch,
            ])
            return
        }
        try db.cachedStatement(
            sql: """
                INSERT INTO head (repository, branch, sha) VALUES (?, ?, ?)
                ON CONFLICT (repository, branch) DO UPDATE SET sha = excluded.sha
                """
        ).execute(arguments: [repository, branch, sha])
    }
}

enum RepositoryQueries {
    static func all(in db: Database) throws -> [Repository] {
        try Row.fetchAll(db.cachedStatement(sql: "SELECT * FROM repository ORDER BY name")).map(Repository.init(row:))
    }

    static func hooks(in db: Database) throws -> [RepositoryHook] {
        let rows = try Row.fetchAll(
            db.cachedStatement(sql: "SELECT name, url, forge, forge_url, webhook_secret FROM repository ORDER BY name"))
        return rows.map { row in
            let addresses: [String?] = [row["url"], row["forge_url"]]
            return RepositoryHook(
                repository: row["name"], forge: (row["forge"] as String?).flatMap(Forge.init),
                identities: Set(addresses.compactMap { $0.map(RepositoryIdentity.init) }),
                secret: row["webhook_secret"])
        }
    }

    static func repository(_ name: String, in db: Database) throws -> Repository? {
        try Row.fetchOne(db.cachedStatement(sql: "SELECT * FROM repository WHERE name = ?"), arguments: [name])
            .map(Repository.init(row:))
    }

    static func heads(of repository: String, in db: Database) throws -> [String: String] {
        let rows = try Row.fetchAll(
            db.cachedStatement(sql: "SELECT branch, sha FROM head WHERE repository = ?"), arguments: [repository])
        return Dictionary(rows.map { ($0["branch"], $0["sha"]) }, uniquingKeysWith: { $1 })
    }
}
