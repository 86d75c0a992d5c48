import Foundation
import GRDB
import Messages

let modelProjections: [Projection] = [
    .on(ModelRegistered.self) { body, envelope, db in
        // A number that is known already is that of a version that the registry has lost: the new one takes its place.
        try db.run(
            """
            INSERT INTO versions (model, version, training_run, run, project, sha, artifact_json, metrics_json,
            params_json, tags_json, environment, registered, event, lineage_json)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (model, version) DO UPDATE SET stage = CASE WHEN event = excluded.event THEN stage END,
            tags_json = CASE WHEN event = excluded.event THEN tags_json ELSE excluded.tags_json END,
            training_run = excluded.training_run, run = excluded.run, project = excluded.project, sha = excluded.sha,
            artifact_json = excluded.artifact_json, metrics_json = excluded.metrics_json,
            params_json = excluded.params_json, environment = excluded.environment, registered = excluded.registered,
            event = excluded.event, lineage_json = excluded.lineage_json, deleted = NULL
            """,
            [
                body.model, body.version, body.trainingRun, body.run, body.project, body.git?.sha,
                try jsonText(body.artifact), try jsonText(body.metrics), try jsonText(body.params),
                try jsonText(body.tags), body.environment?.text, envelope.time.text, envelope.id,
                try jsonText(Lineage(body)),
            ])
    },
    .on(ModelTagged.self) { body, _, db in
        let known = try String.fetchOne(
            db.cachedStatement(sql: "SELECT tags_json FROM versions WHERE model = ? AND version = ?"),
            arguments: [body.model, body.version])
        var tags = try Wire.decode([String: String].self, from: Data((known ?? "{}").utf8))
        tags.merge(body.set) { $1 }
        for name in body.removed { tags[name] = nil }
        try db.run(
            "UPDATE versions SET tags_json = ? WHERE model = ? AND version = ?",
            [try jsonText(tags), body.model, body.version])
    },
    .on(ModelStageChanged.self) { body, envelope, db in
        // Who makes room comes first, so that reading the history in order never shows two holders.
        for move in body.replaced {
            // A change taken back gives stages back; nobody was replaced.
            let reason = body.compensates == nil ? "replaced by version \(body.version)" : body.reason
            try moveStage(move, body, reason, envelope, db)
        }
        try moveStage(
            StageMove(version: body.version, from: body.from, to: body.to), body, body.reason, envelope, db)
    },
    .on(ModelHistoryChecked.self) { body, envelope, db in
        // All that the registry had told by then is here: both must have come to the same.
        let known = try HistoryQueries.told(body.model, db)
        let differs = known.last.map { $0 != body.history } ?? false
        let problem =
            body.problem ?? known.problem
            ?? (differs ? "the registry's history is not the one that it told the console" : nil)
        try db.answer(
            body.command, accepted: problem == nil, reason: problem ?? "\(body.history.moves) moves", by: envelope)
    },
    // What it was until then stays.
    .on(ModelVersionDeleted.self) { body, envelope, db in
        try db.run(
            "UPDATE versions SET deleted = ?, stage = NULL WHERE model = ? AND version = ?",
            [envelope.time.text, body.model, body.version])
    },
]

/// Where a version comes from, beside what the other columns say.
private struct Lineage: Encodable {
    var branch: String?
    var repository: String?
    var message: String?
    var build: BuildReference?
    var tests: String?
    var dataset: DatasetReference?
    var environment: EnvironmentReference?
    var predictions: Digest?
    var snapshot: Digest?

    init(_ body: ModelRegistered) {
        branch = body.git?.branch
        repository = body.git?.url
        message = body.git?.message
        build = body.build
        tests = body.tests
        dataset = body.dataset
        environment = body.environmentVersion
        predictions = body.predictions
        snapshot = body.snapshot
    }
}

private func moveStage(
    _ move: StageMove, _ body: ModelStageChanged, _ reason: String, _ envelope: Envelope, _ db: Database
) throws {
    try db.run(
        "UPDATE versions SET stage = ? WHERE model = ? AND version = ?", [move.to, body.model, move.version])
    try db.run(
        """
        INSERT OR IGNORE INTO stage_history (model, version, from_stage, to_stage, time, actor, reason, run, decision,
        approval, compensates, event) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
        [
            body.model, move.version, move.from, move.to, envelope.time.text, envelope.actor, reason, body.run,
            body.decision, body.approval, body.compensates, envelope.id,
        ])
}
