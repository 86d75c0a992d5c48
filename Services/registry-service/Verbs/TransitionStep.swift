import Messages
import ServiceKit
import Store

/// `registry/transition`: moves a version to another stage, under the rules that its project declares.
enum TransitionStep {
    static let verb = StepVerb.transactional(["registry/transition"]) { work, tx in try perform(work, in: tx) }

    static func perform(_ work: StepWork, in tx: Transaction) throws -> StepResult {
        let input = StepInput(work: work)
        let because = work.causation.acting(as: work.actor.name)
        let order: TransitionOrder
        do {
            let model = try input.model()
            let owner = try KnowledgeQueries.declaration(of: model, tx.db)?.project
            try checkOwner(of: model, declaredBy: owner, asking: work.run.project)
            let reason = try input.text("reason") ?? "\(work.run.pipeline) #\(work.run.number), step \(work.step)"
            order = TransitionOrder(
                model: model, selector: try input.selector("version"), to: try input.required("to"),
                expect: try input.text("expect"),
                expectHolder: try Transition.holder(work.with["expect_holder"], key: "with.expect_holder"),
                actor: work.actor, reason: reason,
                run: work.run.id, decision: try input.text("decision"), approval: try approval(of: input))
        } catch let refusal as Refusal {
            return StepResult(.failed, message: refusal.reason)
        }
        do {
            let done = try tx.carryOut(order, because: because)
            return StepResult(
                .succeeded,
                outputs: [
                    "model": .string(order.model), "version": .int(done.version),
                    "stage": .string(done.stage),
                    "replaced": .array(done.replaced.map { .int($0.version) }),
                ])
        } catch let refusal as Refusal {
            try tx.refuse(order, reason: refusal.reason, command: nil, because: because)
            return StepResult(.failed, message: refusal.reason)
        }
    }

    /// What people agreed to is known of the job; what the project file says of it is no evidence (C-3).
    private static func approval(of input: StepInput) throws(Refusal) -> String? {
        let granted = input.work.approval
        if let said = try input.text("approval"), said != granted {
            let known = granted.map { "approval '\($0)'" } ?? "none"
            throw Refusal("with.approval: '\(said)' is not what this job was granted, which is \(known): leave it out")
        }
        return granted
    }
}
