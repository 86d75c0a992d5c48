import Messages
import ServiceKit
import Store

/// What the evaluator keeps of others' events: enough to judge without asking anybody.
enum EvaluatorEvents {
    static func handle(_ event: ReceivedEvent, in tx: Transaction) throws {
        let envelope = event.envelope
        if let loaded = try envelope.body(ProjectLoaded.self) {
            for model in loaded.models { try tx.declare(model) }
        } else if let finished = try envelope.body(TrainingFinished.self) {
            try tx.remember(finished)
        } else if let registered = try envelope.body(ModelRegistered.self) {
            try tx.remember(registered)
        } else if let tagged = try envelope.body(ModelTagged.self) {
            try tx.tag(tagged)
        } else if let deleted = try envelope.body(ModelVersionDeleted.self) {
            try tx.forget(deleted)
        } else if let changed = try envelope.body(ModelStageChanged.self) {
            try tx.move(changed)
            try tx.reviewStanding(of: changed.model, because: envelope.consequence)
        } else if let changed = try envelope.body(EndpointChanged.self) {
            try tx.remember(endpoint: changed.endpoint, model: changed.model, serves: changed.version)
        } else if let built = try envelope.body(EnvironmentBuilt.self) {
            try tx.remember(environment: built.environment, of: built.run)
        } else if let reused = try envelope.body(EnvironmentReused.self) {
            try tx.remember(environment: reused.environment, of: reused.run)
        } else if let registered = try envelope.body(DatasetRegistered.self) {
            try tx.remember(registered)
        } else if let wish = try envelope.body(BypassRequested.self) {
            try tx.answer(wish, asked: envelope)
        }
    }
}
