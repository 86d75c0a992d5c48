import GRDB
import Messages
import ServiceKit
import Store

/// `evaluate/compare`: champion against challenger by the declared rule; the decision is stored with its event.
enum CompareStep {
    static let verb = StepVerb.transactional(["evaluate/compare"]) { work, tx in try perform(work, in: tx) }

    static func perform(_ work: StepWork, in tx: Transaction) throws -> StepResult {
        // The same item again is the same question: it gets the answer that it got, whatever was registered since.
        if let earlier = try RecordQueries.decision(of: work.item, tx.db) {
            return earlier.decision.result(digest: earlier.digest)
        }
        do {
            let model = try work.modelName()
            let declared = try ProjectionQueries.champion(of: model, tx.db)
            let decision = try decide(try ComparisonInput(work, declared: declared), work: work, in: tx.db)
            let digest = try tx.insert(decision)
            try tx.publish(
                decision.event(digest: digest, step: "\(work.job)/\(work.step)", rule: try decision.rule.asJSON()),
                subject: "model/\(model)", key: model,
                because: work.causation.acting(as: "pipeline:\(work.run.pipeline)"))
            return decision.result(digest: digest)
        } catch let refusal as Refusal {
            return StepResult(.failed, message: refusal.reason.shortened())
        }
    }

    private static func decide(_ input: ComparisonInput, work: StepWork, in db: Database) throws -> Decision {
        let metric = input.rule.metric
        let challenger = try Candidates.challenger(input, in: db)
        let champion = try Candidates.champion(input, against: challenger, in: db)
        let value = challenger.source.value(of: metric)
        let verdict = try input.rule.judge(
            challenger: value, champion: champion.map { $0.source.value(of: metric) }, remark: input.remark,
            names: (challenger.source.names, champion?.source.names ?? []))
        return Decision(
            inputs: Decision.Inputs(
                item: work.item, run: work.run.id, model: input.model,
                challenger: EvaluatedCandidate(
                    version: challenger.version, trainingRun: challenger.trainingRun, value: value),
                champion: champion.map {
                    EvaluatedCandidate(
                        version: $0.number, trainingRun: $0.trainingRun, value: $0.source.value(of: metric))
                },
                championSelector: input.champion?.description),
            rule: input.rule, winner: verdict.winner, reason: verdict.reason, message: verdict.message.shortened())
    }
}

extension Decision {
    func event(digest: Digest, step: String, rule: JSONValue) -> EvaluationDecided {
        EvaluationDecided(
            decision: digest.text, run: inputs.run, step: step, model: inputs.model, winner: winner, rule: rule,
            metric: self.rule.metric, challenger: inputs.challenger, champion: inputs.champion, reason: reason,
            message: message)
    }
}

extension ComparisonRule {
    func asJSON() throws -> JSONValue { try Wire.tree(self) }
}
