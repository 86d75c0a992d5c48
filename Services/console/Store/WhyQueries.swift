import Foundation
import GRDB
import Messages
import ServiceKit

/// Gathers what a story is told from.
enum WhyQueries {
    private static let longest = 64

    struct Target: Sendable {
        var shown: JSONValue
        /// The events whose causes are followed.
        var anchors: [String]
        var runs: Set<String> = []
        var model: String?
        var version: Int?
    }

    static func answer(_ text: String, _ db: Database) throws -> JSONValue {
        let target = try resolve(text, db)
        let paths = try target.anchors.map { try causes(of: $0, db) }
        let spine = paths.flatMap { $0 }
        let runs = target.runs.union(spine.compactMap { $0.data["run"]?.string })
        // What people did along the way began chains of its own: it is found by its run.
        let others = try facts(by: "correlation", Set(spine.map(\.correlationid)), db) + facts(by: "key", runs, db)
        let about = others.filter {
            Story.isAbout($0, runs: runs, model: target.model, version: target.version)
        }
        let lines = try Story.lines(path: spine, others: about, about: target.anchors.last)
        let told = Story.told(others, of: Set((spine + about).map(\.id)))
        return .object([
            "about": target.shown,
            "complete": .bool(paths.allSatisfy { $0.first?.causationid == nil }),
            "lines": .array(lines + told),
        ])
    }

    /// From the first cause that is still kept to `id`.
    private static func causes(of id: String, _ db: Database) throws -> [Envelope] {
        var path: [Envelope] = []
        var seen: Set<String> = []
        var next: String? = id
        while let id = next, path.count < longest, seen.insert(id).inserted,
            let event = try EventQueries.event(id, db)
        {
            path.append(event)
            // What was taken once more has the story of what it repeats.
            next = event.causationid ?? event.replayof
        }
        return path.reversed()
    }

    private static func facts(by column: String, _ values: Set<String>, _ db: Database) throws -> [Envelope] {
        let types = Story.facts.map { "'\($0)'" }.joined(separator: ", ")
        return try values.sorted().flatMap { value in
            try Data.fetchAll(
                db,
                sql:
                    "SELECT body FROM events WHERE \(column) = ? AND type IN (\(types)) ORDER BY position LIMIT 2000",
                arguments: [value]
            ).map { try Wire.decode(Envelope.self, from: $0) }
        }
    }

    private static func resolve(_ text: String, _ db: Database) throws -> Target {
        if let target = try event(text, db) ?? message(text, db) { return target }
        if let version = try self.version(text, db) { return version }
        return try run(try RunQueries.resolve(text, db), db)
    }

    private static func event(_ id: String, _ db: Database) throws -> Target? {
        guard let event = try EventQueries.event(id, db) else { return nil }
        return Target(
            shown: ["kind": "event", "id": .string(id), "type": .string(shortEventName(event.type))],
            anchors: [id], runs: Set([event.data["run"]?.string].compactMap(\.self)))
    }

    /// A message that somebody was sent, by the id that stands in it: why is what it tells of there?
    private static func message(_ id: String, _ db: Database) throws -> Target? {
        guard
            let told = try String.fetchOne(
                db.cachedStatement(sql: "SELECT event FROM notifications WHERE id = ?"), arguments: [id])
        else { return nil }
        // A step's own words are known by the step.
        let target = try event(told, db) ?? run(try RunQueries.resolve(String(told.prefix { $0 != "/" }), db), db)
        return Target(
            shown: target.shown.with("message", .string(id)), anchors: target.anchors, runs: target.runs)
    }

    private static func version(_ text: String, _ db: Database) throws -> Target? {
        guard let slash = text.lastIndex(of: "/") else { return nil }
        let model = String(text[..<slash])
        let models = try ModelQueries.names(db)
        guard models.contains(model) else {
            throw Refusal.missing("model", model, among: models, list: "martlet models list")
        }
        let wanted = String(text[text.index(after: slash)...])
        guard let number = try ModelQueries.resolve(model, wanted, db),
            let version = try ModelQueries.version(model, number, db)
        else {
            throw Refusal(
                404, "\(model) has no version '\(wanted)'",
                hint: "'martlet models show \(model)' lists versions and stages")
        }
        // Not the taking back of another's failed attempt, which only gave it its stage again.
        let moved = try db.one(
            """
            SELECT event, run FROM stage_history WHERE model = ? AND version = ?
            ORDER BY compensates IS NULL AND to_stage IS ? DESC, position DESC LIMIT 1
            """, [model, number, version["stage"]?.string])
        return Target(
            shown: [
                "kind": "version", "model": .string(model), "version": .int(number),
                "stage": version["stage"] ?? .null,
            ],
            anchors: [version["event"]?.string, moved?["event"]?.string].compactMap(\.self),
            runs: Set([version["run"]?.string, moved?["run"]?.string].compactMap(\.self)), model: model, version: number
        )
    }

    private static func run(_ id: String, _ db: Database) throws -> Target {
        let ended = try String.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT id FROM events WHERE type IN ('run.queued', 'run.started', 'run.finished')
                    AND json_extract(CAST(body AS TEXT), '$.data.run') = ? AND key = ? ORDER BY position DESC LIMIT 1
                    """), arguments: [id, id])
        let queued = try String.fetchOne(
            db.cachedStatement(sql: "SELECT event FROM runs WHERE id = ?"), arguments: [id])
        // Where several causes came together, each has a chain of its own.
        let matched = try String.fetchAll(
            db.cachedStatement(sql: "SELECT event FROM verdicts WHERE run = ? ORDER BY time, cause LIMIT 100"),
            arguments: [id])
        let run =
            try db.one("SELECT number, project, pipeline, state, outcome FROM runs WHERE id = ?", [id]) ?? .object([:])
        return Target(
            shown: run.with("kind", "run").with("id", .string(id)),
            anchors: matched + [queued, ended].compactMap(\.self), runs: [id])
    }
}
