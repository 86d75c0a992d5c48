import Foundation
import Messages
import ServiceKit
import Store

/// Looks at an endpoint some time after the last change to it or to its model, and says whether it has drifted.
struct DriftWatch: Sendable {
    static let kind = "drift"

    struct Look: Codable, Sendable, Hashable {
        var endpoint: String
        var causation: Causation
    }

    /// How long what serves may disagree with what should: a rollback and its stage change are two commits.
    let grace: Duration

    /// Asks for a look; one that was asked for earlier is no longer wanted.
    func look(at endpoint: String, because causation: Causation, in transaction: Transaction) throws {
        let id = transaction.newID()
        try transaction.save(look: id, at: endpoint)
        try transaction.intend(
            Self.kind, id: id, payload: Look(endpoint: endpoint, causation: causation),
            at: transaction.now.advanced(by: grace))
    }

    func carryOut(_ intent: Intent) -> EffectOutcome {
        do {
            let look = try intent.decode(Look.self)
            return .done { transaction in
                guard try DriftQueries.told(of: look.endpoint, transaction.db).look == intent.id else { return }
                try judge(look, transaction)
            }
        } catch {
            return .never(reason: "\(error)") { _ in }
        }
    }

    private func judge(_ look: Look, _ transaction: Transaction) throws {
        let agreement = try DriftQueries.agreement(of: look.endpoint, transaction.db)
        let told = try DriftQueries.told(of: look.endpoint, transaction.db).drift
        switch agreement.verdict() {
        case .undecided:
            // The end of the run asks again.
            return
        case .holds(let stage):
            if let stage, let serving = agreement.serving, serving.stage == nil {
                try transaction.save(stage: stage, of: serving.id)
            }
            guard told != nil, let endpoint = try RolloutQueries.endpoint(look.endpoint, transaction.db) else { return }
            try transaction.save(drift: nil, of: look.endpoint)
            try transaction.publish(
                DeploymentSettled(
                    endpoint: endpoint.name, project: endpoint.project, model: endpoint.model,
                    version: agreement.serving?.version),
                subject: "endpoint/\(endpoint.name)", key: endpoint.name, because: look.causation)
        case .drifted(let drift):
            guard told != drift.reason, let serving = agreement.serving else { return }
            try transaction.save(drift: drift.reason, of: look.endpoint)
            try transaction.publish(
                DeploymentDrifted(
                    endpoint: look.endpoint, project: serving.project, model: serving.model, version: serving.version,
                    deployment: serving.id, cause: drift.cause, stage: drift.stage, expected: drift.expected,
                    reason: drift.reason),
                subject: "endpoint/\(look.endpoint)", key: look.endpoint, because: look.causation)
        }
    }
}
