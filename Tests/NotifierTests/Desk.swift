import Foundation
import GRDB
import HTTPClient
import Messages
import ServiceKit
import Store
import Synchronization
import Testing

@testable import Notifier

/// A notifier without a bus: events go in by hand, deliveries are carried out by hand.
final class Desk {
    let folder: URL
    let store: StateStore
    let announcements = Announcements(consoleURL: { "http://console" })
    let secrets: [String: String]
    private var seq: Int64 = 0

    init(secrets: [String: String] = [:]) throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("desk-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        store = try StateStore.open(
            path: folder.appendingPathComponent("state.sqlite").path, source: .notifier, migrate: NotifierStore.migrate)
        self.secrets = secrets
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    var notifications: String { folder.path + "/notifications" }

    var delivering: Delivering {
        let secrets = secrets
        return Delivering(
            store: store,
            slack: SlackWebhook(
                client: HTTPClient(),
                secret: { name in
                    guard let value = secrets[name] else { throw MissingSecret(name: name) }
                    return value
                }),
            files: NotificationFiles(root: notifications))
    }

    func hear(_ envelope: Envelope) async throws {
        seq += 1
        let event = ReceivedEvent(
            envelope: envelope, position: LogPosition(source: .triggerService, epoch: 1, seq: seq))
        try await store.write { [announcements] in try announcements.handle(event, $0) }
    }

    /// A project with these rules, and run `r1` of its pipeline `train`.
    func prepare(_ rules: [NotificationRule], digest: String = "d1") async throws {
        try await hear(event(projectLoaded(rules, digest: digest)))
        try await hear(event(runQueued("r1", digest: digest)))
    }

    /// Carries out what is due until nothing is, without waiting for back-offs.
    func carryOut() async throws {
        for intent in try await intents() { try await carryOut(intent) }
    }

    @discardableResult
    func carryOut(_ intent: Intent) async throws -> EffectOutcome {
        let outcome = await delivering.carryOut(intent)
        try await store.write { transaction in
            switch outcome {
            case .done(let commit), .never(_, let commit):
                try transaction.dropIntent(intent.kind, id: intent.id)
                try commit(transaction)
            case .later(let reason, _): try transaction.postpone(intent, until: transaction.now, reason: reason)
            }
        }
        return outcome
    }

    func intents() async throws -> [Intent] {
        let future = Timestamp(Date()).advanced(by: .seconds(86_400))
        return try await store.dueIntents(at: future, kinds: [Delivering.kind], limit: 100).due
    }

    func deliveries() async throws -> [Delivery] {
        try await store.write { transaction in
            try String.fetchAll(transaction.db, sql: "SELECT id FROM delivery ORDER BY rowid")
                .compactMap { try transaction.delivery($0) }
        }
    }

    /// The bodies that the notifier published, by type.
    func published<Body: EventBody>(_ type: Body.Type) async throws -> [Body] {
        try await store.read { db in
            try Data.fetchAll(db, sql: "SELECT body FROM outbox ORDER BY seq")
                .compactMap { try Wire.decode(Envelope.self, from: $0).body(Body.self) }
        }
    }
}

struct MissingSecret: Error {
    var name: String
}

private let counter = Mutex(0)

func event<Body: EventBody>(_ body: Body, replayOf: String? = nil, actor: String = "user:ada") -> Envelope {
    let number = counter.withLock { value in
        value += 1
        return value
    }
    // An event body is an object of plain values: encoding it cannot fail.
    let content = (try? Wire.decode(JSONValue.self, from: Wire.encode(body))) ?? .null
    return Envelope(
        id: "event-\(number)", source: "/martlet/test", type: Body.eventType, subject: "test/\(number)",
        time: Timestamp(milliseconds: 1_700_000_000_000), partitionkey: "k", causation: .first(actor: actor),
        replayof: replayOf, data: content)
}

func projectLoaded(_ rules: [NotificationRule], digest: String = "d1") -> ProjectLoaded {
    ProjectLoaded(
        project: "diabetes", repository: "repo", sha: "abc", digest: digest, pipelines: ["train", "deploy"],
        models: [
            ModelDeclaration(
                name: "risk", champion: nil, stages: StageMachine(preset: "none", tag: "stage", states: [:]))
        ], notifications: rules, targets: [:])
}

func runQueued(_ run: String, pipeline: String = "train", digest: String = "d1") -> RunQueued {
    RunQueued(
        run: run, number: 2, project: "diabetes", pipeline: pipeline,
        git: GitReference(
            repository: "repo", url: "/repo", branch: "main", sha: "0123456789abcdef", message: "Try alpha 10"),
        cause: "c", reason: "push", jobs: [], parameters: .object([:]), fileDigest: digest)
}

func runFinished(_ outcome: Outcome, run: String = "r1", message: String? = nil) -> RunFinished {
    RunFinished(
        run: run, number: 2, project: "diabetes", pipeline: "train", branch: "main", sha: "0123456789abcdef",
        outcome: outcome, message: message, failedStep: outcome == .failed ? "train/fit" : nil, seconds: 12.34,
        outputs: .object([:]))
}

func slackRule(_ when: [String], secret: String = "HOOK", pipelines: [String] = []) -> NotificationRule {
    NotificationRule(when: when, use: "slack", secret: secret, channel: nil, pipelines: pipelines)
}

func fileRule(_ when: [String], path: String = "all.jsonl") -> NotificationRule {
    NotificationRule(when: when, use: "file", secret: nil, channel: path)
}
