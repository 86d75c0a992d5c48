import Foundation
import GRDB
import Messages

/// What a question for events may name.
struct EventQuestion: Sendable {
    /// A glob over short names: `model.*`.
    var type: String?
    var source: String?
    var correlation: String?
    var subject: String?
    var key: String?
    var actor: String?
    /// RFC 3339.
    var since: String?
    /// The newest first, rather than the oldest.
    var newestFirst = false
}

enum EventQueries {
    /// The forge's delivery that an event tells of, and which events do: as the index on them has it, word by word.
    static let delivery = "json_extract(CAST(body AS TEXT), '$.data.delivery')"
    static let isDelivered = """
        type IN ('change.pushed', 'change.tag_created', 'change.commented', 'change.pull_request_opened',
        'change.pull_request_updated', 'change.pull_request_merged', 'change.pull_request_closed',
        'change.release_published')
        """

    /// The events that a forge's delivery led to, the first one first.
    static func told(byDelivery id: String, _ db: Database) throws -> [String] {
        try String.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT id FROM events WHERE \(isDelivered) AND \(delivery) IN (?, ?, ?, ?, ?)
                    ORDER BY position LIMIT 10
                    """),
            arguments: StatementArguments([id] + ["github", "gitlab", "gitea", "azure-devops"].map { "\($0)/\(id)" }))
    }

    static func event(_ id: String, _ db: Database) throws -> Envelope? {
        try Data.fetchOne(db.cachedStatement(sql: "SELECT body FROM events WHERE id = ?"), arguments: [id])
            .map { try Wire.decode(Envelope.self, from: $0) }
    }

    /// The whole event and where it stands.
    static func show(_ id: String, _ db: Database) throws -> JSONValue? {
        try Row.fetchOne(db.cachedStatement(sql: "SELECT * FROM events WHERE id = ?"), arguments: [id]).map(item)
    }

    private static func item(_ row: Row) throws -> JSONValue {
        let body: Data = row["body"]
        return .object([
            "position": .int(row["position"]), "source": .string(row["source"]), "epoch": .int(row["epoch"]),
            "seq": .int(row["seq"]), "name": .string(row["type"]), "event": try Wire.decode(JSONValue.self, from: body),
        ])
    }

    static func list(_ question: EventQuestion, _ page: Page, _ db: Database) throws -> JSONValue {
        var filter = Filter()
        filter.equal("source", question.source)
        filter.equal("correlation", question.correlation)
        filter.equal("subject", question.subject)
        filter.equal("key", question.key)
        filter.equal("actor", question.actor)
        if let type = question.type { filter.add("type GLOB ?", type) }
        if let since = question.since { filter.add("time >= ?", since) }
        if let after = page.after.flatMap({ Int64($0) }) {
            filter.add(question.newestFirst ? "position < ?" : "position > ?", after)
        }
        var arguments = filter.arguments
        arguments += [page.limit]
        let order = question.newestFirst ? "DESC" : "ASC"
        let rows = try Row.fetchAll(
            db, sql: "SELECT * FROM events \(filter.clause) ORDER BY position \(order) LIMIT ?", arguments: arguments)
        let last: Int64? = rows.last?["position"]
        return .object([
            "items": .array(try rows.map(item)),
            // Also of a last page: whoever follows goes on from here.
            "next": last.map { .string(String($0)) } ?? page.after.map { .string($0) } ?? .null,
        ])
    }

    static func newest(_ db: Database) throws -> Int64 {
        try Int64.fetchOne(db.cachedStatement(sql: "SELECT max(position) FROM events")) ?? 0
    }
}
