import Messages
import Store

/// A wish for another stage with what is remembered of it; steps and people's commands become the same order.
struct TransitionOrder: Sendable {
    var model: String
    var selector: VersionSelector
    var to: String
    var expect: String?
    var expectHolder: Int??
    var actor: Actor
    var reason: String
    var run: String?
    var decision: String?
    var approval: String?
}

struct CompletedTransition: Sendable {
    var version: Int
    /// For people and expressions.
    var stage: String
    var replaced: [StageMove]
}

extension Transaction {
    /// - Throws: `Refusal`; then nothing was written.
    func carryOut(_ order: TransitionOrder, because: Causation) throws -> CompletedTransition {
        let model = order.model
        let version = try VersionLookup.one(order.selector, of: model, in: db)
        guard let machine = try KnowledgeQueries.declaration(of: model, db)?.model.stages else {
            throw Refusal("model '\(model)' declares no stages: declare model.stages in martlet.yml")
        }
        let transition = Transition(
            model: model, version: version.number, to: order.to, expect: order.expect,
            expectHolder: order.expectHolder, actor: order.actor)
        switch try transition.decide(machine: machine, holders: try StageQueries.holders(of: model, db)) {
        case .unchanged:
            return CompletedTransition(version: version.number, stage: machine.name(of: version.stage), replaced: [])
        case .move(let own, let replaced):
            let note = ModelStageChanged(
                model: model, version: own.version, replaced: replaced, reason: order.reason, run: order.run,
                decision: order.decision, approval: order.approval)
            try move(own, replaced: replaced, note: note, because: because)
            return CompletedTransition(version: own.version, stage: machine.name(of: own.to), replaced: replaced)
        }
    }

    /// Says that a wish was refused, and why (S0-19).
    func refuse(_ order: TransitionOrder, reason: String, command: String?, because: Causation) throws {
        let body = ModelTransitionRefused(
            model: order.model, version: order.selector.description, to: order.to, reason: reason, command: command,
            run: order.run)
        try publish(body, subject: "model/\(order.model)", key: order.model, because: because)
    }
}
