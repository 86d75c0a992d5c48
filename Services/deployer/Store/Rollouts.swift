import Foundation
import GRDB
import Messages
import Store

/// Brings what happens to an endpoint through its state machine, in one transaction with what others get to know.
struct Rollouts: Sendable {
    let addresses: EndpointAddresses
    /// Rung after each commit that changed an endpoint.
    let bell: Bell
    let drift: DriftWatch

    /// - Parameter causation: whose doing it is; the deployment's own where it is not given.
    @discardableResult
    func apply(
        _ event: Rollout.Event, to endpoint: String, because causation: Causation? = nil, in transaction: Transaction
    ) throws -> Rollout {
        let before = try RolloutQueries.rollout(of: endpoint, transaction.db)
        var rollout = before
        let facts = try rollout.handle(event)
        guard rollout != before else { return rollout }
        try transaction.save(rollout, before: before)
        for fact in facts { try publish(fact, of: rollout, before: before, causation, transaction) }
        if let about = rollout.serving ?? before.serving,
            (rollout.current, rollout.serving?.trouble) != (before.current, before.serving?.trouble)
        {
            try drift.look(at: endpoint, because: causation ?? about.causation, in: transaction)
        }
        transaction.db.afterNextTransaction(onCommit: { [bell] _ in bell.ring() })
        return rollout
    }

    private func publish(
        _ fact: Rollout.Fact, of rollout: Rollout, before: Rollout, _ causation: Causation?, _ transaction: Transaction
    ) throws {
        switch fact {
        case .began(let id):
            guard let deployment = rollout[id] else { return }
            try transaction.publish(
                DeploymentStarted(
                    deployment: id, endpoint: rollout.endpoint, target: deployment.target, model: deployment.model,
                    version: deployment.version, run: deployment.run),
                subject: "deployment/\(id)", key: deployment.run, because: causation ?? deployment.causation)
        case .finished(let id, let outcome, let message):
            guard let deployment = rollout[id] else { return }
            let url = addresses.scoring(rollout.endpoint, deployment.recipe.target.score)
            try transaction.publish(
                DeploymentFinished(
                    deployment: id, endpoint: rollout.endpoint, target: deployment.target, model: deployment.model,
                    version: deployment.version, run: deployment.run, outcome: outcome, message: message,
                    scoringURL: outcome == .succeeded ? url : nil),
                subject: "deployment/\(id)", key: deployment.run, because: causation ?? deployment.causation)
        case .rolledBack(let id, let restored, let reason):
            guard let deployment = rollout[id] else { return }
            try transaction.publish(
                DeploymentRolledBack(
                    deployment: id, endpoint: rollout.endpoint, target: deployment.target, model: deployment.model,
                    version: deployment.version, restored: restored.flatMap { rollout[$0]?.version },
                    run: deployment.run, reason: reason),
                subject: "deployment/\(id)", key: deployment.run, because: causation ?? deployment.causation)
        case .changed(let state):
            // When nothing serves any more, the one that served last still says what the endpoint is about.
            guard let about = rollout.serving ?? before.serving else { return }
            try transaction.publish(
                EndpointChanged(
                    endpoint: rollout.endpoint, url: addresses.base(rollout.endpoint), model: about.model,
                    version: rollout.serving?.version, deployment: rollout.current, state: state.rawValue),
                subject: "endpoint/\(rollout.endpoint)", key: rollout.endpoint,
                because: causation ?? about.causation)
        }
    }
}

/// The stable URLs that the gateway answers.
struct EndpointAddresses: Sendable {
    /// Without a slash at its end.
    let root: @Sendable () -> String

    func base(_ endpoint: String) -> String { "\(root())/endpoints/\(endpoint)/" }
    func scoring(_ endpoint: String, _ path: String) -> String { "\(root())/endpoints/\(endpoint)\(path)" }
}
