import Artifacts
import Foundation
import Messages
import ServiceKit
import Store

extension LocalBackend {
    /// `train/run`: a script that leaves `metrics.json`, `params.json` and `model/` in its output folder.
    func train(_ work: StepWork) async throws -> StepEnding {
        var training = try TrainingRequest(work, published: try await publishedScript(work))
        if let problem = try training.excess(TrainingHarvest()) { throw StepFailure("train/run: \(problem)") }
        let folders = try await copies.prepare(work)
        let environment = try await currentEnvironment(work)
        let data = try await trainingData(work, in: folders)
        training.dataset = data?.reference
        training.environmentVersion = try await context.store.read { db in
            try DatasetQueries.environmentName(run: work.run.id, job: work.job, in: db)
        }
        if let id = data?.reference.text { training.tags["dataset_id"] = id }
        let pass = try await tracking.pass(for: work)
        let finished = try await executor.run(work, in: folders, timeout: work.timeoutSeconds) { [training] in
            var command = try bash(
                training.script, work, in: folders, environment: environment, parameters: training.parameters,
                pass: pass)
            command.variables.merge(data?.variables ?? [:]) { $1 }
            return command
        } begun: { [training] transaction in
            try transaction.publish(
                training.started(work, environment: environment, token: pass?.token),
                subject: "training/\(training.id)", key: work.run.id, because: work.causation)
        }
        var verdict = verdict(finished, timeout: work.timeoutSeconds)
        var harvest = TrainingHarvest()
        if case .succeeded = verdict.outcome {
            do {
                harvest = try await self.harvest(folders)
                if let pass {
                    let (tracked, written) = (try await tracking.told(of: training.id, pass), harvest.params)
                    harvest.add(tracked)
                    // The parameters that it told are in the registry, however long they are.
                    if try training.excess(harvest) != nil { harvest.params = written }
                    // A model in files comes before what it logged.
                    if let problem = tracked.problem, harvest.model == nil { throw Tracking.unreadable(problem) }
                }
            } catch is CancellationError {
                verdict = .canceled
            } catch {
                verdict = .failed("\(error)")
            }
        }
        if let problem = try training.excess(harvest) {
            verdict = .failed(problem)
            harvest = TrainingHarvest()
        }
        let event = training.finished(work, verdict, harvest, environment: environment, finished)
        let outputs = training.outputs(event, further: harvest.outputs)
        return ending(work, finished, verdict, outputs: outputs) { [id = training.id] transaction in
            try transaction.publish(
                event, subject: "training/\(id)", key: work.run.id, because: work.causation)
        }
    }

    private func trainingData(
        _ work: StepWork, in folders: StepFolders
    ) async throws -> (reference: DatasetReference, variables: [String: String])? {
        guard let dataset = try await dataset(work, in: folders) else { return nil }
        return (
            dataset,
            [
                "MARTLET_DATASET": try await unpack(dataset, in: folders), "MARTLET_DATASET_NAME": dataset.name,
                "MARTLET_DATASET_VERSION": dataset.version.map(String.init) ?? "",
            ]
        )
    }

    private func harvest(_ folders: StepFolders) async throws -> TrainingHarvest {
        var harvest = TrainingHarvest()
        if let bytes = try outputFile("metrics.json", folders) { harvest.metrics = try TrainingFiles.metrics(bytes) }
        if let bytes = try outputFile("params.json", folders) { harvest.params = try TrainingFiles.parameters(bytes) }
        harvest.outputs = try outputs(folders)
        let model = folders.output + "/model"
        if let names = try? FileManager.default.contentsOfDirectory(atPath: model), !names.isEmpty {
            harvest.model = try await context.artifacts.pack(directory: model)
        }
        harvest.predictions = try await predictions(folders)
        return harvest
    }

    /// Rows that were predicted: kept for whoever compares models row by row.
    private func predictions(_ folders: StepFolders) async throws -> Digest? {
        let name = "predictions.csv"
        let path = folders.output + "/" + name
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        guard let size = RepositoryFiles.size(path), size <= Self.largestPredictions else {
            throw OutputFileError(
                file: name, problem: "is no file of at most \(Self.largestPredictions) bytes; write fewer rows")
        }
        return try await context.artifacts.put(file: path)
    }
}

/// What training code left behind.
struct TrainingHarvest: Sendable {
    var metrics: [String: JSONValue] = [:]
    var params: [String: String] = [:]
    var model: ModelArtifact?
    var predictions: Digest?
    var outputs: [String: JSONValue] = [:]
    var tags: [String: String] = [:]

    /// What it wrote into files comes before what it told the registry.
    mutating func add(_ tracked: TrackedRun) {
        metrics = (tracked.metrics ?? [:]).merging(metrics) { $1 }
        params = (tracked.params ?? [:]).merging(params) { $1 }
        tags = tracked.tags ?? [:]
        model = model ?? tracked.model
    }
}

/// The `with` of `train/run`.
struct TrainingRequest: Sendable {
    static let backend = "local"

    var id: String
    var script: String
    var parameters: JSONValue
    var tags: [String: String]
    var dataset: DatasetReference?
    var environmentVersion: EnvironmentReference?

    static func checkBackend(_ work: StepWork) throws(StepFailure) {
        let backend = work.with["backend"]?.string ?? Self.backend
        guard backend == Self.backend else {
            throw StepFailure("\(work.verb): there is no back end '\(backend)' here; use 'local' or leave it out")
        }
    }

    /// - Parameter published: the script that a published pipeline holds.
    init(_ work: StepWork, published: String? = nil) throws(StepFailure) {
        try Self.checkBackend(work)
        guard let script = published ?? work.with["script"]?.string ?? work.with["command"]?.string else {
            throw StepFailure(
                "train/run: 'command', 'script' or a published 'pipeline' is needed, for example command: python train.py"
            )
        }
        self.script = script
        id = "\(work.run.id).\(work.job).\(work.step)"
        parameters = work.with["parameters"] ?? .object([:])
        guard parameters.object != nil else {
            throw StepFailure("train/run: 'parameters' is not a map of names and values")
        }
        tags = TrainingFiles.texts(work.with["tags"]?.object ?? [:])
    }

    /// Bytes of what a training run tells, all together: it travels in events.
    static let mostBytes = 32 << 10

    /// What is too much; `nil` when nothing is.
    func excess(_ harvest: TrainingHarvest) throws -> String? {
        let told: [(name: String, bytes: Int)] = [
            ("metrics", try Wire.encode(harvest.metrics).count),
            ("parameters", try Wire.encode(all(harvest.params)).count),
            ("tags", try Wire.encode(harvest.tags.merging(tags) { $1 }).count),
            ("outputs", try Wire.encode(harvest.outputs).count),
        ]
        let bytes = told.reduce(0) { $0 + $1.bytes }
        guard bytes > Self.mostBytes else { return nil }
        let parts = told.map { "\($0.name) \($0.bytes)" }.joined(separator: ", ")
        return "metrics, parameters, tags and outputs have \(bytes) bytes together (\(parts)), more than "
            + "\(Self.mostBytes); keep the rest in a file of the model, or use artifact/publish"
    }

    /// The declared parameters, as declared, and those that the code named.
    private func all(_ named: [String: String]) -> [String: String] {
        TrainingFiles.texts(parameters.object ?? [:]).merging(named) { $1 }
    }

    /// With all that a version needs to be told of which its code makes before it ends.
    func started(_ work: StepWork, environment: Digest?, token: TokenText?) -> TrainingStarted {
        TrainingStarted(
            trainingRun: id, run: work.run.id, backend: Self.backend, handle: work.item, project: work.run.project,
            pipeline: work.run.pipeline, token: token?.id, tokenDigest: token.flatMap { Digest(bytes: $0.digest) },
            git: work.run.git, snapshot: work.run.snapshot, environment: environment,
            environmentVersion: environmentVersion, dataset: dataset,
            build: BuildReference(
                id: work.run.id, number: work.run.number, url: work.run.url, pipeline: work.run.pipeline),
            untrusted: work.run.untrusted, after: work.after.isEmpty ? nil : work.after)
    }

    func finished(
        _ work: StepWork, _ verdict: Verdict, _ harvest: TrainingHarvest, environment: Digest?, _ finished: Finished
    ) -> TrainingFinished {
        // As declared: references to secrets stay references.
        let mask = finished.mask
        return TrainingFinished(
            trainingRun: id, run: work.run.id, outcome: verdict.outcome, metrics: harvest.metrics,
            params: all(harvest.params).mapValues { mask.apply(to: $0) },
            tags: harvest.tags.merging(tags) { $1 }.mapValues { mask.apply(to: $0) }, model: harvest.model,
            environment: environment, git: work.run.git, snapshot: work.run.snapshot, seconds: finished.seconds,
            message: verdict.message, environmentVersion: environmentVersion, dataset: dataset,
            predictions: harvest.predictions)
    }

    func outputs(_ event: TrainingFinished, further: [String: JSONValue]) -> [String: JSONValue] {
        var outputs = further
        outputs["run_id"] = .string(id)
        outputs["metrics"] = .object(event.metrics)
        outputs["params"] = .object(event.params.mapValues { .string($0) })
        outputs["dataset_id"] = dataset.map { .string($0.text) } ?? .null
        outputs["predictions"] = event.predictions.map { .string($0.text) } ?? .null
        outputs["environment"] = event.environment.map { .string($0.text) } ?? .null
        outputs["model"] =
            event.model.map { model in
                [
                    "digest": .string(model.digest.text), "size": .int(Int(model.size)),
                    "files": .array(model.files.map { .string($0) }),
                    "file_count": .int(model.fileCount ?? model.files.count),
                ]
            } ?? .null
        return outputs
    }
}
