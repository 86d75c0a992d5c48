import Foundation
import Messages
import ServiceKit
import Store

/// What the deployer makes of other services' events.
struct DeployerEvents: Sendable {
    let rollouts: Rollouts

    func handle(_ event: ReceivedEvent, _ transaction: Transaction) throws {
        let envelope = event.envelope
        if let project = try envelope.body(ProjectLoaded.self) {
            try transaction.remember(project)
            for model in project.models { try transaction.remember(model) }
        } else if let same = try envelope.body(ProjectUnchanged.self) {
            try transaction.remember(commit: same.sha, of: same.project, digest: same.digest)
        } else if let version = try envelope.body(ModelRegistered.self) {
            try transaction.remember(version)
        } else if let deleted = try envelope.body(ModelVersionDeleted.self) {
            try transaction.forget(deleted)
        } else if let changed = try envelope.body(ModelStageChanged.self) {
            try transaction.remember(changed)
            try look(at: [changed.model], because: envelope, transaction)
        } else if let run = try envelope.body(RunStarted.self) {
            try transaction.opened(run: run.run)
        } else if let run = try envelope.body(RunFinished.self) {
            try transaction.closed(run: run.run)
            for endpoint in try RolloutQueries.endpoints(ofRun: run.run, transaction.db) {
                try rollouts.apply(
                    .runEnded(run.run, succeeded: run.outcome == .succeeded), to: endpoint,
                    because: envelope.consequence.acting(as: "service:deployer"), in: transaction)
                try look(at: endpoint, because: envelope, transaction)
            }
            try look(at: try DriftQueries.models(movedBy: run.run, transaction.db), because: envelope, transaction)
        } else if let command = try envelope.body(RollbackRequested.self) {
            let serving = try RolloutQueries.endpoint(command.endpoint, transaction.db)?.current
            // Bringing the version before up takes a while: after the commit, and again after a crash.
            try transaction.intend(
                RollbackEffect.kind, id: envelope.id,
                payload: RollbackEffect.Order(
                    command: envelope.id, endpoint: command.endpoint,
                    reason: command.reason ?? "asked for by \(envelope.actor)", causation: envelope.consequence,
                    serving: serving))
        }
    }

    private func look(at models: [String], because envelope: Envelope, _ transaction: Transaction) throws {
        for model in models {
            for endpoint in try DriftQueries.endpoints(of: model, transaction.db) {
                try look(at: endpoint, because: envelope, transaction)
            }
        }
    }

    private func look(at endpoint: String, because envelope: Envelope, _ transaction: Transaction) throws {
        let causation = envelope.consequence.acting(as: "service:deployer")
        try rollouts.drift.look(at: endpoint, because: causation, in: transaction)
    }
}
