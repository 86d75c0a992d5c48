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
    ///
    /// - Parameter machine: the rules, where they are not just the model's own.
    func carryOut(
        _ order: TransitionOrder, machine given: StageMachine? = nil, because: Causation
    ) throws -> CompletedTransition {
        let model = order.model
        let number = try VersionLookup.number(order.selector, of: model, in: db)
        let machine = try given ?? KnowledgeQueries.machine(of: model, db)
        let transition = Transition(
            model: model, version: number, to: order.to, expect: order.expect,
            expectHolder: order.expectHolder, actor: order.actor, run: order.run)
        let expects = order.expect != nil || order.expectHolder != nil
        let latest = try expects ? StageQueries.latest(of: number, model, db) : nil
        let holders = try StageQueries.holders(of: model, db)
        let verdict = try transition.decide(machine: machine, holders: holders, latest: latest)
        if case .move = verdict { try check(order, of: number) }
        switch verdict {
        case .unchanged:
            return CompletedTransition(version: number, stage: machine.name(of: holders[number]), replaced: [])
        case .move(let own, let replaced):
            let note = ModelStageChanged(
                model: model, version: own.version, replaced: replaced, reason: order.reason, run: order.run,
                decision: order.decision, approval: order.approval)
            try move(own, replaced: replaced, note: note, because: because)
            return CompletedTransition(version: own.version, stage: machine.name(of: own.to), replaced: replaced)
        }
    }

    /// A decision counts only while what it compared with is still there: in this transaction nobody changes it (E13).
    private func check(_ order: TransitionOrder, of number: Int) throws {
        guard let digest = order.decision else { return }
        let version = try VersionLookup.one(.number(number), of: order.model, in: db)
        guard let decision = try JudgementQueries.decision(digest, db) else {
            throw Refusal(
                "decision '\(digest)' is not known: give registry/transition the output decision of evaluate/compare")
        }
        let selector = decision.championSelector.flatMap { VersionSelector($0) }
        let champion =
            try selector.map { try newest($0, of: order.model, besides: version) } ?? decision.champion?.version
        try DecisionUse(decision: decision, champion: champion).check(
            model: order.model, version: version.number, trainingRun: version.facts.trainingRun,
            artifact: version.facts.artifact.digest)
    }

    /// The newest version that a selector means, but for the challenger and others made of the same training run.
    private func newest(_ selector: VersionSelector, of model: String, besides version: Version) throws -> Int? {
        let mirror = try KnowledgeQueries.mirror(of: model, db)
        let matches = try VersionQueries.matches(selector, of: model, mirror: mirror, limit: 1_000, db)
        return try matches.first { number in
            guard number != version.number else { return false }
            let run = try VersionQueries.version(number, of: model, db)?.facts.trainingRun
            return run == nil || run != version.facts.trainingRun
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
