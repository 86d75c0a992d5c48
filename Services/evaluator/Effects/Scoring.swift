import Artifacts
import Foundation
import Messages
import Processes
import ServiceKit
import Store

/// Scores both models afresh on one data set, each in a process and a copy of the commit of its own (E6, S4-10).
struct Scoring: Sendable {
    let work: StepWork
    let store: StateStore
    let artifacts: ArtifactStore
    let paths: DataPaths
    let own: [String: String]

    struct Dataset: Sendable {
        var reference: DatasetReference
        /// Inside the commit's copy, where it is no registered data set.
        var path: String?
    }

    struct Scored: Sendable {
        var side: Side
        var predictions: Digest?
    }

    /// Each model has a folder of its own on each data set: neither another champion, nor what the data set was at an
    /// earlier attempt, is taken for what is scored.
    private func item(_ role: ScoringRequest.Role, _ artifact: Digest, _ dataset: Digest) -> String {
        "\(work.item)/\(role.rawValue)-\(Digest(of: Data((artifact.text + dataset.text).utf8)).hex.prefix(16))"
    }

    func dataset(_ request: ScoringRequest) async throws -> Dataset {
        let (name, version) = request.name
        let project = work.run.project
        let known = try await store.read { db in
            try ProjectionQueries.dataset(name, version: version, of: project, db)
        }
        if let found = known.found { return Dataset(reference: found) }
        let names = known.names.isEmpty ? "none" : known.names.joined(separator: ", ")
        guard version == nil, let path = TestRequest.inside(request.dataset), let snapshot = work.run.snapshot else {
            throw Refusal(
                "there is no data set '\(request.dataset)' (registered: \(names)): let dataset/ensure register it")
        }
        return Dataset(reference: DatasetReference(name: path, digest: snapshot), path: path)
    }

    func score(
        _ request: ScoringRequest, _ role: ScoringRequest.Role, _ candidate: Candidate, on dataset: Dataset
    ) async throws -> Scored {
        guard let artifact = candidate.artifact else {
            throw Refusal("\(candidate.name) has no artifact that could be scored")
        }
        try ProcessVariables.refuseSecrets(work, what: "scoring commands")
        let item = item(role, artifact, dataset.reference.digest)
        let folder = TestFolder(work: paths.work, item: item)
        let process = TestProcess(item: item, folder: folder, store: store)
        let end: ProcessEnd?
        switch try await process.state() {
        case .ended(let known):
            await process.endRest()
            end = known
        case .running(let running):
            end = try await wait(for: running, process)
        case .absent:
            let place = try await prepare(folder, artifact: artifact, dataset: dataset)
            let python = try await PythonEnvironment.folder(of: work, named: nil, store: store, paths: paths)
            let places = ScoringPlaces(root: folder.root, model: folder.model, output: folder.output)
            let running = try await process.begin(
                argv: ["/bin/sh", "-ec", request.command],
                environment: request.variables(
                    work, role: role, own: own, folder: places, python: python, dataset: place),
                log: try artifacts.liveLog(work.item).path)
            end = try await wait(for: running, process)
        }
        guard let end, end.isSuccess else {
            let ended = end?.description ?? "its time being up after \(work.timeoutSeconds ?? 0) s"
            throw Refusal("scoring \(candidate.name) (\(role.rawValue)) ended with \(ended); the step's log says more")
        }
        return try await harvest(folder, of: candidate)
    }

    private func wait(for running: DetachedProcess, _ process: TestProcess) async throws -> ProcessEnd? {
        do {
            return try await process.end(
                of: running, timeout: work.remainingTime(since: process.folder.started))
        } catch let canceled as CancellationError {
            for root in TestFolder.roots(below: work.item, work: paths.work) {
                try? FileManager.default.removeItem(atPath: root)
            }
            throw canceled
        }
    }

    /// - Returns: the data set's file or folder.
    private func prepare(_ folder: TestFolder, artifact: Digest, dataset: Dataset) async throws -> String {
        try await folder.prepare(snapshot: work.run.snapshot, model: artifact, artifacts: artifacts)
        guard let path = dataset.path else {
            try await artifacts.extract(dataset.reference.digest, to: folder.dataset)
            let names = try FileManager.default.contentsOfDirectory(atPath: folder.dataset)
            // A data set of one file is that file.
            return names.count == 1 ? folder.dataset + "/" + names[0] : folder.dataset
        }
        let place = URL(fileURLWithPath: folder.copy + "/" + path).resolvingSymlinksInPath().path
        let inside = URL(fileURLWithPath: folder.copy).resolvingSymlinksInPath().path + "/"
        guard place.hasPrefix(inside), FileManager.default.fileExists(atPath: place) else {
            throw Refusal(
                "there is no data set '\(path)', and no file of that path in the commit: let dataset/ensure register it"
            )
        }
        return place
    }

    private func harvest(_ folder: TestFolder, of candidate: Candidate) async throws -> Scored {
        let metrics = try folder.outputFile("metrics.json", largest: 1 << 20)
        let predictions = try folder.outputFile(Predictions.file, largest: Predictions.largest)
        guard metrics != nil || predictions != nil else {
            throw Refusal(
                "the scoring command wrote neither $MARTLET_OUTPUT/\(Predictions.file) nor metrics.json for \(candidate.name)"
            )
        }
        do {
            var side = Side(source: MetricSource(metrics: try metrics.map { try TrainingFiles.metrics($0) } ?? [:]))
            guard let predictions else { return Scored(side: side) }
            side.predictions = try await FileQueue().run { try Predictions(predictions, whose: candidate.name) }
            return Scored(side: side, predictions: try await artifacts.put(predictions))
        } catch let error as OutputFileError {
            throw Refusal("scoring \(candidate.name): \(error)")
        }
    }
}

extension StepWork {
    /// Of the step's time what is left; `nil`: as long as it takes.
    func remainingTime(since started: Date?) -> Duration? {
        timeoutSeconds.map { seconds in
            let spent = started.map { max(0, -$0.timeIntervalSinceNow) } ?? 0
            return .seconds(max(0, Double(seconds) - spent))
        }
    }
}
