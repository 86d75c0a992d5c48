import Foundation
import GRDB
import Messages
import Store

/// A model as declared, and by which project.
struct Declaration: Hashable, Sendable {
    var project: String
    var model: ModelDeclaration
}

enum KnowledgeQueries {
    static func declaration(of model: String, _ db: Database) throws -> Declaration? {
        let row = try db.row("SELECT project, body FROM declaration WHERE model = ?", [model])
        return try row.map {
            Declaration(project: $0["project"], model: try Wire.decode(ModelDeclaration.self, from: $0["body"]))
        }
    }

    /// The stages of a model: as its project declares them, or MLflow's where no project does.
    static func machine(of model: String, _ db: Database) throws -> StageMachine {
        try declaration(of: model, db)?.model.stages ?? StageMachine(preset: "mlflow", tag: "", states: [:])
    }

    /// The tag by which a model's project has the stage shown; nothing else of what it declares is read for that.
    static func mirror(of model: String, _ db: Database) throws -> String? {
        try db.value("SELECT mirror FROM declaration WHERE model = ?", [model])
    }

    /// The tags that show the stages of models.
    static func mirrors(_ db: Database) throws -> Set<String> {
        Set(try db.rows("SELECT DISTINCT mirror FROM declaration WHERE mirror IS NOT NULL").map { $0["mirror"] })
    }

    /// Of declarations from before the tag stood beside them.
    static func noteMirrors(_ db: Database) throws {
        for row in try Row.fetchAll(db.cachedStatement(sql: "SELECT model, body FROM declaration")) {
            // One that cannot be read is noted when its project is loaded again.
            guard let declared = try? Wire.decode(ModelDeclaration.self, from: row["body"]) else { continue }
            try db.cachedStatement(sql: "UPDATE declaration SET mirror = ? WHERE model = ?").execute(arguments: [
                declared.stages.mirror, row["model"] as String,
            ])
        }
    }

    static func trainingRun(_ id: String, _ db: Database) throws -> TrainingRun? {
        let body = try Data.fetchOne(
            db.cachedStatement(sql: "SELECT body FROM training_run WHERE training_run = ?"), arguments: [id])
        return try body.map { try Wire.decode(TrainingRun.self, from: $0) }
    }

    /// The versions of a model that endpoints serve now, by endpoint.
    static func serving(_ model: String, _ db: Database) throws -> [String: Int] {
        let rows = try Row.fetchAll(
            db.cachedStatement(sql: "SELECT endpoint, version FROM endpoint WHERE model = ? AND version IS NOT NULL"),
            arguments: [model])
        return Dictionary(rows.map { ($0["endpoint"] as String, $0["version"] as Int) }, uniquingKeysWith: { $1 })
    }

    /// The last history record that an earlier, still standing deployment of the run covers; 0 where there is none.
    static func covered(run: String, model: String, version: Int, by other: String, _ db: Database) throws -> Int64 {
        try Int64.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT max(history) FROM deployment
                    WHERE run = ? AND model = ? AND version = ? AND deployment <> ? AND state = 'standing'
                    """), arguments: [run, model, version, other]) ?? 0
    }
}

extension Transaction {
    /// The newest project file's word counts.
    func declare(_ model: ModelDeclaration, by project: String) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO declaration (model, project, body, mirror) VALUES (?, ?, ?, ?)
                ON CONFLICT (model) DO UPDATE SET
                    project = excluded.project, body = excluded.body, mirror = excluded.mirror
                """
        ).execute(arguments: [model.name, project, try Wire.encode(model), model.stages.mirror])
    }

    /// What left a project's file is declared no more.
    func withdraw(declarationsOf project: String, except models: [String]) throws {
        let declared = try String.fetchAll(
            db.cachedStatement(sql: "SELECT model FROM declaration WHERE project = ?"), arguments: [project])
        for model in declared where !models.contains(model) {
            try db.cachedStatement(sql: "DELETE FROM declaration WHERE model = ? AND project = ?").execute(arguments: [
                model, project,
            ])
        }
    }

    /// A run is told once; a repetition changes nothing.
    func remember(_ run: TrainingRun) throws {
        try db.cachedStatement(
            sql: "INSERT INTO training_run (training_run, run, body) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
        ).execute(arguments: [run.trainingRun, run.run, try Wire.encode(run)])
    }

    func remember(endpoint: String, model: String, serves version: Int?) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO endpoint (endpoint, model, version) VALUES (?, ?, ?)
                ON CONFLICT (endpoint) DO UPDATE SET model = excluded.model, version = excluded.version
                """
        ).execute(arguments: [endpoint, model, version])
    }

    /// Notes how a deployment stands, and how far the stage history reached when it began to.
    func remember(deployment: String, run: String?, model: String, version: Int, state: String) throws {
        let reached = try Int64.fetchOne(db.cachedStatement(sql: "SELECT max(id) FROM stage_history")) ?? 0
        try db.cachedStatement(
            sql: """
                INSERT INTO deployment (deployment, run, model, version, state, history) VALUES (?, ?, ?, ?, ?, ?)
                ON CONFLICT (deployment) DO UPDATE SET state = excluded.state
                """
        ).execute(arguments: [deployment, run, model, version, state, reached])
    }
}
