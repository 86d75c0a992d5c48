import GRDB
import Messages
import Store

/// A decision that was won and not made use of yet.
struct StandingDecision: Hashable, Sendable {
    var decision: String
    var run: String
    var stage: String
    var champion: Int?
    var challenger: Int?
    var trainingRun: String?
}

extension Transaction {
    /// Remembers a won comparison against a stage's holder until it is used or void; for a quarter of a year at most.
    func keepStanding(_ decision: Decision, digest: Digest, stage: String) throws {
        let inputs = decision.inputs
        let quarter = now.milliseconds - 90 * 24 * 3_600_000
        try db.cachedStatement(sql: "DELETE FROM standing WHERE time < ?").execute(arguments: [quarter])
        try db.cachedStatement(
            sql: """
                INSERT INTO standing (decision, run, model, stage, champion, challenger, training_run, time)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: [
            digest.text, inputs.run, inputs.model, stage, inputs.champion?.version, inputs.challenger.version,
            inputs.challenger.trainingRun, now.milliseconds,
        ])
    }

    /// Stages moved: says which decisions hold no longer (E13), and forgets those that came true.
    func reviewStanding(of model: String, because: Causation) throws {
        let rows = try Row.fetchAll(
            db.cachedStatement(
                sql: "SELECT decision, run, stage, champion, challenger, training_run FROM standing WHERE model = ?"),
            arguments: [model])
        for row in rows {
            let standing = StandingDecision(
                decision: row["decision"], run: row["run"], stage: row["stage"], champion: row["champion"],
                challenger: row["challenger"], trainingRun: row["training_run"])
            let holder = try ProjectionQueries.newest(
                .stage(standing.stage), of: model, excluding: standing.challenger, run: standing.trainingRun, db)
            let isUsed = try isHeld(standing, model: model)
            guard isUsed || holder?.number != standing.champion else { continue }
            try db.cachedStatement(sql: "DELETE FROM standing WHERE decision = ?").execute(arguments: [
                standing.decision
            ])
            if isUsed { continue }
            let words = { (version: Int?) in version.map { "version \($0)" } ?? "nobody" }
            try publish(
                EvaluationVoided(
                    decision: standing.decision, run: standing.run, model: model, champion: standing.champion,
                    now: holder?.number,
                    reason: "it compared with \(words(standing.champion)), and '\(standing.stage)' is now held by "
                        + words(holder?.number)),
                subject: "model/\(model)", key: model, because: because)
        }
    }

    private func isHeld(_ standing: StandingDecision, model: String) throws -> Bool {
        try Bool.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT EXISTS (SELECT 1 FROM version WHERE model = ? AND stage = ? AND (version IS ? OR training_run IS ?))
                    """), arguments: [model, standing.stage, standing.challenger ?? -1, standing.trainingRun ?? ""])
            ?? false
    }
}
