import Foundation
import Messages
import Processes
import Store
import Synchronization

@testable import ServiceKit
@testable import TrainerProxy

/// The processes that trainer-proxy starts: they go on when it dies, and end with the power.
final class Machines: Sendable {
    private struct Job {
        var starts = 0
        var isRunning = false
        var exitCode: Int32?
        var endsAt: ContinuousClock.Instant
    }

    private struct State {
        var jobs: [String: Job] = [:]
        var boot = 1
    }

    private let state = Mutex(State())

    var boot: String { state.withLock { "boot-\($0.boot)" } }

    /// Markers that were started more than once.
    var startedTwice: [String] { state.withLock { $0.jobs.filter { $0.value.starts > 1 }.keys.sorted() } }

    func powerCut() {
        state.withLock { state in
            state.boot += 1
            for marker in state.jobs.keys where state.jobs[marker]?.exitCode == nil {
                state.jobs[marker]?.isRunning = false
            }
        }
    }

    func start(_ marker: String, fails: Bool) {
        let end = ContinuousClock.now + .milliseconds(Int.random(in: 20...1500))
        state.withLock { state in
            var job = state.jobs[marker] ?? Job(endsAt: end)
            job.starts += 1
            job.isRunning = true
            job.exitCode = nil
            job.endsAt = end
            state.jobs[marker] = job
            _ = fails
        }
    }

    func end(_ marker: String) { state.withLock { $0.jobs[marker]?.isRunning = false } }

    func traces(_ marker: String) -> Traces {
        let now = ContinuousClock.now
        return state.withLock { state in
            if var job = state.jobs[marker], job.isRunning, job.endsAt <= now {
                job.isRunning = false
                job.exitCode = marker.utf8.reduce(0) { $0 &+ Int($1) } % 11 == 0 ? 1 : 0
                state.jobs[marker] = job
            }
            let job = state.jobs[marker]
            return Traces(
                exitCode: job?.exitCode, isRunning: job?.isRunning ?? false, wasStarted: job != nil,
                boot: "boot-\(state.boot)", space: "machine", isSpaceAlive: true)
        }
    }
}

/// `run` and `train/run` over simulated processes: rows, decisions and results are trainer-proxy's own.
struct SimulatedBackend: Sendable {
    let context: ServiceContext
    let settings: TrainerProxy.Settings
    let machines: Machines
    let backend: LocalBackend

    init(_ context: ServiceContext, _ machines: Machines) throws {
        self.context = context
        self.machines = machines
        settings = try Settings(environment: [:])
        backend = try LocalBackend(context: context, settings: settings)
    }

    var parts: ServiceParts {
        let cleanUp = CleanUp(context: context, settings: settings, copies: backend.copies)
        return ServiceParts(
            subscriptions: [.triggerService, .registryService], handle: cleanUp.handle,
            effects: cleanUp.effects.merging([
                CleanUp.endExecution: { [machines] intent in
                    if let marker = try? intent.decode(String.self) { machines.end(marker) }
                    return .done { try $0.endExecution(intent.id) }
                }
            ]) { $1 },
            verbs: [
                .lasting(["run"]) { work, _ in try await run(work) },
                .lasting(["train/run"]) { work, _ in try await train(work) },
            ], slots: 4)
    }

    private func run(_ work: StepWork) async throws -> StepEnding {
        let finished = try await carryOut(work)
        return backend.ending(work, finished, backend.verdict(finished, timeout: nil), outputs: [:])
    }

    private func train(_ work: StepWork) async throws -> StepEnding {
        let training = try TrainingRequest(work)
        let finished = try await carryOut(work) { transaction in
            try transaction.publish(
                TrainingStarted(
                    trainingRun: training.id, run: work.run.id, backend: TrainingRequest.backend, handle: work.item),
                subject: "training/\(training.id)", key: work.run.id, because: work.causation)
        }
        let verdict = backend.verdict(finished, timeout: nil)
        var harvest = TrainingHarvest()
        if case .succeeded = verdict.outcome {
            harvest.metrics["mse"] = .double(Double(Int.random(in: 1...1000)))
            harvest.model = Digest("sha256:" + String(format: "%064x", Int.random(in: 1...1_000_000))).map {
                ModelArtifact(digest: $0, size: 10, files: ["model.json"])
            }
        }
        let event = training.finished(work, verdict, harvest, environment: nil, finished)
        return backend.ending(work, finished, verdict, outputs: training.outputs(event, further: [:])) {
            try $0.publish(event, subject: "training/\(training.id)", key: work.run.id, because: work.causation)
        }
    }

    /// As `Executor.run`, with processes that are not there.
    private func carryOut(
        _ work: StepWork, begun: @escaping @Sendable (Transaction) throws -> Void = { _ in }
    ) async throws -> Finished {
        let boot = machines.boot
        let execution = try await context.store.write { transaction in
            if let known = try ExecutionQueries.find(work.item, in: transaction.db) { return known }
            try begun(transaction)
            return try transaction.begin(work, boot: boot, space: "machine")
        }
        guard !execution.hasEnded else { throw StepFailure("\(work.item) has ended before") }
        while true {
            switch execution.continuation(machines.traces(execution.marker)) {
            case .ended(let code): return finish(execution, execution.stop.map { .stopped($0) } ?? .exited(.code(code)))
            case .lost: return finish(execution, execution.stop.map { .stopped($0) } ?? .lost)
            case .start:
                if let stop = execution.stop { return finish(execution, .stopped(stop)) }
                machines.start(execution.marker, fails: false)
            // One machine, seen by all: nothing is elsewhere.
            case .attach, .elsewhere, .again: break
            }
            do {
                try await Task.sleep(for: .milliseconds(50))
            } catch {
                let stop = try await context.store.write { try $0.note(.cancel, of: work.item) }
                machines.end(execution.marker)
                return finish(execution, .stopped(stop))
            }
        }
    }

    private func finish(_ execution: Execution, _ ending: Finished.Ending) -> Finished {
        Finished(
            ending: ending, log: nil, tail: [], logProblem: nil, mask: LogMask(secrets: []), started: execution.started,
            seconds: 1)
    }
}
