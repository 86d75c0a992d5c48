import Foundation
import GRDB
import Messages

/// What a project declares of a model.
struct KnownModel: Hashable, Sendable {
    /// The selector of the champion.
    var champion: String?
    /// The command that scores a version.
    var score: String?
}

/// A version as the evaluator knows it.
struct KnownVersion: Hashable, Sendable {
    var number: Int
    var trainingRun: String?
    var digest: Digest?
    var predictions: Digest?
    var source: MetricSource
}

struct KnownRun: Hashable, Sendable {
    var outcome: Outcome
    var artifact: Digest?
    var predictions: Digest?
    var source: MetricSource
}

enum ProjectionQueries {
    static func model(_ name: String, _ db: Database) throws -> KnownModel? {
        try Row.fetchOne(
            db.cachedStatement(sql: "SELECT champion, score FROM model WHERE model = ?"), arguments: [name]
        )
        .map { KnownModel(champion: $0["champion"], score: $0["score"]) }
    }

    static func run(_ id: String, _ db: Database) throws -> KnownRun? {
        try Row.fetchOne(
            db.cachedStatement(
                sql: "SELECT outcome, metrics, artifact, predictions FROM training_run WHERE training_run = ?"),
            arguments: [id]
        ).map { row in
            KnownRun(
                outcome: Outcome(rawValue: row["outcome"]) ?? .failed,
                artifact: (row["artifact"] as String?).flatMap { Digest($0) },
                predictions: (row["predictions"] as String?).flatMap { Digest($0) },
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
                SELECT version, training_run, digest, predictions, metrics FROM version
                WHERE model = ? AND version IS NOT ? AND (training_run IS NULL OR training_run IS NOT ?)
                    AND \(condition)
                ORDER BY version DESC LIMIT 1
                """, arguments: [model, excluding, run] + arguments)
        return try row.map { row in
            let tags = try Row.fetchAll(
                db.cachedStatement(sql: "SELECT key, value FROM tag WHERE model = ? AND version = ?"),
                arguments: [model, row["version"] as Int])
            return KnownVersion(
                number: row["version"], trainingRun: row["training_run"], digest: Digest(row["digest"] as String),
                predictions: (row["predictions"] as String?).flatMap { Digest($0) },
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
            let mirror = try String.fetchOne(
                db.cachedStatement(sql: "SELECT mirror FROM model WHERE model = ?"), arguments: [model])
            if key == mirror { return ("stage = ?", [value]) }
            return (
                "version IN (SELECT version FROM tag WHERE model = ? AND key = ? AND value = ?)", [model, key, value]
            )
        case .current:
            return ("version IN (SELECT version FROM endpoint WHERE model = ?)", [model])
        }
    }

    static func endpoints(of model: String, _ db: Database) throws -> [String] {
        try String.fetchAll(
            db.cachedStatement(sql: "SELECT endpoint FROM endpoint WHERE model = ? ORDER BY endpoint"),
            arguments: [model])
    }

    /// The environment that a run made last.
    static func environment(of run: String, _ db: Database) throws -> Digest? {
        try String.fetchOne(db.cachedStatement(sql: "SELECT digest FROM environment WHERE run = ?"), arguments: [run])
            .flatMap { Digest($0) }
    }

    /// A data set's version, the newest where none is named; beside it the names that there are.
    static func dataset(
        _ name: String, version: Int?, of project: String, _ db: Database
    ) throws -> (found: DatasetReference?, names: [String]) {
        let row = try Row.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT version, digest FROM dataset WHERE project = ?1 AND name = ?2 AND (?3 IS NULL OR version = ?3)
                    ORDER BY version DESC LIMIT 1
                    """), arguments: [project, name, version])
        let found = row.flatMap { row in
            Digest(row["digest"] as String).map { DatasetReference(name: name, version: row["version"], digest: $0) }
        }
        let names = try String.fetchAll(
            db.cachedStatement(sql: "SELECT DISTINCT name FROM dataset WHERE project = ? ORDER BY name"),
            arguments: [project])
        return (found, names)
    }
}
