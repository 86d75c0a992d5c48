import Foundation
import Messages

/// One attempt to serve one version at one endpoint.
struct Deployment: Sendable, Hashable {
    /// Where it is between its start and the end of its process.
    enum Phase: String, Sendable, Hashable, CaseIterable {
        /// Its process is being started; nobody is sent there yet.
        case starting
        /// The endpoint's URL leads to it.
        case serving
        /// Replaced, its process kept alive so that going back takes no time.
        case standby
        /// No longer wanted: its last requests finish, then its process ends.
        case retiring
        /// It has no process.
        case ended

        /// Whether a process belongs to it.
        var isWanted: Bool {
            switch self {
            case .starting, .serving, .standby: true
            case .retiring, .ended: false
            }
        }
    }

    let id: String
    /// The step that asked for it: its idempotency key.
    let item: String
    let endpoint: String
    let project: String
    let target: String
    let model: String
    let version: Int
    let run: String
    let recipe: Recipe
    let causation: Causation

    var phase: Phase = .starting
    /// The process answers.
    var isUp = false
    /// It passed its smoke test, or its run succeeded: worth going back to.
    var isProven = false
    var isRolledBack = false
    /// The one that served when this one took over.
    var previous: String?
    /// How the attempt ended; `nil` while it is starting.
    var outcome: Outcome?
    var message: String?
    /// Why its process does not come up again; `nil` while it runs, or was not tried often enough to say so.
    var trouble: String?
    /// The model's stage that it stands for: the first that its version held with no change under way.
    var stage: String?
}

/// Everything needed to start a version's process, now and again after a crash or for a rollback.
struct Recipe: Sendable, Hashable, Codable {
    var target: ProcessTarget
    var artifact: Digest
    /// The files of the commit whose run deploys, which holds the serving program.
    var snapshot: Digest?
    var environment: Digest?
}
