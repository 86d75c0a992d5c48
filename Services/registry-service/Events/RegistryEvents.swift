import Messages
import ServiceKit
import Store

/// What the registry makes of what other services say.
enum RegistryEvents {
    static func handle(_ event: ReceivedEvent, in tx: Transaction) throws {
        let envelope = event.envelope
        if let loaded = try envelope.body(ProjectLoaded.self) {
            try tx.withdraw(declarationsOf: loaded.project, except: loaded.models.map(\.name))
            for model in loaded.models { try tx.declare(model, by: loaded.project) }
        } else if let retired = try envelope.body(ProjectRetired.self) {
            try tx.withdraw(declarationsOf: retired.project, except: [])
        } else if let started = try envelope.body(TrainingStarted.self) {
            try tx.letIn(started)
        } else if let finished = try envelope.body(TrainingFinished.self) {
            try tx.remember(finished)
            try tx.endTokens(of: finished.trainingRun)
        } else if let wish = try envelope.body(TransitionRequested.self) {
            try tx.answer(wish, asked: envelope)
        } else if let decided = try envelope.body(EvaluationDecided.self) {
            if try tx.remember(decided) { try tx.log(decided) }
        } else if let tested = try envelope.body(TestSuiteFinished.self) {
            try tx.remember(tested)
        } else if let wish = try envelope.body(HistoryCheckRequested.self) {
            try tx.review(wish, asked: envelope)
        } else if let changed = try envelope.body(EndpointChanged.self) {
            try tx.remember(endpoint: changed.endpoint, model: changed.model, serves: changed.version)
        } else if let finished = try envelope.body(DeploymentFinished.self) {
            try tx.follow(finished, because: envelope.consequence)
        } else if let back = try envelope.body(DeploymentRolledBack.self) {
            try tx.follow(back, because: envelope.consequence)
        }
    }
}

extension Transaction {
    /// A person's wish: carried out or refused, and answered either way.
    fileprivate func answer(_ wish: TransitionRequested, asked envelope: Envelope) throws {
        let because = envelope.consequence
        do {
            guard let selector = VersionSelector(wish.version) else {
                throw Refusal("'\(wish.version)' is no version; write \(VersionSelector.forms)")
            }
            let order = TransitionOrder(
                model: wish.model, selector: selector, to: wish.to, expect: wish.expect,
                expectHolder: try Transition.holder(wish.expectHolder.map { .string($0) }, key: "expect_holder"),
                actor: Actor(name: envelope.actor, groups: wish.groups),
                reason: wish.reason ?? "asked for by \(envelope.actor)")
            do {
                _ = try carryOut(order, because: because)
                try answer(envelope, model: wish.model, accepted: true, reason: nil)
            } catch let refusal as Refusal {
                try refuse(order, reason: refusal.reason, command: envelope.id, because: because)
                throw refusal
            }
        } catch let refusal as Refusal {
            try answer(envelope, model: wish.model, accepted: false, reason: refusal.reason)
        }
    }

    private func answer(_ command: Envelope, model: String, accepted: Bool, reason: String?) throws {
        try publish(
            ModelCommandAnswered(command: command.id, accepted: accepted, reason: reason), subject: "model/\(model)",
            key: model, because: command.consequence)
    }
}
