import Artifacts
import Foundation
import GRDB
import Messages
import Store

extension Transaction {
    /// The run that `log_as` of a comparison asks for: both numbers, apart from what trainings log (S4-12).
    func log(_ decided: EvaluationDecided) throws {
        guard let logged = decided.logged else { return }
        let project = try KnowledgeQueries.declaration(of: decided.model, db)?.project ?? decided.model
        let name = String((logged.experiment ?? "\(project)-deployment").prefix(Limits.experimentName))
        let held: Int64? = try ExperimentQueries.row(named: name, db)?["id"]
        let experiment = try held ?? createExperiment(name, tags: [])
        let tags = [
            "mlflow.runName": logged.runName, "external_run_id": decided.run, "martlet.decision": decided.decision,
            "martlet.model": decided.model, "martlet.winner": decided.winner.rawValue,
        ]
        let uuid = String(Digest(of: Data(decided.decision.utf8)).hex.prefix(32))
        try create(
            NewRun(
                uuid: uuid, experiment: experiment, name: logged.runName, user: "evaluator", started: now.milliseconds,
                tags: tags.map { KeyValue(key: $0.key, value: $0.value) }))
        let run = try RunQueries.row(uuid, db)
        for (key, value) in logged.metrics {
            let measured = Measurement(key: key, value: value, time: now.milliseconds, step: 0)
            try log(measured, ofRun: run["id"], uuid: uuid)
        }
        try update(run: run, status: "FINISHED", ended: now.milliseconds, name: nil)
    }
}
