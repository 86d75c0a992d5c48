import Foundation
import Messages
import ServiceKit
import Store

/// Carries out a person's wish to go back.
struct RollbackEffect: Sendable {
    static let kind = "rollback"

    struct Order: Codable, Sendable, Hashable {
        /// Id of the command event.
        var command: String
        var endpoint: String
        var reason: String
        var causation: Causation
        /// The deployment that served when it was asked for: only that one is taken back.
        var serving: String?
    }

    let parts: DeployerParts

    func carryOut(_ intent: Intent) async -> EffectOutcome {
        do {
            let order = try intent.decode(Order.self)
            try await Restoration(parts: parts).prepare(order.endpoint)
            return .done { [rollouts = parts.rollouts] transaction in
                var refusal: String?
                do {
                    guard try RolloutQueries.endpoint(order.endpoint, transaction.db) != nil else {
                        throw Rollout.Refusal(description: "there is no endpoint '\(order.endpoint)'")
                    }
                    try rollouts.apply(
                        .rollback(reason: order.reason, of: order.serving), to: order.endpoint,
                        because: order.causation, in: transaction)
                } catch let refused as Rollout.Refusal {
                    refusal = refused.description
                }
                try transaction.publish(
                    DeployerCommandAnswered(command: order.command, accepted: refusal == nil, reason: refusal),
                    subject: "endpoint/\(order.endpoint)", key: order.endpoint, because: order.causation)
            }
        } catch {
            return .later(reason: "\(error)")
        }
    }
}
