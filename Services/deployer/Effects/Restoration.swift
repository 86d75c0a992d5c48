import Foundation
import Messages
import ServiceKit
import Store

/// Brings the version before up, so that the endpoint can go back to it without a gap.
struct Restoration: Sendable {
    let parts: DeployerParts

    /// Returns when the predecessor answers, or will not in time: then the endpoint goes back all the same, and the
    /// keeper goes on trying.
    func prepare(_ endpoint: String) async throws {
        let seconds = try await parts.context.store.write { [rollouts = parts.rollouts] transaction -> Double? in
            let before = try RolloutQueries.rollout(of: endpoint, transaction.db)
            guard let predecessor = before.predecessor else { return nil }
            try rollouts.apply(.rollbackPrepared, to: endpoint, in: transaction)
            return predecessor.recipe.target.patience
        }
        guard let seconds else { return }
        _ = try await firstOf(
            {
                try await parts.bell.until {
                    let rollout = try await parts.context.store.read { db in
                        try RolloutQueries.rollout(of: endpoint, db)
                    }
                    guard let predecessor = rollout.predecessor else { return () }
                    return predecessor.isUp ? () : nil
                }
            },
            { try await Task.sleep(for: .seconds(seconds)) })
    }
}
