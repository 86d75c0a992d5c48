import Foundation
import GRDB
import Messages
import Store

/// A webhook that was accepted: what it tells of is looked up in git, in the order in which they came.
struct StoredDelivery: Sendable, Hashable {
    var seq: Int64 = 0
    var forge: Forge
    /// The forge's own, the same when it delivers again; else a digest of the body.
    var id: String
    /// Empty where it is for none that is watched.
    var repository: String
    var event: String
    var changes: [ForgeChange]

    /// As events name it.
    var reference: String { "\(forge.rawValue)/\(id)" }
}

/// How a pull request stood when it was last told of.
struct KnownPullRequest: Sendable, Hashable {
    enum State: String, Sendable, Hashable {
        case open, merged, closed
    }

    var sha: String
    var target: String
    var state: State
}

extension Transaction {
    /// `false`: it was delivered before. One that was for no watched repository may come again, when it is watched.
    ///
    /// - Parameter waits: there is something to look up.
    func insert(_ delivery: StoredDelivery, waits: Bool) throws -> Bool {
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO delivery (forge, id, repository, event, changes, state, at) VALUES (?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (forge, id) DO UPDATE SET repository = excluded.repository, event = excluded.event,
                    changes = excluded.changes, state = excluded.state, at = excluded.at
                WHERE delivery.repository = '' AND excluded.repository <> ''
                """)
        try statement.execute(arguments: [
            delivery.forge.rawValue, delivery.id, delivery.repository, delivery.event,
            try Wire.encode(delivery.changes), waits ? "waiting" : "done", now.milliseconds,
        ])
        return db.changesCount == 1
    }

    func isWaiting(_ delivery: StoredDelivery) throws -> Bool {
        try Bool.fetchOne(
            db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM delivery WHERE seq = ? AND state = 'waiting')"),
            arguments: [delivery.seq]) ?? false
    }

    func settle(_ delivery: StoredDelivery) throws {
        try db.cachedStatement(sql: "UPDATE delivery SET state = 'done' WHERE seq = ?").execute(arguments: [
            delivery.seq
        ])
    }

    /// All that wait for a repository, whatever they tell of: it is watched no more.
    func settleDeliveries(of repository: String) throws {
        try db.cachedStatement(sql: "UPDATE delivery SET state = 'done' WHERE repository = ? AND state = 'waiting'")
            .execute(arguments: [repository])
    }

    func tag(_ tag: String, of repository: String) throws -> String? {
        try String.fetchOne(
            db.cachedStatement(sql: "SELECT sha FROM tag WHERE repository = ? AND tag = ?"),
            arguments: [repository, tag])
    }

    /// Whether more wait than are looked up at once, and since when the newest of them does; `nil`: none waits.
    func deliveries(waitingFor repository: String) throws -> (areMany: Bool, newest: Timestamp)? {
        let newest = try Int64.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT at FROM delivery WHERE repository = ? AND state = 'waiting' ORDER BY seq DESC LIMIT ?
                    """),
            arguments: [repository, DeliveryQueries.atOnce + 1])
        return newest.first.map { (newest.count > DeliveryQueries.atOnce, Timestamp(milliseconds: $0)) }
    }

    /// Forges deliver again for some days at the most; a bounded number at a time.
    func forgetDeliveries() throws {
        try db.cachedStatement(
            sql: """
                DELETE FROM delivery WHERE seq IN (SELECT seq FROM delivery WHERE state = 'done' AND at < ? LIMIT 5000)
                """
        ).execute(arguments: [now.advanced(by: .seconds(-30 * 86_400)).milliseconds])
    }

    func pullRequest(_ number: Int, of repository: String) throws -> KnownPullRequest? {
        try Row.fetchOne(
            db.cachedStatement(sql: "SELECT sha, target, state FROM pull_request WHERE repository = ? AND number = ?"),
            arguments: [repository, number]
        ).flatMap { row in
            KnownPullRequest.State(rawValue: row["state"]).map {
                KnownPullRequest(sha: row["sha"], target: row["target"], state: $0)
            }
        }
    }

    func save(_ request: KnownPullRequest, _ number: Int, of repository: String) throws {
        try db.cachedStatement(
            sql: """
                INSERT OR REPLACE INTO pull_request (repository, number, sha, target, state) VALUES (?, ?, ?, ?, ?)
                """
        ).execute(arguments: [repository, number, request.sha, request.target, request.state.rawValue])
    }

    func setTag(_ sha: String?, tag: String, of repository: String) throws {
        guard let sha else {
            try db.cachedStatement(sql: "DELETE FROM tag WHERE repository = ? AND tag = ?").execute(arguments: [
                repository, tag,
            ])
            return
        }
        try db.cachedStatement(sql: "INSERT OR REPLACE INTO tag (repository, tag, sha) VALUES (?, ?, ?)").execute(
            arguments: [repository, tag, sha])
    }
}

enum DeliveryQueries {
    /// Looked up together, and told of in one transaction: that makes those wait that are to be stored.
    static let atOnce = 50

    /// The next that wait.
    static func waiting(for repository: String, in db: Database) throws -> [StoredDelivery] {
        try Row.fetchAll(
            db.cachedStatement(
                sql: "SELECT * FROM delivery WHERE repository = ? AND state = 'waiting' ORDER BY seq LIMIT ?"),
            arguments: [repository, atOnce]
        ).compactMap { row in
            guard let forge = Forge(rawValue: row["forge"]) else { return nil }
            return StoredDelivery(
                seq: row["seq"], forge: forge, id: row["id"], repository: repository, event: row["event"],
                changes: try row.decode([ForgeChange].self, "changes"))
        }
    }

    static func tags(of repository: String, in db: Database) throws -> [String: String] {
        let rows = try Row.fetchAll(
            db.cachedStatement(sql: "SELECT tag, sha FROM tag WHERE repository = ?"), arguments: [repository])
        return Dictionary(rows.map { ($0["tag"], $0["sha"]) }, uniquingKeysWith: { $1 })
    }
}
