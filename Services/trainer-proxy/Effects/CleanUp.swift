import Foundation
import Messages
import Processes
import ServiceKit
import Store

/// What is removed after a run, and what is ended that no step owns any more.
struct CleanUp: Sendable {
    static let removeRun = "run.remove"
    static let endExecution = "execution.end"

    let context: ServiceContext
    let settings: Settings
    let copies: WorkingCopies

    var effects: [String: Effect] {
        [Self.removeRun: { await remove($0) }, Self.endExecution: { await end($0) }]
    }

    func handle(_ event: ReceivedEvent, _ transaction: Transaction) throws {
        let envelope = event.envelope
        if let version = try envelope.body(ModelRegistered.self) {
            try transaction.remember(version)
        } else if let change = try envelope.body(ModelTagged.self) {
            try transaction.tag(change)
        } else if let deleted = try envelope.body(ModelVersionDeleted.self) {
            try transaction.forget(deleted)
        } else if let change = try envelope.body(ModelStageChanged.self) {
            try transaction.move(change)
        } else if let run = try envelope.body(RunQueued.self) {
            // Run again: its steps find their working copy until it ends once more.
            try transaction.dropIntent(Self.removeRun, id: run.run)
        } else if let run = try event.envelope.body(RunFinished.self) {
            try transaction.keep(run)
            // Also what ended over our heads and was not heard of, as after a snapshot: of a run that is over, only its
            // end is told. What a person's retry has begun since is none of it.
            for execution in try ExecutionQueries.begun(run: run.run, before: envelope.time, in: transaction.db) {
                try transaction.intend(Self.endExecution, id: execution.item, payload: execution.marker)
            }
            let due = transaction.now.advanced(by: settings.keepWorkingCopies)
            try transaction.intend(Self.removeRun, id: run.run, payload: run.run, at: due)
        } else if let step = try event.envelope.body(StepFinished.self) {
            let item = "\(step.run)/\(step.job)/\(step.step)/\(step.attempt)"
            // Ended over our heads, as by a cancel that met us between two lives: its process must not go on alone.
            if let execution = try ExecutionQueries.find(item, in: transaction.db), !execution.hasEnded {
                try transaction.intend(Self.endExecution, id: item, payload: execution.marker)
            }
        }
    }

    private func end(_ intent: Intent) async -> EffectOutcome {
        do {
            let marker = try intent.decode(String.self)
            await ProcessGroup.terminate(nil, marker: (Execution.markerName, marker), grace: settings.grace)
            return .done { try $0.endExecution(intent.id) }
        } catch {
            return .never(reason: "\(error)") { _ in }
        }
    }

    private func remove(_ intent: Intent) async -> EffectOutcome {
        do {
            let run = intent.id
            let isBusy = try await context.store.read { try ExecutionQueries.isBusy(run: run, in: $0) }
            guard !isBusy, try await copies.remove(run: run) else {
                return .later(reason: "a step of run \(run) is at work", after: .seconds(60))
            }
            removeLiveLogs(of: run)
            return .done { try $0.forgetOldExecutions() }
        } catch {
            return .later(reason: "\(error)", after: .seconds(60))
        }
    }

    /// Their content is in the artifact store since each step's end.
    private func removeLiveLogs(of run: String) {
        let folder = context.paths.artifacts + "/live"
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] where name.hasPrefix(run + ".")
        {
            try? FileManager.default.removeItem(atPath: "\(folder)/\(name)")
        }
    }
}
