import Messages
import ServiceKit
import Store

/// Events of other services turned into what this one does about them.
struct Events: Sendable {
    let dispatcher: Dispatcher

    func handle(_ event: ReceivedEvent, _ transaction: Transaction) throws {
        switch event.position.source {
        case .console: try dispatcher.command(event.envelope, transaction)
        case .registryService: try dispatcher.model(event.envelope, at: event.position, transaction)
        case .evaluator:
            try dispatcher.judgement(event.envelope, transaction)
            try dispatcher.heard(ofServices: event.envelope, at: event.position, transaction)
        case .trainerProxy, .deployer:
            try dispatcher.heard(ofServices: event.envelope, at: event.position, transaction)
        default: break
        }
    }
}
