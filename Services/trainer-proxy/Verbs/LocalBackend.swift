import Artifacts
import Foundation
import Messages
import Processes
import ServiceKit
import Store

/// The verbs of trainer-proxy, carried out by processes on this machine.
struct LocalBackend: Sendable {
    let context: ServiceContext
    let settings: Settings
    let copies: WorkingCopies
    let executor: Executor
    let environments = KeyedLock()
    let tracking: Tracking

    init(context: ServiceContext, settings: Settings) throws {
        self.context = context
        self.settings = settings
        copies = WorkingCopies(root: context.paths.work, artifacts: context.artifacts)
        executor = Executor(
            context: context, settings: settings,
            presence: try Presence(in: context.paths.service(.trainerProxy) + "/spaces"))
        tracking = Tracking(context: context, settings: settings)
    }

    var verbs: [StepVerb] {
        [
            .lasting(["run"]) { work, _ in try await atWork(work) { try await run(work) } },
            .lasting(["train/run"]) { work, _ in try await atWork(work) { try await train(work) } },
            .lasting(["train/publish"]) { work, _ in try await atWork(work) { try await publishTraining(work) } },
            .lasting(["env/build", "env/ensure"]) { work, _ in try await atWork(work) { try await environment(work) } },
            .lasting(["dataset/ensure"]) { work, _ in try await atWork(work) { try await ensureDatasets(work) } },
            .lasting(["registry/download"]) { work, _ in try await atWork(work) { try await download(work) } },
            .lasting(["checks/publish"]) { work, _ in try await atWork(work) { try await publishChecks(work) } },
            .lasting(["artifact/publish"]) { work, _ in try await atWork(work) { try await publish(work) } },
            .lasting(["artifact/fetch"]) { work, _ in try await fetch(work) },
        ]
    }

    /// Keeps the run's folders from being removed meanwhile.
    private func atWork(
        _ work: StepWork, _ body: @Sendable () async throws -> StepEnding
    ) async throws -> StepEnding {
        await copies.enter(work)
        let result: Result<StepEnding, any Error>
        do { result = .success(try await body()) } catch { result = .failure(error) }
        await copies.leave(work)
        return try result.get()
    }
}

// MARK: - What run and train/run share

extension LocalBackend {
    /// The environment that an earlier step made the job's own.
    func currentEnvironment(_ work: StepWork) async throws -> Digest? {
        let (run, job) = (work.run.id, work.job)
        return try await context.store.read { try EnvironmentQueries.current(run: run, job: job, in: $0) }
    }

    /// A script as bash runs it: the first failing command ends it, also inside a pipe.
    func bash(
        _ script: String, _ work: StepWork, in folders: StepFolders, environment: Digest?,
        parameters: JSONValue = .object([:]), pass: TrackingPass? = nil
    ) throws -> Command {
        var revealing = Revealing(look: context.secrets.value(of:))
        // What the project says of MLflow itself comes before what we say.
        var variables = settings.machine.merging(pass?.variables ?? [:]) { $1 }
        if let environment { StepEnvironment.activate(context.paths.environment(environment), in: &variables) }
        for (name, text) in work.variables { variables[name] = try revealing.variable(text) }
        if let own = try work.with["env"].map({ try revealing.value($0) })?.object {
            variables.merge(TrainingFiles.texts(own)) { $1 }
        }
        let revealed = try revealing.value(parameters)
        variables.merge(StepEnvironment.parameters(revealed.object ?? [:])) { $1 }
        variables.merge(StepEnvironment.facts(of: work)) { $1 }
        variables["MARTLET_SOURCE"] = folders.source
        variables["MARTLET_OUTPUT"] = folders.output
        variables["MARTLET_PARAMETERS"] = folders.record + "/parameters.json"
        let path = folders.record + "/script"
        return Command(
            argv: ["/bin/bash", "-e", "-o", "pipefail", path], variables: variables, directory: folders.source,
            secrets: revealing.values + (pass.map { [$0.token.text, $0.token.secret] } ?? []),
            files: ["script": Data(script.utf8), "parameters.json": try Wire.encode(revealed)])
    }

    func verdict(_ finished: Finished, timeout: Int?) -> Verdict {
        switch finished.ending {
        case .exited(.code(0)): .succeeded
        case .exited(let end): .failed("\(end)", tail: finished.tail)
        case .stopped(.timeout): .timedOut(after: timeout ?? 0, tail: finished.tail)
        case .stopped(.cancel): .canceled
        case .lost: .lost
        case .notStarted(let reason), .untellable(let reason): .failed(reason)
        }
    }

    /// The result of a step that ran a process; its execution ends in the same commit.
    func ending(
        _ work: StepWork, _ finished: Finished, _ verdict: Verdict, outputs: [String: JSONValue],
        commit: @escaping @Sendable (Transaction) throws -> Void = { _ in }
    ) -> StepEnding {
        let messages = [verdict.message, finished.logProblem].compactMap { $0 }
        let result = StepResult(
            verdict.outcome, outputs: finished.mask.apply(to: .object(outputs)),
            message: messages.isEmpty ? nil : messages.joined(separator: "\n").shortened(), log: finished.log)
        return StepEnding(result) { transaction in
            try transaction.endExecution(work.item)
            try commit(transaction)
        }
    }

    /// Outputs travel in events, so they stay small; larger things are artifacts.
    static let largestOutputFile = 32 << 10
    static let largestPredictions = 64 << 20

    /// A file that a script may leave; `nil` where it did not.
    func outputFile(_ name: String, _ folders: StepFolders) throws(OutputFileError) -> Data? {
        let path = "\(folders.output)/\(name)"
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        guard let size = RepositoryFiles.size(path) else {
            throw OutputFileError(file: name, problem: "is no regular file")
        }
        guard size <= Self.largestOutputFile else {
            throw OutputFileError(
                file: name,
                problem: "has \(size) bytes, more than \(Self.largestOutputFile); use artifact/publish for the rest")
        }
        guard let bytes = FileManager.default.contents(atPath: path) else {
            throw OutputFileError(file: name, problem: "cannot be read")
        }
        return bytes
    }

    func outputs(_ folders: StepFolders) throws(OutputFileError) -> [String: JSONValue] {
        guard let bytes = try outputFile("outputs.json", folders) else { return [:] }
        return try TrainingFiles.object(bytes, file: "outputs.json")
    }
}
