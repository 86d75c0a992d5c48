import GRDB
import Messages
import ServiceKit
import Store

/// `evaluate/assert`: holds one number of a training run against declared limits.
enum AssertStep {
    static let verb = StepVerb.transactional(["evaluate/assert"]) { work, tx in try perform(work, in: tx.db) }

    static func perform(_ work: StepWork, in db: Database) throws -> StepResult {
        do {
            let assertion = try Assertion(work.with)
            guard let id = try work.with.text("run") else {
                throw Refusal("with.run is missing: give the run_id of a train/run step")
            }
            guard let run = try ProjectionQueries.run(id, db) else {
                throw Refusal("there is no training run '\(id)': give evaluate/assert the run_id of a train/run step")
            }
            let (holds, message) = assertion.judge(run.source)
            let value = run.source.value(of: assertion.metric)
            return StepResult(
                holds ? .succeeded : assertion.onFail.outcome,
                outputs: ["passed": .bool(holds), "value": value.map { .double($0) } ?? .null],
                message: message.shortened())
        } catch let refusal as Refusal {
            return StepResult(.failed, message: refusal.reason.shortened())
        }
    }
}
