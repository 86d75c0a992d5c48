import Foundation
import Messages
import Store

@testable import Deployer
@testable import ServiceKit

/// What the deployer starts and asks over HTTP, simulated; rollouts, their rows and verbs are its own.
struct SimulatedServing: Sendable {
    let parts: DeployerParts

    init(_ context: ServiceContext) throws {
        parts = DeployerParts(context: context, settings: try Settings([:])) { "http://127.0.0.1:1" }
    }

    var serviceParts: ServiceParts {
        let events = DeployerEvents(rollouts: parts.rollouts)
        let rollback = RollbackEffect(parts: parts)
        return ServiceParts(
            subscriptions: [.triggerService, .registryService, .console],
            handle: { event, transaction in try events.handle(event, transaction) },
            effects: [
                RollbackEffect.kind: { intent in await rollback.carryOut(intent) },
                DriftWatch.kind: { [drift = parts.rollouts.drift] intent in drift.carryOut(intent) },
            ],
            verbs: [
                DeployModelStep(parts: parts).verb,
                .lasting(["deploy/smoke-test"]) { work, _ in try await smokeTest(work) },
            ],
            background: [Loop { await keep() }])
    }

    /// Brings processes up and down, as the keepers do.
    private func keep() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(100))
            let live = (try? await parts.context.store.read { try RolloutQueries.live($0) }) ?? []
            for record in live { try? await keep(record.deployment) }
        }
    }

    private func keep(_ deployment: Deployment) async throws {
        let event: Rollout.Event? =
            switch (deployment.phase.isWanted, deployment.isUp) {
            case (true, false):
                deployment.outcome == nil && deployment.version % 7 == 6
                    ? .failed(deployment.id, reason: "the serving process ended") : .healthy(deployment.id)
            case (true, true): Int.random(in: 0..<200) == 0 ? .died(deployment.id) : nil
            case (false, _): .stopped(deployment.id)
            }
        guard let event else { return }
        try await parts.context.store.write { [rollouts = parts.rollouts] transaction in
            _ = try rollouts.apply(event, to: deployment.endpoint, in: transaction)
        }
    }

    private func smokeTest(_ work: StepWork) async throws -> StepEnding {
        let endpoint = work.with["target"]?.string ?? ""
        let rollout = try await parts.context.store.read { try RolloutQueries.rollout(of: endpoint, $0) }
        guard let tested = rollout.serving else { throw StepFailure("endpoint '\(endpoint)' serves nothing") }
        try await Task.sleep(for: .milliseconds(Int.random(in: 5...300)))
        let passes = tested.version % 5 != 4
        let fact = SmokeTestFinished(
            deployment: tested.id, endpoint: tested.endpoint, model: tested.model, version: tested.version,
            run: work.run.id, outcome: passes ? .succeeded : .failed, attempts: 1, message: "simulated")
        return StepEnding(StepResult(passes ? .succeeded : .failed)) { [rollouts = parts.rollouts] transaction in
            try transaction.publish(
                fact, subject: "deployment/\(tested.id)", key: work.run.id, because: work.causation)
            if !passes, tested.run != work.run.id { return }
            try rollouts.apply(
                passes ? .passed(tested.id) : .testFailed(tested.id, reason: "simulated"), to: tested.endpoint,
                because: work.causation, in: transaction)
        }
    }
}
