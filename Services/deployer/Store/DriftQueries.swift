import Foundation
import GRDB
import Messages
import Store

/// What the registry's stages and the runs say about endpoints.
enum DriftQueries {
    static func agreement(of endpoint: String, _ db: Database) throws -> Agreement {
        let rollout = try RolloutQueries.rollout(of: endpoint, db)
        guard let serving = rollout.serving else {
            return Agreement(endpoint: endpoint, stages: [:], rules: [:], isChanging: false)
        }
        let rows = try Row.fetchAll(
            db.cachedStatement(sql: "SELECT version, stage FROM version_stage WHERE model = ?"),
            arguments: [serving.model])
        let rules = try Data.fetchOne(
            db.cachedStatement(sql: "SELECT rules FROM model_stages WHERE model = ?"), arguments: [serving.model])
        let isChanging =
            try Bool.fetchOne(
                db.cachedStatement(
                    sql: """
                        SELECT EXISTS (SELECT 1 FROM open_run WHERE run IN (
                            SELECT run FROM deployment WHERE endpoint = ?1
                            UNION ALL SELECT run FROM version_stage WHERE model = ?2))
                        """), arguments: [endpoint, serving.model]) ?? false
        return Agreement(
            endpoint: endpoint, serving: serving,
            stages: Dictionary(uniqueKeysWithValues: rows.map { ($0["version"] as Int, $0["stage"] as String) }),
            rules: try rules.map { try Wire.decode([String: StageRule].self, from: $0) } ?? [:],
            isChanging: isChanging)
    }

    /// Those whose present deployment is of the model.
    static func endpoints(of model: String, _ db: Database) throws -> [String] {
        try String.fetchAll(
            db.cachedStatement(
                sql:
                    "SELECT e.name FROM endpoint e JOIN deployment d ON d.id = e.current WHERE d.model = ? ORDER BY e.name"
            ), arguments: [model])
    }

    /// The models whose stages the run moved.
    static func models(movedBy run: String, _ db: Database) throws -> [String] {
        try String.fetchAll(
            db.cachedStatement(sql: "SELECT DISTINCT model FROM version_stage WHERE run = ?"), arguments: [run])
    }

    /// What was told of the endpoint last, and the look at it that counts.
    static func told(of endpoint: String, _ db: Database) throws -> (drift: String?, look: String?) {
        let row = try Row.fetchOne(
            db.cachedStatement(sql: "SELECT drift, look FROM endpoint WHERE name = ?"), arguments: [endpoint])
        return (row?["drift"], row?["look"])
    }
}

extension Transaction {
    func remember(_ declaration: ModelDeclaration) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO model_stages (model, rules) VALUES (?, ?)
                ON CONFLICT (model) DO UPDATE SET rules = excluded.rules
                """
        ).execute(arguments: [declaration.name, try Wire.encode(declaration.stages.states)])
    }

    func remember(_ changed: ModelStageChanged) throws {
        try set(stage: changed.to, of: changed.model, changed.version, run: changed.run)
        for move in changed.replaced {
            try set(stage: move.to, of: changed.model, move.version, run: changed.run)
        }
    }

    private func set(stage: String?, of model: String, _ version: Int, run: String?) throws {
        guard let stage else {
            return try db.cachedStatement(sql: "DELETE FROM version_stage WHERE model = ? AND version = ?").execute(
                arguments: [model, version])
        }
        try db.cachedStatement(
            sql: """
                INSERT INTO version_stage (model, version, stage, run) VALUES (?, ?, ?, ?)
                ON CONFLICT (model, version) DO UPDATE SET stage = excluded.stage, run = excluded.run
                """
        ).execute(arguments: [model, version, stage, run])
    }

    func opened(run: String) throws {
        try db.cachedStatement(sql: "INSERT INTO open_run (run) VALUES (?) ON CONFLICT DO NOTHING").execute(arguments: [
            run
        ])
    }

    func closed(run: String) throws {
        try db.cachedStatement(sql: "DELETE FROM open_run WHERE run = ?").execute(arguments: [run])
    }

    func save(stage: String, of deployment: String) throws {
        try db.cachedStatement(sql: "UPDATE deployment SET stage = ? WHERE id = ?").execute(arguments: [
            stage, deployment,
        ])
    }

    func save(drift: String?, of endpoint: String) throws {
        try db.cachedStatement(sql: "UPDATE endpoint SET drift = ? WHERE name = ?").execute(arguments: [
            drift, endpoint,
        ])
    }

    func save(look: String, at endpoint: String) throws {
        try db.cachedStatement(sql: "UPDATE endpoint SET look = ? WHERE name = ?").execute(arguments: [look, endpoint])
    }
}
