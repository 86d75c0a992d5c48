import Foundation
import GRDB
import Messages
import Store

@testable import Console

/// Events as the services would say them, a second apart, each with its place in its log.
final class Chronicle {
    let store: StateStore
    let folder: String
    private var places: [Source: Int64] = [:]
    private var second: Int64 = 0

    init() throws {
        folder = NSTemporaryDirectory() + "console-tests-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        store = try StateStore.open(
            path: folder + "/state.sqlite", source: .console, migrate: ConsoleStore.migrate)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// The time of the next event.
    var now: Timestamp { Timestamp(milliseconds: 1_750_000_000_000 + second * 1000) }

    @discardableResult
    func say<Body: EventBody>(
        _ body: Body, id: String, because: Envelope? = nil, actor: String? = nil, key: String = "run-1"
    ) async throws -> Envelope {
        let source = Body.source ?? .triggerService
        var causation = because?.consequence ?? .first(actor: actor ?? "service:\(source)")
        if let actor { causation.actor = actor }
        let envelope = Envelope(
            id: id, source: "/martlet/\(source)", type: Body.eventType, subject: key, time: now, partitionkey: key,
            causation: causation, data: try Wire.decode(JSONValue.self, from: Wire.encode(body)))
        places[source, default: 0] += 1
        second += 1
        let position = LogPosition(source: source, epoch: 1, seq: places[source] ?? 0)
        try await take(envelope, at: position)
        return envelope
    }

    func take(_ envelope: Envelope, at position: LogPosition) async throws {
        try await store.write { transaction in try Projection.take(envelope, at: position, in: transaction.db) }
    }

    func list(_ sql: String) async throws -> [JSONValue] { try await store.read { db in try db.list(sql) } }
    func one(_ sql: String) async throws -> JSONValue? { try await store.read { db in try db.one(sql) } }
}

let git = GitReference(
    repository: "churn", url: "/srv/churn", branch: "main", sha: "c0ffee1234567890", message: "Better alpha")

let artifact: ModelArtifact = {
    guard let digest = Digest("sha256:" + String(repeating: "a", count: 64)) else {
        preconditionFailure("64 letters of hex are a digest")
    }
    return ModelArtifact(digest: digest, size: 10, files: ["model.pkl"])
}()

let plan = [
    JobPlan(
        id: "train", needs: [], environment: nil,
        steps: [
            StepPlan(id: "fit", verb: "train/run", title: "Fit"),
            StepPlan(id: "judge", verb: "evaluate/compare", title: "Judge"),
        ])
]

extension Chronicle {
    /// From a push to production, as the demo's first commit goes.
    func pushToProduction() async throws {
        let push = try await say(
            ChangePushed(
                repository: "churn", url: "/srv/churn", branch: "main", sha: git.sha, paths: ["a.py"],
                pathsTruncated: false, author: "Kim <kim@acme.org>", message: "Better alpha"),
            id: "push", actor: "user:Kim", key: "churn")
        let matched = try await say(
            TriggerMatched(
                cause: "push", causeType: ChangePushed.eventType, project: "churn", pipeline: "train", run: "run-1",
                reason: "push to main"),
            id: "matched", because: push)
        let queued = try await say(
            RunQueued(
                run: "run-1", number: 1, project: "churn", pipeline: "train", git: git, cause: "push",
                reason: "push to main", jobs: plan, parameters: [:]),
            id: "queued", because: matched)
        let started = try await say(
            StepStarted(run: "run-1", job: "train", step: "fit", attempt: 1, verb: "train/run", worker: "w", token: 1),
            id: "step", because: queued)
        try await say(
            TrainingFinished(
                trainingRun: "run-1.train.fit", run: "run-1", outcome: .succeeded, metrics: ["mse": 3000.5],
                params: [:],
                tags: [:], seconds: 2.5),
            id: "trained", because: started)
        let decided = try await say(
            EvaluationDecided(
                decision: "sha256:d", run: "run-1", step: "judge", model: "churn", winner: .challenger, rule: [:],
                metric: "mse",
                challenger: EvaluatedCandidate(version: nil, trainingRun: "run-1.train.fit", value: 3000.5),
                champion: EvaluatedCandidate(version: 1, trainingRun: nil, value: 3200.25), reason: .better,
                message: "3000.5 is lower than 3200.25"),
            id: "decided", because: started)
        let registered = try await say(
            ModelRegistered(
                model: "churn", version: 2, run: "run-1", artifact: artifact, metrics: ["mse": 3000.5], params: [:],
                tags: ["framework": "sklearn"], git: git),
            id: "registered", because: decided, key: "churn")
        let request = try await say(
            ApprovalRequested(
                approval: "approval-1", run: "run-1", job: "deploy", project: "churn", pipeline: "train",
                environment: "production", required: 1, from: [], requester: "user:Kim", requesterMayApprove: false,
                model: "churn", version: "2", decision: "sha256:d", expires: now),
            id: "asked", because: registered)
        let answer = try await say(
            ApprovalAnswered(approval: "approval-1", approve: true, comment: "fine", groups: []),
            id: "answer", actor: "user:Lee")
        try await say(
            ApprovalGiven(approval: "approval-1", run: "run-1", by: "user:Lee", comment: "fine", given: 1, required: 1),
            id: "given", because: answer)
        try await say(
            ApprovalFinished(
                approval: "approval-1", run: "run-1", job: "deploy", environment: "production", result: .granted,
                by: "user:Lee", comment: "fine", version: "2"),
            id: "granted", because: answer)
        let moved = try await say(
            ModelStageChanged(
                model: "churn", version: 2, from: nil, to: "production",
                replaced: [StageMove(version: 1, from: "production", to: "surpassed")], reason: "approved",
                run: "run-1",
                approval: "approval-1"),
            id: "moved", because: request, key: "churn")
        let deployed = try await say(
            DeploymentFinished(
                deployment: "d-1", endpoint: "api", target: "api", model: "churn", version: 2, run: "run-1",
                outcome: .succeeded, scoringURL: "http://127.0.0.1:8090/endpoints/api/score"),
            id: "deployed", because: moved, key: "churn")
        try await say(
            EndpointChanged(
                endpoint: "api", url: "http://127.0.0.1:8090/endpoints/api/", model: "churn", version: 2,
                deployment: "d-1", state: "serving"),
            id: "serving", because: deployed, key: "churn")
        try await say(
            RunFinished(
                run: "run-1", number: 1, project: "churn", pipeline: "train", outcome: .succeeded, seconds: 12.34,
                outputs: [:]),
            id: "finished", because: deployed)
    }
}
