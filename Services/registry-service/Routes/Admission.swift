import Hummingbird
import Messages
import ServiceKit
import Store

/// Who may come in at the MLflow door: whoever has a token whose role suffices, and code in training with its run's own.
struct Admission: Sendable {
    private let store: StateStore
    private let gate: TokenGate

    init(store: StateStore, settings: Settings) {
        self.store = store
        gate = TokenGate(hosts: settings.hosts, hostsSetting: "MARTLET_REGISTRY_HOSTS") { id in
            try await store.read { db in
                id.hasPrefix(TrainingQueries.mark)
                    ? try TrainingQueries.token(id, db)?.stored : try APITokens.token(id, in: db)
            }
        }
    }

    func admit(_ request: Request, _ need: Need) async throws -> Caller {
        do {
            // MLflow's clients know a user's name and a password too: the password is the token.
            let person = try await gate.admit(request, role: need.role, basic: true)
            guard person.token.hasPrefix(TrainingQueries.mark) else {
                return Caller(actor: Actor(name: person.actor, groups: person.groups), name: person.name)
            }
            guard let token = try await store.read({ db in try TrainingQueries.token(person.token, db) }) else {
                throw MLflowError(.unauthenticated, "the training run of this token has ended")
            }
            return token.caller
        } catch let refusal as DoorRefusal {
            let message = "\(refusal.error): \(refusal.hint)"
            switch refusal.status {
            case 401:
                throw MLflowError(
                    .unauthenticated,
                    "this needs a valid token: set MLFLOW_TRACKING_TOKEN to one, or MLFLOW_TRACKING_PASSWORD beside "
                        + "any MLFLOW_TRACKING_USERNAME; on this machine the admin token is in <data>/tokens/admin")
            case 403: throw MLflowError.denied(message)
            default: throw MLflowError.invalid(message)
            }
        }
    }
}

extension Need {
    /// Of whoever asks with a person's token.
    var role: Role {
        switch self {
        case .reading: .viewer
        case .writing: .operator
        case .deciding: .approver
        }
    }
}
