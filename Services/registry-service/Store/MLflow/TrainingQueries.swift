import Foundation
import GRDB
import Messages
import ServiceKit
import Store

/// Training runs whose code speaks with the registry.
enum TrainingQueries {
    /// What the ids of their tokens begin with; people's are hexadecimal.
    static let mark = "run"

    struct Token: Sendable {
        var stored: StoredToken
        var caller: Caller
    }

    /// - Throws: `MLflowError` while the start of the run is not known here yet: the client asks again.
    static func token(_ id: String, _ db: Database) throws -> Token? {
        guard let row = try db.row("SELECT * FROM training_token WHERE id = ?", [id]) else {
            throw MLflowError(.unavailable, "The registry has not heard yet of the training run of this token")
        }
        guard (row["ended"] as Int64?) == nil else { return nil }
        let pipeline: String = row["pipeline"]
        let started = try (row["started"] as Data?).map { try Wire.decode(TrainingStarted.self, from: $0) }
        return Token(
            stored: StoredToken(
                id: id, name: pipeline, role: Role.operator.rawValue, groups: [], hash: row["digest"]),
            caller: Caller(
                actor: Actor(name: "pipeline:\(pipeline)"), name: pipeline,
                training: .init(
                    trainingRun: row["training_run"], run: row["run"], project: row["project"],
                    isUntrusted: started?.untrusted ?? false)))
    }

    /// Where a training run's code comes from. While it lasts, an earlier attempt's end says nothing of it.
    static func origin(of trainingRun: String, _ db: Database) throws -> Origin {
        let row = try db.row(
            """
            SELECT started, ended FROM training_token WHERE training_run = ?
            ORDER BY ended IS NULL DESC, ended DESC LIMIT 1
            """, [trainingRun])
        let body = row.flatMap { row -> Data? in row["started"] }
        let lasts = row.map { ($0["ended"] as Int64?) == nil } ?? false
        return Origin(
            try body.map { try Wire.decode(TrainingStarted.self, from: $0) },
            try lasts ? nil : KnowledgeQueries.trainingRun(trainingRun, db))
    }

    /// What the code of a training run told: the newest run that is part of no other counts.
    static func told(by trainingRun: String, _ db: Database) throws -> (
        facts: RunFacts, tags: [String: String], model: ArtifactPath?
    )? {
        let runs = try db.rows(
            """
            SELECT id, uuid, experiment FROM run r WHERE training_run = ? AND deleted IS NULL
            ORDER BY EXISTS (SELECT 1 FROM run_tag t WHERE t.run = r.id AND t.key = 'mlflow.parentRunId'), id DESC
            """, [trainingRun])
        guard let newest = runs.first, let facts = try RunFacts.of(newest["uuid"], db) else { return nil }
        let tags = try db.rows(
            "SELECT key, value FROM run_tag WHERE run = ? AND key NOT LIKE 'mlflow.%' AND key NOT LIKE 'martlet.%'",
            [newest["id"] as Int64])
        return (
            facts, Dictionary(tags.map { ($0["key"], $0["value"]) }, uniquingKeysWith: { $1 }),
            try model(trainingRun, runs, db)
        )
    }

    /// The training run whose code alone writes there, or made the version that is shown there; `nil` for a folder of
    /// several runs.
    static func maker(of path: ArtifactPath, _ db: Database) throws -> String? {
        if let (model, number) = path.version {
            return try VersionQueries.version(number, of: model, db)?.facts.trainingRun
        }
        let parts = path.text.split(separator: "/").map(String.init)
        // A model may be called like a run, and so its folder: runs lie in experiments.
        guard parts.count > 1, Int64(parts[0]) != nil else { return nil }
        guard parts[1] == "models" else {
            return try db.value("SELECT training_run FROM run WHERE uuid = ?", [parts[1]])
        }
        guard parts.count > 2 else { return nil }
        return try db.value("SELECT training_run FROM logged_model WHERE uuid = ?", [parts[2]])
    }

    /// One of the training runs that wrote into an experiment; `nil` for what is no experiment's whole folder.
    static func anyMaker(below path: ArtifactPath, _ db: Database) throws -> String? {
        let parts = path.text.split(separator: "/").map(String.init)
        guard let experiment = parts.first.flatMap({ Int64($0) }), parts.count == 1 || parts.dropFirst() == ["models"]
        else { return nil }
        return try db.value(
            """
            SELECT training_run FROM run WHERE experiment = ? AND training_run IS NOT NULL
            UNION ALL
            SELECT training_run FROM logged_model WHERE experiment = ? AND training_run IS NOT NULL
            LIMIT 1
            """, [experiment, experiment])
    }

    /// Whether this is the model that a training run ended with.
    static func isModel(_ digest: Digest, of trainingRun: String, _ db: Database) throws -> Bool {
        try KnowledgeQueries.trainingRun(trainingRun, db)?.model?.digest == digest
    }

    /// The newest model that it finished; before MLflow 3 a model is a folder of its run.
    private static func model(_ trainingRun: String, _ runs: [Row], _ db: Database) throws -> ArtifactPath? {
        let logged = try db.row(
            """
            SELECT experiment, uuid FROM logged_model
            WHERE training_run = ? AND status = 'LOGGED_MODEL_READY' AND deleted IS NULL ORDER BY id DESC LIMIT 1
            """, [trainingRun])
        if let logged { return .loggedModel(logged["experiment"], logged["uuid"]) }
        for run in runs {
            let models = try RunQueries.loggedModels(run["id"], db)
            guard let folder = models.last?["artifact_path"]?.string else { continue }
            return ArtifactPath.run(run["experiment"], run["uuid"]).appending(folder)
        }
        return nil
    }
}

extension Transaction {
    func letIn(_ started: TrainingStarted) throws {
        guard let id = started.token, let digest = started.tokenDigest else { return }
        try db.run(
            """
            INSERT INTO training_token (id, training_run, run, project, pipeline, digest, started)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT DO NOTHING
            """,
            [
                id, started.trainingRun, started.run, started.project ?? "", started.pipeline ?? "", digest.bytes,
                try Wire.encode(started),
            ])
    }

    func endTokens(of trainingRun: String) throws {
        try db.run(
            "UPDATE training_token SET ended = ? WHERE training_run = ? AND ended IS NULL",
            [now.milliseconds, trainingRun])
    }
}
