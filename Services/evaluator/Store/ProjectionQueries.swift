import Foundation
import GRDB
import Messages

/// A version as the evaluator knows it.
struct KnownVersion: Hashable, Sendable {
    var number: Int
    var trainingRun: String?
    var digest: Digest?
    var source: MetricSource
}

struct KnownRun: Hashable, Sendable {
    var outcome: Outcome
    var source: MetricSource
}

enum ProjectionQueries {
    /// The selector that a project declares for its champion.
    static func champion(of model: String, _ db: Database) throws -> String? {
        try String.fetchOne(db, sql: "SELECT champion FROM model WHERE model = ?", arguments: [model])
    }

    static func run(_ id: String, _ db: Database) throws -> KnownRun? {
        try Row.fetchOne(
            db, sql: "SELECT outcome, metrics FROM training_run WHERE training_run = ?", arguments: [id]
        ).map { row in
            KnownRun(
                outcome: Outcome(rawValue: row["outcome"]) ?? .failed,
                source: MetricSource(metrics: try Wire.decode([String: JSONValue].self, from: row["metrics"])))
        }
    }

    /// The newest version that a selector means.
    ///
    /// - Parameters:
    ///   - excluding: the challenger, which is no champion of its own.
    ///   - run: its training run; every version made of that is the challenger too.
    static func newest(
        _ selector: VersionSelector, of model: String, excluding: Int? = nil, run: String? = nil, _ db: Database
    ) throws -> KnownVersion? {
        let (condition, arguments) = try condition(selector, model: model, db)
        let row = try Row.fetchOne(
            db,
            sql: """
                SELECT version, training_run, digest, metrics FROM version
                WHERE model = ? AND version IS NOT ? AND (training_run IS NULL OR training_run IS NOT ?)
                    AND \(condition)
                ORDER BY version DESC LIMIT 1
                """, arguments: [model, excluding, run] + arguments)
        return try row.map { row in
            let tags = try Row.fetchAll(
                db, sql: "SELECT key, value FROM tag WHERE model = ? AND version = ?",
                arguments: [model, row["version"] as Int])
            return KnownVersion(
                number: row["version"], trainingRun: row["training_run"], digest: Digest(row["digest"] as String),
                source: MetricSource(
                    metrics: try Wire.decode([String: JSONValue].self, from: row["metrics"]),
                    tags: Dictionary(
                        tags.map { ($0["key"] as String, $0["value"] as String) }, uniquingKeysWith: { $1 })))
        }
    }

    private static func condition(
        _ selector: VersionSelector, model: String, _ db: Database
    ) throws -> (String, StatementArguments) {
        switch selector {
        case .number(let number): return ("version = ?", [number])
        case .latest: return ("1", [])
        case .stage(let stage) where stage.lowercased() == "none": return ("stage IS NULL", [])
        case .stage(let stage): return ("stage = ?", [stage])
        case .tag(let key, let value):
            let mirror = try String.fetchOne(db, sql: "SELECT mirror FROM model WHERE model = ?", arguments: [model])
            if key == mirror { return ("stage = ?", [value]) }
            return (
                "version IN (SELECT version FROM tag WHERE model = ? AND key = ? AND value = ?)", [model, key, value]
            )
        case .current:
            return ("version IN (SELECT version FROM endpoint WHERE model = ?)", [model])
        }
    }

    /// The environment that a run made last.
    static func environment(of run: String, _ db: Database) throws -> Digest? {
        try String.fetchOne(db, sql: "SELECT digest FROM environment WHERE run = ?", arguments: [run])
            .flatMap { Digest($0) }
    }
}
