import Artifacts
import Foundation
import GRDB
import Messages
import ServiceKit
import Store

@testable import RegistryService

/// A registry on a real database in a folder of its own, told what other services would tell it.
final class Registry: Sendable {
    let folder: String
    let store: StateStore
    let artifacts: ArtifactStore

    init() throws {
        folder = NSTemporaryDirectory() + "registry-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        store = try StateStore.open(
            path: folder + "/state.sqlite", source: .registryService, migrate: RegistryStore.migrate)
        artifacts = ArtifactStore(root: folder + "/artifacts")
    }

    deinit {
        try? store.close()
        try? FileManager.default.removeItem(atPath: folder)
    }

    @discardableResult
    func tell<Body: EventBody>(_ body: Body, actor: String = "service:test") async throws -> Envelope {
        let source = Body.source ?? .console
        let id = UUID().uuidString
        let envelope = Envelope(
            id: id, source: "/martlet/\(source)", type: Body.eventType, subject: "test",
            time: Timestamp(milliseconds: 0), partitionkey: "test", causation: .first(actor: actor),
            data: try Wire.decode(JSONValue.self, from: try Wire.encode(body)))
        let event = ReceivedEvent(envelope: envelope, position: LogPosition(source: source, epoch: 1, seq: 1))
        try await store.write { tx in try RegistryEvents.handle(event, in: tx) }
        return envelope
    }

    func declare(
        _ machine: StageMachine, model: String = "churn", project: String = "churn", requires: [String]? = nil
    ) async throws {
        try await tell(
            ProjectLoaded(
                project: project, repository: project, sha: "c0ffee", digest: "d", pipelines: [],
                models: [ModelDeclaration(name: model, champion: nil, stages: machine, requires: requires)],
                notifications: [],
                targets: [:]))
    }

    /// A succeeded training run whose model really is in the artifact store.
    func train(
        _ id: String, content: String? = nil, metrics: [String: JSONValue] = ["mse": 0.5],
        tags: [String: String] = [:], outcome: Outcome = .succeeded, dataset: DatasetReference? = nil
    ) async throws {
        let bytes = Data((content ?? id).utf8)
        let digest = try await artifacts.put(bytes)
        try await tell(
            TrainingFinished(
                trainingRun: id, run: "run", outcome: outcome, metrics: metrics, params: ["alpha": "0.1"], tags: tags,
                model: ModelArtifact(digest: digest, size: Int64(bytes.count), files: ["model.pkl"]), seconds: 1,
                dataset: dataset))
    }

    /// Registers one version for each name.
    func versions(_ names: String...) async throws {
        for name in names {
            try await train(name)
            _ = try await register(work("registry/register", ["run": .string(name)], step: "register-\(name)"))
        }
    }

    func register(_ work: StepWork) async throws -> StepResult {
        try await RegisterStep(store: store, artifacts: artifacts).perform(work)
    }

    /// - Parameter approval: what the step's job was granted.
    func perform(
        _ verb: String, _ with: JSONValue, run: String = "run", pipeline: String = "model-cd", approval: String? = nil
    ) async throws -> StepResult {
        var asked = work(verb, with, run: run, pipeline: pipeline)
        asked.approval = approval
        return try await store.write { [work = asked] tx in
            switch verb {
            case "registry/resolve": try ResolveStep.perform(work, in: tx.db)
            case "registry/tag": try TagStep.perform(work, in: tx)
            default: try TransitionStep.perform(work, in: tx)
            }
        }
    }

    func move(_ version: Int, to: String, run: String = "run", pipeline: String = "model-cd") async throws -> StepResult
    {
        try await perform(
            "registry/transition", ["version": .int(version), "to": .string(to)], run: run, pipeline: pipeline)
    }

    func stages() async throws -> [Int: String] {
        try await store.read { db in try StageQueries.holders(of: "churn", db) }
    }

    /// What this registry has said, of one type, oldest first.
    func said<Body: EventBody>(_ type: Body.Type) async throws -> [Body] {
        try await envelopes().compactMap { try $0.body(Body.self) }
    }

    func envelopes() async throws -> [Envelope] {
        let bodies = try await store.read { db in try Data.fetchAll(db, sql: "SELECT body FROM outbox ORDER BY seq") }
        return try bodies.map { try Wire.decode(Envelope.self, from: $0) }
    }
}

func work(
    _ verb: String, _ with: JSONValue, run: String = "run", pipeline: String = "model-cd", project: String = "churn",
    step: String = "step"
) -> StepWork {
    StepWork(
        item: "\(run)/job/\(step)/1", token: 1, job: "job", step: step, attempt: 1, verb: verb, with: with,
        variables: [:], timeoutSeconds: nil,
        run: RunReference(
            id: run, number: 7, url: "http://localhost/runs/7", project: project, pipeline: pipeline,
            git: GitReference(repository: "churn", url: "/git/churn", branch: "main", sha: "c0ffee", message: "m"),
            snapshot: nil, model: "churn"),
        after: [], checkpoint: nil,
        causation: Causation(correlation: "c", event: "e", depth: 1, actor: "service:trigger-service"))
}

let trunk = StageMachine(preset: "trunk", tag: "stage", states: [:])
/// As a project file's preset arrives: with all its words.
let mlflow = StageMachine(
    preset: "mlflow", tag: "stage", states: ["None": StageRule(many: true), "Staging": StageRule(many: true)])
