import Artifacts
import Bus
import Foundation
import GRDB
import Logging
import Messages
import Processes
import ServiceKit
import Store

@testable import TrainerProxy

/// A trainer-proxy without its loops, over a data folder of its own.
final class Workshop: Sendable {
    let root: String
    let context: ServiceContext
    let backend: LocalBackend
    let cleanUp: CleanUp

    init(settings change: (inout Settings) -> Void = { _ in }) throws {
        root = FileManager.default.temporaryDirectory.path + "/martlet-trainer-" + UUID().uuidString
        let paths = DataPaths(root: root)
        try paths.prepare(for: .trainerProxy)
        let store = try StateStore.open(
            path: paths.database(.trainerProxy), source: .trainerProxy, migrate: TrainerStore.migrate)
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        context = ServiceContext(
            source: .trainerProxy, store: store,
            bus: BusConnection(address: try BusAddress.embedded(in: paths.bus), logger: logger),
            artifacts: ArtifactStore(root: paths.artifacts), secrets: Secrets(paths: paths), paths: paths,
            logger: logger)
        var settings = try Settings()
        settings.grace = .seconds(1)
        // No registry runs beside it.
        settings.trackingURI = "none"
        change(&settings)
        backend = try LocalBackend(context: context, settings: settings)
        cleanUp = CleanUp(context: context, settings: settings, copies: backend.copies)
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    func work(
        _ verb: String, _ with: JSONValue, run: String = "run-1", number: Int = 1, step: String = "s",
        pipeline: String = "P", variables: [String: String] = [:], timeout: Int? = nil, snapshot: Digest? = nil
    ) -> StepWork {
        StepWork(
            item: "\(run)/j/\(step)/1", token: 1, job: "j", step: step, attempt: 1, verb: verb, with: with,
            variables: variables, timeoutSeconds: timeout,
            run: RunReference(
                id: run, number: number, url: "http://x/\(run)", project: "p", pipeline: pipeline,
                git: GitReference(repository: "repo", url: "/r", branch: "main", sha: "c0ffee", message: "m"),
                snapshot: snapshot, model: nil),
            after: [], checkpoint: nil, causation: .first(actor: "user:test"))
    }

    func script(_ text: String, step: String = "s", timeout: Int? = nil) -> StepWork {
        work("run", ["script": .string(text)], step: step, timeout: timeout)
    }

    /// Performs a step as the framework does, its commit included.
    @discardableResult
    func perform(_ work: StepWork) async throws -> StepResult {
        guard let verb = backend.verbs.first(where: { $0.verbs.contains(work.verb) }),
            case .lasting(let perform) = verb.way
        else { throw StepFailure("no such verb") }
        let ending: StepEnding
        do {
            ending = try await perform(work, StepTools(context: context) { _ in })
        } catch let failure as StepFailure {
            ending = StepEnding(StepResult(.failed, message: failure.description))
        }
        return try await context.store.write { transaction in
            try ending.commit(transaction)
            return ending.result
        }
    }

    func handle(_ body: some EventBody, at time: Timestamp? = nil) async throws {
        try await context.store.write { [cleanUp] transaction in
            let envelope = Envelope(
                id: UUID().uuidString, source: "/martlet/trigger-service", type: type(of: body).eventType, subject: "x",
                time: time ?? transaction.now, partitionkey: "x", causation: .first(actor: "x"),
                data: try Wire.decode(JSONValue.self, from: try Wire.encode(body)))
            let event = ReceivedEvent(
                envelope: envelope, position: LogPosition(source: .triggerService, epoch: 1, seq: 1))
            try cleanUp.handle(event, transaction)
        }
    }

    func finishRun(
        _ run: String, number: Int, pipeline: String = "P", branch: String = "main", outcome: Outcome = .succeeded,
        at time: Timestamp? = nil
    ) async throws {
        try await handle(
            RunFinished(
                run: run, number: number, project: "p", pipeline: pipeline, branch: branch, outcome: outcome,
                seconds: 1, outputs: .object([:])), at: time)
    }

    func events<Body: EventBody>(_ type: Body.Type) async throws -> [Body] {
        try await context.store.read { db in
            try Data.fetchAll(db, sql: "SELECT body FROM outbox ORDER BY seq")
                .map { try Wire.decode(Envelope.self, from: $0) }.compactMap { try $0.body(type) }
        }
    }

    func log(_ result: StepResult) async throws -> String {
        guard let digest = result.log else { return "" }
        return String(decoding: try await context.artifacts.read(digest), as: UTF8.self)
    }

    /// A snapshot of a repository with these files.
    func snapshot(_ files: [String: String]) async throws -> Digest {
        let folder = root + "/repository-" + UUID().uuidString
        for (name, text) in files { try write(text, to: "\(folder)/\(name)") }
        return try await context.artifacts.pack(directory: folder).digest
    }

    func write(_ text: String, to path: String) throws {
        let folder = (path as NSString).deletingLastPathComponent
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try text.write(toFile: path, atomically: true, encoding: .utf8)
    }

    func text(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }

    /// What a life of ours leaves that was killed while the step's process ran.
    func spawnInEarlierLife(_ work: StepWork) async throws -> (process: DetachedProcess, execution: Execution) {
        let folders = try await backend.copies.prepare(work)
        let execution = try await context.store.write {
            try $0.begin(work, boot: ProcessIdentity.currentBoot, space: ProcessSpace.current)
        }
        let command = try backend.bash(work.with["script"]?.string ?? "", work, in: folders, environment: nil)
        for (name, bytes) in command.files { try bytes.write(to: URL(fileURLWithPath: "\(folders.record)/\(name)")) }
        var variables = command.variables
        variables[Execution.markerName] = execution.marker
        let process = try DetachedProcess.spawn(
            ProcessRequest(
                argv: command.argv, environment: variables, directory: command.directory,
                output: folders.record + "/log", exitRecord: ExitRecord(path: folders.record + "/exit")))
        return (process, execution)
    }
}

/// Waits for something that another process does; gives up after a minute.
func eventually(_ condition: () throws -> Bool) async throws {
    // Generous: hundreds of tests share few cores, and whoever spins keeps the others from what is waited for.
    let deadline = ContinuousClock.now.advanced(by: .seconds(60))
    while try !condition() {
        guard ContinuousClock.now < deadline else { throw ConditionTimeout() }
        try await Task.sleep(for: .milliseconds(5))
    }
}

struct ConditionTimeout: Error {}

extension Workshop {
    func execution(_ item: String) async throws -> Execution {
        guard let found = try await context.store.read({ try ExecutionQueries.find(item, in: $0) }) else {
            throw StepFailure("no execution \(item)")
        }
        return found
    }

    func age(_ item: String, bySeconds seconds: Int) async throws {
        try await context.store.write { transaction in
            try transaction.db.execute(
                sql: "UPDATE execution SET started = started - ? WHERE item = ?", arguments: [seconds * 1_000, item])
        }
    }

    func write(_ text: String, to path: String, atomically: Bool) throws {
        try text.write(toFile: path, atomically: atomically, encoding: .utf8)
    }

    /// Carries out each intent once, as the service's runner does.
    func carryOutIntents() async throws {
        let now = Timestamp(milliseconds: .max)
        let effects = cleanUp.effects
        for intent in try await context.store.dueIntents(at: now, kinds: Array(effects.keys), limit: 100).due {
            guard let effect = effects[intent.kind], case .done(let commit) = await effect(intent) else { continue }
            try await context.store.write { transaction in
                try transaction.dropIntent(intent.kind, id: intent.id)
                try commit(transaction)
            }
        }
    }
}
