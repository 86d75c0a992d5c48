import Foundation
import Messages
import ServiceKit
import Store

/// `deploy/rollback`: the endpoint goes back to the last version before that passed.
struct RollbackStep: Sendable {
    let parts: DeployerParts

    var verb: StepVerb {
        .lasting(["deploy/rollback"]) { work, _ in try await perform(work) }
    }

    func perform(_ work: StepWork) async throws -> StepEnding {
        guard let target = work.with["target"]?.string else { throw StepFailure("with.target is missing") }
        let endpoint: String
        do {
            endpoint = try EndpointName.checked(work.with["name"]?.scalarText, target: target)
        } catch {
            throw StepFailure("\(error)")
        }
        let rollout = try await parts.context.store.read { db in try RolloutQueries.rollout(of: endpoint, db) }
        guard let serving = rollout.serving else { throw StepFailure("endpoint '\(endpoint)' serves nothing") }
        guard let restored = rollout.predecessor else {
            throw StepFailure("endpoint '\(endpoint)' has no version before \(serving.version) that passed")
        }
        try await Restoration(parts: parts).prepare(endpoint)
        let reason = work.with["reason"]?.scalarText ?? "asked for by a step of run \(work.run.id)"
        let outputs: JSONValue = [
            "endpoint": .string(endpoint), "version": .int(restored.version), "deployment": .string(restored.id),
            "taken_back": .int(serving.version), "url": .string(parts.addresses.base(endpoint)),
        ]
        let message = "Endpoint \(endpoint) went back from version \(serving.version) to \(restored.version)"
        return StepEnding(StepResult(.succeeded, outputs: outputs, message: message)) {
            [rollouts = parts.rollouts] transaction in
            do {
                try rollouts.apply(
                    .rollback(reason: reason, of: serving.id), to: endpoint, because: work.causation, in: transaction)
            } catch let refused as Rollout.Refusal {
                // Somebody else's deployment or rollback came first: no later try would change that.
                throw StepFailure(refused.description)
            }
        }
    }
}
