import Artifacts
import Foundation
import GRDB
import Messages
import ServiceKit
import Store

@testable import Evaluator

/// An evaluator on a real database in a folder of its own, told what other services would tell it.
final class Judge: Sendable {
    let paths: DataPaths
    let store: StateStore
    let artifacts: ArtifactStore

    init() throws {
        paths = DataPaths(root: NSTemporaryDirectory() + "evaluator-" + UUID().uuidString)
        try FileManager.default.createDirectory(atPath: paths.root, withIntermediateDirectories: true)
        store = try StateStore.open(
            path: paths.root + "/state.sqlite", source: .evaluator, migrate: EvaluatorStore.migrate)
        artifacts = ArtifactStore(root: paths.artifacts)
    }

    deinit {
        try? store.close()
        try? FileManager.default.removeItem(atPath: paths.root)
    }

    func tell<Body: EventBody>(_ body: Body, actor: String = "service:test") async throws {
        let source = Body.source ?? .console
        let envelope = Envelope(
            id: UUID().uuidString, source: "/martlet/\(source)", type: Body.eventType, subject: "test",
            time: Timestamp(milliseconds: 0), partitionkey: "test", causation: .first(actor: actor),
            data: try Wire.decode(JSONValue.self, from: try Wire.encode(body)))
        let event = ReceivedEvent(envelope: envelope, position: LogPosition(source: source, epoch: 1, seq: 1))
        try await store.write { tx in try EvaluatorEvents.handle(event, in: tx) }
    }

    func declare(champion: String?) async throws {
        let machine = StageMachine(preset: "trunk", tag: "stage", states: [:])
        try await tell(
            ProjectLoaded(
                project: "churn", repository: "churn", sha: "c0ffee", digest: "d", pipelines: [],
                models: [ModelDeclaration(name: "churn", champion: champion, stages: machine)], notifications: [],
                targets: [:]))
    }

    func train(_ run: String, _ metrics: [String: JSONValue], outcome: Outcome = .succeeded) async throws {
        try await tell(
            TrainingFinished(
                trainingRun: run, run: "run", outcome: outcome, metrics: metrics, params: [:], tags: [:], seconds: 1))
    }

    func register(
        _ version: Int, run: String? = nil, _ metrics: [String: JSONValue] = [:], tags: [String: String] = [:],
        artifact: Digest = Digest(of: Data())
    ) async throws {
        try await tell(
            ModelRegistered(
                model: "churn", version: version, trainingRun: run ?? "t\(version)",
                artifact: ModelArtifact(digest: artifact, size: 0, files: []), metrics: metrics, params: [:],
                tags: tags))
    }

    func stage(_ version: Int, _ stage: String?, replaced: [StageMove] = []) async throws {
        try await tell(
            ModelStageChanged(model: "churn", version: version, from: nil, to: stage, replaced: replaced, reason: "r"))
    }

    func compare(_ with: [String: JSONValue], item: String = "run/job/evaluate/1") async throws -> StepResult {
        let standard: [String: JSONValue] = ["metric": "mse", "better": "lower"]
        var work = work("evaluate/compare", .object(standard.merging(with) { $1 }), item: item)
        let parts = item.split(separator: "/").map(String.init)
        if parts.count == 4 { (work.job, work.step) = (parts[1], parts[2]) }
        return try await step.perform(work).result
    }

    var step: CompareStep {
        CompareStep(store: store, artifacts: artifacts, paths: paths, own: ProcessInfo.processInfo.environment)
    }

    /// Stores files as an archive: a commit's, a model's, a data set's.
    func pack(_ files: [String: String]) async throws -> Digest {
        let folder = paths.root + "/files-" + UUID().uuidString
        for (name, text) in files {
            let file = URL(fileURLWithPath: folder + "/" + name)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        }
        return try await artifacts.pack(directory: folder).digest
    }

    func said<Body: EventBody>(_ type: Body.Type) async throws -> [Body] {
        let bodies = try await store.read { db in try Data.fetchAll(db, sql: "SELECT body FROM outbox ORDER BY seq") }
        return try bodies.compactMap { try Wire.decode(Envelope.self, from: $0).body(Body.self) }
    }
}

func work(
    _ verb: String, _ with: JSONValue, item: String = "run/job/step/1", snapshot: Digest? = nil,
    timeout: Int? = nil
) -> StepWork {
    StepWork(
        item: item, token: 1, job: "job", step: "step", attempt: 1, verb: verb, with: with, variables: [:],
        timeoutSeconds: timeout,
        run: RunReference(
            id: "run", number: 7, url: "http://localhost/runs/7", project: "churn", pipeline: "train", git: nil,
            snapshot: snapshot, model: "churn"),
        after: [], checkpoint: nil,
        causation: Causation(correlation: "c", event: "e", depth: 1, actor: "service:trigger-service"))
}
