import Messages
import Store

/// The registry's half of the saga: a deployment that failed takes its run's stage changes back with it (X8).
extension Transaction {
    private static var registry: String { "service:registry-service" }

    func follow(_ finished: DeploymentFinished, because: Causation) throws {
        let stands = finished.outcome == .succeeded
        try remember(
            deployment: finished.deployment, run: finished.run, model: finished.model, version: finished.version,
            state: stands ? "standing" : "failed")
        guard !stands, let run = finished.run else { return }
        try takeBack(
            model: finished.model, version: finished.version, run: run, deployment: finished.deployment,
            reason: finished.message ?? "deployment to \(finished.endpoint) ended \(finished.outcome.rawValue)",
            isWish: false, because: because)
    }

    func follow(_ back: DeploymentRolledBack, because: Causation) throws {
        try remember(
            deployment: back.deployment, run: back.run, model: back.model, version: back.version, state: "taken back")
        guard let run = back.run else { return }
        try takeBack(
            model: back.model, version: back.version, run: run, deployment: back.deployment, reason: back.reason,
            isWish: true, because: because)
    }

    private func takeBack(
        model: String, version: Int, run: String, deployment: String, reason: String, isWish: Bool,
        because: Causation
    ) throws {
        guard let machine = try KnowledgeQueries.declaration(of: model, db)?.model.stages else { return }
        let covered = try KnowledgeQueries.covered(run: run, model: model, version: version, by: deployment, db)
        let compensation = Compensation(model: model, version: version, run: run, after: covered)
        let history = try StageQueries.history(of: model, db)
        let holders = try StageQueries.holders(of: model, db)
        // A person who takes a version back also moves its stage; a failure is answered by the registry itself.
        let author = because.actor.hasPrefix("user:") && isWish ? because : because.acting(as: Self.registry)
        switch compensation.decide(history: history, machine: machine, holders: holders) {
        case .nothing:
            return
        case .changedSince(let why):
            let body = ModelTransitionRefused(
                model: model, version: String(version), to: "the stage before run \(run)",
                reason: "\(why) (deployment: \(reason))", run: run)
            try publish(body, subject: "model/\(model)/\(version)", key: model, because: author)
        case .takeBack(let steps):
            for step in steps {
                let left =
                    step.left.isEmpty
                    ? "" : "; left as moved meanwhile: version " + step.left.map(String.init).joined(separator: ", ")
                let note = ModelStageChanged(
                    model: model, version: version, replaced: [], reason: "taken back: \(reason)\(left)", run: run,
                    compensates: step.event)
                try move(step.move, replaced: step.restored, note: note, because: author)
            }
        }
    }
}
