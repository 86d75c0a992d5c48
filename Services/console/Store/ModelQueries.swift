import GRDB
import Messages
import ServiceKit

/// Versions that were deleted stay for what asks about the past, or for a number: of what is now they are no part.
enum ModelQueries {
    static func names(_ db: Database) throws -> [String] {
        try String.fetchAll(db.cachedStatement(sql: "SELECT DISTINCT model FROM versions ORDER BY model"))
    }

    /// Each model with the versions in each stage, of which some stages have several (S0-20).
    ///
    /// - Parameter withDeleted: also those of which every version was deleted; they have a history still.
    static func list(_ page: Page, withDeleted: Bool = false, _ db: Database) throws -> JSONValue {
        var filter = Filter()
        if !withDeleted { filter.add("versions > 0") }
        let models = try db.page(
            """
            SELECT * FROM (
                SELECT model, count(*) FILTER (WHERE deleted IS NULL) AS versions,
                    max(version) FILTER (WHERE deleted IS NULL) AS latest,
                    max(registered) FILTER (WHERE deleted IS NULL) AS registered
                FROM versions GROUP BY model)
            """, filter, order: "model", page)
        let staged = try db.list(
            """
            SELECT model, version, stage FROM versions WHERE stage IS NOT NULL AND deleted IS NULL ORDER BY version
            """)
        let items = (models["items"]?.array ?? []).map { model in
            let own = staged.filter { $0["model"] == model["model"] }
            let stages = Dictionary(grouping: own) { $0["stage"]?.string ?? "" }
            return model.with(
                "stages", .object(stages.mapValues { holders in .array(holders.compactMap { $0["version"] }) }))
        }
        return models.with("items", .array(items))
    }

    static func versions(_ model: String, _ page: Page, _ db: Database) throws -> JSONValue {
        var filter = Filter()
        filter.add("model = ? AND deleted IS NULL", model)
        return try db.page(
            """
            SELECT model, version, stage, training_run, run, project, sha, metrics_json, params_json, tags_json,
            artifact_json, environment, registered FROM versions
            """, filter, order: "version DESC", page)
    }

    static func version(_ model: String, _ version: Int, _ db: Database) throws -> JSONValue? {
        try db.one("SELECT * FROM versions WHERE model = ? AND version = ?", [model, version])
    }

    /// A version as a person names it: a number, `latest`, or a stage that one version holds.
    static func resolve(_ model: String, _ text: String, _ db: Database) throws -> Int? {
        if let number = Int(text) {
            return try Int.fetchOne(
                db.cachedStatement(sql: "SELECT version FROM versions WHERE model = ? AND version = ?"),
                arguments: [model, number])
        }
        if text == "latest" {
            return try Int.fetchOne(
                db.cachedStatement(sql: "SELECT max(version) FROM versions WHERE model = ? AND deleted IS NULL"),
                arguments: [model])
        }
        let stage = text.hasPrefix("stage=") ? String(text.dropFirst("stage=".count)) : text
        return try Int.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT max(version) FROM versions WHERE model = ? AND stage = ? COLLATE NOCASE AND deleted IS NULL
                    """), arguments: [model, stage])
    }

    static func history(_ model: String, version: Int?, _ page: Page, _ db: Database) throws -> JSONValue {
        var filter = Filter()
        filter.add("model = ?", model)
        if let version { filter.add("version = ?", version) }
        return try db.page("SELECT * FROM stage_history", filter, order: "position DESC", page)
    }

    /// Which version was in which stage at a time: of each version the last move until then.
    static func at(_ model: String, _ time: String, _ db: Database) throws -> [JSONValue] {
        try db.list(
            """
            SELECT v.version, h.to_stage AS stage, h.time AS since, h.actor, h.reason, h.run, h.approval, h.event
            FROM versions v LEFT JOIN stage_history h ON h.position = (
                SELECT max(position) FROM stage_history
                WHERE model = v.model AND version = v.version AND time <= ?2)
            WHERE v.model = ?1 AND v.registered <= ?2 AND (v.deleted IS NULL OR v.deleted > ?2) ORDER BY v.version
            """, [model, time])
    }
}

extension ModelQueries {
    static func check(_ model: String, _ db: Database) throws {
        let known = try names(db)
        guard known.contains(model) else {
            throw Refusal.missing("model", model, among: known, list: "martlet models list")
        }
    }

    static func known(_ text: String, of model: String, _ db: Database) throws -> Int {
        guard let version = try resolve(model, text, db) else {
            throw Refusal(
                404, "\(model) has no version '\(text)'",
                hint: "'martlet models show \(model)' lists versions and stages")
        }
        return version
    }

    /// - Throws: `Refusal` where it is not there any more.
    static func present(_ text: String, of model: String, _ db: Database) throws -> Int {
        let number = try known(text, of: model, db)
        if let deleted = try version(model, number, db)?["deleted"]?.string {
            throw Refusal(
                409, "version \(number) of \(model) was deleted at \(deleted)",
                hint: "'martlet models show \(model)' lists the versions that there are")
        }
        return number
    }
}
