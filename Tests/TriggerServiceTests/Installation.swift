import Artifacts
import Bus
import Foundation
import GRDB
import Logging
import Messages
import Processes
import ServiceKit
import Store
import Synchronization
import Testing

@testable import TriggerService

/// A trigger-service without its loops: real database, real git, real artifact store; time moves when the test says so.
final class Installation: Sendable {
    let folder: String
    let store: StateStore
    let dispatcher: Dispatcher
    let mirrors: Mirrors
    let sessions: Sessions
    let requests: [String: RequestHandler]
    let reminders: Reminders
    let metrics = MetricsRegistry()
    private let clock: TestClock
    private let effects: [String: Effect]
    private let sequence = Mutex<Int64>(0)

    final class TestClock: Sendable {
        private let time = Mutex<Int64>(1_800_000_000_000)
        /// How far somebody has set the clock.
        private let offset = Mutex<Int64>(0)
        var now: Timestamp { Timestamp(milliseconds: time.withLock { $0 } + offset.withLock { $0 }) }
        var elapsed: Duration { time.withLock { .milliseconds($0) } }
        func advance(_ duration: Duration) { time.withLock { $0 += duration.components.seconds * 1000 } }
        func jump(_ duration: Duration) { offset.withLock { $0 += duration.components.seconds * 1000 } }
    }

    /// - Parameter environment: the service's own, for what an operator says there.
    init(settings: Settings = Settings(), in existing: String? = nil, environment: [String: String] = [:]) throws {
        folder = existing ?? NSTemporaryDirectory() + "martlet-trigger-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let clock = TestClock()
        self.clock = clock
        store = try StateStore.open(
            path: folder + "/state.sqlite", source: .triggerService, logs: [.ingest], clock: WallClock { clock.now },
            migrate: TriggerStore.migrate)
        let figures = TriggerFigures(metrics: metrics, store: store, clock: WallClock { clock.now })
        metrics.collect { _ in await figures.look() }
        dispatcher = Dispatcher(
            settings: settings, countdowns: CountdownBoard(elapsed: { clock.elapsed }),
            variables: OperatorVariables(folder: folder + "/variables", environment: environment),
            tell: { figures.note($0) })
        mirrors = Mirrors(folder: folder + "/mirrors")
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        sessions = Sessions(store: store, dispatcher: dispatcher, logger: logger, elapsed: { clock.elapsed })
        requests = SessionRequests(sessions: sessions, store: store, dispatcher: dispatcher).handlers
            .merging(Ingest(store: store, dispatcher: dispatcher).handlers) { $1 }
        let reading = CommitReading(
            mirrors: mirrors, dispatcher: dispatcher, store: store,
            artifacts: ArtifactStore(root: folder + "/artifacts"), scratch: folder + "/scratch")
        let watcher = RepositoryWatcher(store: store, dispatcher: dispatcher, mirrors: mirrors, logger: logger)
        let deliveries = DeliveryReading(store: store, dispatcher: dispatcher, mirrors: mirrors)
        reminders = Reminders(dispatcher: dispatcher, watcher: watcher, store: store, logger: logger)
        effects = reading.effects.merging(deliveries.effects) { $1 }.merging(reminders.effects) { $1 }
            // The loops are the test's own.
            .merging([IntentKind.watch: { _ in .done { _ in } }]) { $1 }
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// What an operator keeps beside the repositories.
    func keep(group: String, _ text: String) throws {
        try FileManager.default.createDirectory(atPath: folder + "/variables", withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/variables/\(group).env"))
    }

    func advance(_ duration: Duration) { clock.advance(duration) }

    /// Somebody sets the clock, and no time passes.
    func jump(_ duration: Duration) { clock.jump(duration) }

    /// What the timer of schedules does when it looks.
    func tick() async throws {
        let dispatcher = dispatcher
        while try await store.write({ try dispatcher.tick($0) }) {}
        try await settle()
    }

    /// Carries out what is due until nothing is.
    func settle() async throws {
        for _ in 0..<100 {
            let (due, _) = try await store.dueIntents(at: clock.now, kinds: Array(effects.keys), limit: 100)
            if due.isEmpty { return }
            for intent in due {
                let effect = try #require(effects[intent.kind])
                let outcome = await effect(intent)
                try await store.write { transaction in
                    switch outcome {
                    case .done(let commit), .never(_, let commit):
                        try transaction.dropIntent(intent.kind, id: intent.id)
                        try commit(transaction)
                    case .later(let reason, let wait?):
                        try transaction.postpone(intent, until: transaction.now.advanced(by: wait), reason: reason)
                    case .later(let reason, nil):
                        Issue.record("\(intent.kind) \(intent.id): \(reason)")
                        try transaction.dropIntent(intent.kind, id: intent.id)
                    }
                }
            }
        }
    }

    /// A person's wish, as console publishes it. Returns its id.
    @discardableResult
    func command(_ body: some EventBody, by person: String = "user:ann") async throws -> String {
        try await event(body, from: .console, actor: person)
    }

    /// - Parameter settling: `false`: what follows from it is left for the next that settles.
    @discardableResult
    func event(
        _ body: some EventBody, from source: Source, actor: String, depth: Int = 0, settling: Bool = true
    ) async throws -> String {
        let seq = sequence.withLock { seq in
            seq += 1
            return seq
        }
        var causation = Causation.first(actor: actor)
        causation.depth = depth
        let envelope = Envelope(
            id: "\(source)-\(seq)", source: "/martlet/\(source)", type: type(of: body).eventType, subject: "x",
            time: clock.now, partitionkey: "x", causation: causation,
            data: try Wire.decode(JSONValue.self, from: try Wire.encode(body)))
        let events = Events(dispatcher: dispatcher)
        let received = ReceivedEvent(
            envelope: envelope, position: LogPosition(source: source, epoch: 1, seq: seq))
        try await store.write { try events.handle(received, $0) }
        if settling { try await settle() }
        return envelope.id
    }

    /// One look at a repository, then everything that follows from it. Returns the back-off.
    @discardableResult
    func look(_ name: String = "demo") async throws -> Duration? {
        var observer = RepositoryObserver(
            name: name, store: store, dispatcher: dispatcher, mirror: mirrors[name])
        let wait = try await observer.look()
        try await settle()
        return wait
    }

    /// Everything that was published of one type, in order.
    func published<Body: EventBody>(_ type: Body.Type) async throws -> [Body] {
        try await envelopes().compactMap { try $0.body(type) }
    }

    func envelopes(_ source: Source = .triggerService) async throws -> [Envelope] {
        try await store.read { db in
            try Data.fetchAll(
                db, sql: "SELECT body FROM outbox WHERE source = ? ORDER BY seq", arguments: [source.name]
            ).map { try Wire.decode(Envelope.self, from: $0) }
        }
    }

    func answer(to command: String) async throws -> CommandAnswered {
        try #require(try await published(CommandAnswered.self).last { $0.command == command })
    }

    func request(
        _ method: String, _ params: JSONValue = [:], body: [Data] = [], user: String = "tester"
    ) async throws -> BusReply {
        let request = BusRequest(
            method: method, user: user, params: params, body: body, deadline: .milliseconds(700))
        let handler = try #require(requests[method])
        return await handler(request)
    }

    func open(_ worker: String = "w", verbs: [JSONValue] = ["run"], slots: Int = 4) async throws -> String {
        let reply = try await request(
            "session.open", ["worker": .string(worker), "verbs": .array(verbs), "slots": .int(slots)])
        return try #require(reply.params["session"]?.string)
    }

    func claim(_ session: String, max: Int = 4) async throws -> [StepWork] {
        struct Claimed: Decodable { var items: [StepWork] }
        let reply = try await request("claim", ["session": .string(session), "max": .int(max)])
        guard reply.status == 200 else { return [] }
        return try Wire.decode(Claimed.self, from: try Wire.encode(reply.params)).items
    }

    @discardableResult
    func complete(_ work: StepWork, _ result: StepResult = StepResult(.succeeded), head: [LogPosition] = [])
        async throws
        -> BusReply
    {
        let completion = CompleteParams(item: work.item, token: work.token, result: result, head: head)
        let reply = try await request("complete", try Wire.decode(JSONValue.self, from: try Wire.encode(completion)))
        try await settle()
        return reply
    }
}

extension Installation {
    /// One that watches a repository `demo` with this project file.
    static func watching(_ project: String, settings: Settings = Settings()) async throws -> Installation {
        let installation = try Installation(settings: settings)
        let upstream = try await Upstream(in: installation, project: project)
        try await installation.command(RepositoryAddRequested(repository: "demo", url: upstream.path))
        try await installation.look()
        return installation
    }
}

/// A repository as its owner has it.
struct Upstream {
    let path: String

    init(in installation: Installation, _ name: String = "upstream", project: String? = nil) async throws {
        path = installation.folder + "/" + name
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try await git("init", "-q", "-b", "main", ".")
        if let project { try await commit(["martlet.yml": project], "first") }
    }

    @discardableResult
    func git(_ arguments: String...) async throws -> String {
        let names = ["-c", "user.name=Ann Author", "-c", "user.email=ann@example.org", "-c", "commit.gpgsign=false"]
        let output = try await runCommand(["git", "-C", path] + names + arguments)
        try #require(output.end.isSuccess, "git \(arguments): \(output.errors)")
        return output.text.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    @discardableResult
    func commit(_ files: [String: String], _ message: String) async throws -> String {
        for (name, text) in files {
            let url = URL(fileURLWithPath: path + "/" + name)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: url)
        }
        try await git("add", "-A")
        try await git("commit", "-q", "--allow-empty", "-m", message)
        return try await git("rev-parse", "HEAD")
    }
}
