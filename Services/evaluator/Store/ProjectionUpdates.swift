import GRDB
import Messages
import Store

extension Transaction {
    func declare(_ model: ModelDeclaration) throws {
        let hasStages = model.stages.preset != "none" || !model.stages.states.isEmpty
        try db.cachedStatement(
            sql: """
                INSERT INTO model (model, champion, mirror, score) VALUES (?, ?, ?, ?)
                ON CONFLICT (model) DO UPDATE SET champion = excluded.champion, mirror = excluded.mirror,
                    score = excluded.score
                """
        ).execute(arguments: [model.name, model.champion, hasStages ? model.stages.tag : nil, model.score])
    }

    func remember(_ run: TrainingFinished) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO training_run (training_run, outcome, metrics, artifact, predictions) VALUES (?, ?, ?, ?, ?)
                ON CONFLICT DO NOTHING
                """
        ).execute(arguments: [
            run.trainingRun, run.outcome.rawValue, try Wire.encode(run.metrics), run.model?.digest.text,
            run.predictions?.text,
        ])
    }

    /// A number that is known already is that of a version that the registry has lost: the new one takes its place.
    func remember(_ version: ModelRegistered) throws {
        try db.cachedStatement(
            sql: """
                DELETE FROM tag WHERE model = ?1 AND version = ?2 AND EXISTS (
                    SELECT 1 FROM version
                    WHERE model = ?1 AND version = ?2 AND (digest <> ?3 OR training_run IS NOT ?4))
                """
        ).execute(arguments: [version.model, version.version, version.artifact.digest.text, version.trainingRun])
        try db.cachedStatement(
            sql: """
                INSERT INTO version (model, version, training_run, digest, metrics, predictions)
                VALUES (?, ?, ?, ?, ?, ?)
                ON CONFLICT (model, version) DO UPDATE SET
                    stage = CASE WHEN digest = excluded.digest AND training_run IS excluded.training_run THEN stage END,
                    training_run = excluded.training_run, digest = excluded.digest, metrics = excluded.metrics,
                    predictions = excluded.predictions
                """
        ).execute(arguments: [
            version.model, version.version, version.trainingRun, version.artifact.digest.text,
            try Wire.encode(version.metrics), version.predictions?.text,
        ])
        try tag(ModelTagged(model: version.model, version: version.version, set: version.tags, removed: []))
    }

    func forget(_ deleted: ModelVersionDeleted) throws {
        for table in ["tag", "version"] {
            try db.execute(
                sql: "DELETE FROM \(table) WHERE model = ? AND version = ?",
                arguments: [deleted.model, deleted.version])
        }
    }

    func tag(_ change: ModelTagged) throws {
        for (key, value) in change.set {
            try db.cachedStatement(
                sql: """
                    INSERT INTO tag (model, version, key, value) VALUES (?, ?, ?, ?)
                    ON CONFLICT DO UPDATE SET value = excluded.value
                    """
            ).execute(arguments: [change.model, change.version, key, value])
        }
        for key in change.removed {
            try db.cachedStatement(sql: "DELETE FROM tag WHERE model = ? AND version = ? AND key = ?").execute(
                arguments: [change.model, change.version, key])
        }
    }

    func move(_ change: ModelStageChanged) throws {
        let own = StageMove(version: change.version, from: change.from, to: change.to)
        for move in change.replaced + [own] {
            try db.cachedStatement(sql: "UPDATE version SET stage = ? WHERE model = ? AND version = ?").execute(
                arguments: [move.to, change.model, move.version])
        }
    }

    func remember(endpoint: String, model: String, serves version: Int?) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO endpoint (endpoint, model, version) VALUES (?, ?, ?)
                ON CONFLICT (endpoint) DO UPDATE SET model = excluded.model, version = excluded.version
                """
        ).execute(arguments: [endpoint, model, version])
    }

    func remember(environment: Digest, of run: String) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO environment (run, digest) VALUES (?, ?)
                ON CONFLICT (run) DO UPDATE SET digest = excluded.digest
                """
        ).execute(arguments: [run, environment.text])
    }

    func remember(_ registered: DatasetRegistered) throws {
        guard let version = registered.dataset.version else { return }
        try db.cachedStatement(
            sql: "INSERT INTO dataset (project, name, version, digest) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
        ).execute(arguments: [registered.project, registered.dataset.name, version, registered.dataset.digest.text])
    }
}
