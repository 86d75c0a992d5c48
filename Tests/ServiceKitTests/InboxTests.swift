import EventLog
import Foundation
import GRDB
import Logging
import Messages
import Store
import Synchronization
import Testing

@testable import ServiceKit

/// A service's inbox over a real database, fed with records that a log would bring.
private final class Fixture: Sendable {
    let folder: String
    let store: StateStore
    let positions = PositionTracker(followed: [.console])
    let metrics = MetricsRegistry()
    let refuse: Mutex<Set<String>>
    let handled = Mutex<[String]>([])

    init(refusing refused: Set<String> = []) throws {
        folder = NSTemporaryDirectory() + "martlet-inbox-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        refuse = Mutex(refused)
        store = try StateStore.open(path: folder + "/state.sqlite", source: .notifier) { migrator in
            migrator.registerMigration("v1") { db in
                try db.execute(sql: "CREATE TABLE effect (event TEXT PRIMARY KEY) STRICT")
            }
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    var inbox: Inbox {
        Inbox(
            source: .notifier, store: store,
            handle: { [self] event, transaction in
                let key = event.envelope.partitionkey
                if key == "dead" { throw DeadAtOnce("cannot ever work") }
                try transaction.db.execute(sql: "INSERT INTO effect VALUES (?)", arguments: [event.envelope.id])
                if refuse.withLock({ $0.contains(key) }) { throw CancellationError() }
                handled.withLock { $0.append(event.envelope.id) }
            },
            positions: positions, retries: WakeSignal(), metrics: metrics, logger: Logger(label: "test"),
            canceled: { _ in })
    }

    /// Consecutive records of the console's log, one for each (id, key).
    func records(_ events: [(id: String, key: String)]) throws -> [LogRecord] {
        var chain = Chain.start(of: .console, epoch: 1, parent: nil)
        return try events.enumerated().map { index, event in
            let envelope = Envelope(
                id: event.id, source: "/martlet/console", type: "dev.martlet.command.something.v1",
                subject: "x/\(event.key)", time: Timestamp(milliseconds: 0), partitionkey: event.key,
                causation: .first(actor: "user:ada"), data: [:])
            let record = LogRecord(
                source: .console, epoch: 1, seq: Int64(index + 1), prev: chain, topic: "e/console/\(envelope.type)",
                body: try Wire.encode(envelope))
            chain = record.chain
            return record
        }
    }

    /// The console's log goes on with this.
    func hear<Body: EventBody>(_ body: Body, key: String) async throws {
        let cursor = try await store.cursor(for: .console)
        let envelope = Envelope(
            id: UUID().uuidString, source: "/martlet/console", type: Body.eventType, subject: "x/\(key)",
            time: Timestamp(milliseconds: 0), partitionkey: key, causation: .first(actor: "user:ada"),
            data: try Wire.decode(JSONValue.self, from: Wire.encode(body)))
        try await inbox.apply([
            LogRecord(
                source: .console, epoch: 1, seq: (cursor?.seq ?? 0) + 1,
                prev: cursor?.chain ?? Chain.start(of: .console, epoch: 1, parent: nil),
                topic: "e/console/\(envelope.type)", body: try Wire.encode(envelope))
        ])
    }

    /// An operator has the only dead letter tried again, or dropped.
    func answerDeadLetter(retry: Bool) async throws {
        let letter = try await store.read { try String.fetchOne($0, sql: "SELECT id FROM parked") } ?? ""
        try await hear(DeadLetterAnswered(letter: letter, service: "notifier", retry: retry), key: letter)
    }

    func retryDeadLetter() async throws { try await answerDeadLetter(retry: true) }

    func effects() async throws -> [String] {
        try await store.read { try String.fetchAll($0, sql: "SELECT event FROM effect ORDER BY event") }
    }

    func said() async throws -> [Envelope] {
        let head = try await store.head(of: .notifier)
        let records = try await store.records(
            of: .notifier, epoch: head.epoch, after: 0, limit: 99, maxBytes: 1 << 20)
        return try records.map { try Wire.decode(Envelope.self, from: $0.body) }
    }

    var events: [String] {
        get async throws { try await said().map { shortEventName($0.type) } }
    }

    func parkedRows() async throws -> Int? {
        try await store.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM parked") }
    }
}

@Suite struct InboxTests {
    private let far = Timestamp(Date()).advanced(by: .seconds(7200))

    @Test func `I2 effects and cursor move together`() async throws {
        let fixture = try Fixture()
        let records = try fixture.records([("1", "a"), ("2", "b")])
        try await fixture.inbox.apply(records)
        #expect(try await fixture.effects() == ["1", "2"])
        #expect(try await fixture.store.cursor(for: .console)?.seq == 2)
        #expect(try await fixture.store.cursor(for: .console)?.chain == records[1].chain)
    }

    @Test func `an event of a type that this version does not know is passed over, and counted`() async throws {
        let fixture = try Fixture()
        try await fixture.inbox.apply(try fixture.records([("1", "a"), ("2", "b")]))
        try await fixture.hear(RunCancelRequested(run: "r"), key: "r")
        #expect(try await fixture.parkedRows() == 0)
        #expect(try await fixture.store.cursor(for: .console)?.seq == 3)
        let figures = await fixture.metrics.render()
        #expect(figures.contains(#"martlet_events_unknown_total{source="console"} 2.0"#))
        #expect(figures.contains(#"martlet_events_applied_total{source="console"} 3.0"#))
        #expect(EventOwner.knows("com.acme.data.arrived") && EventOwner.knows(RunCancelRequested.eventType))
    }

    @Test func `P2 a failing event parks its key, later ones wait behind it, other keys flow`() async throws {
        let fixture = try Fixture(refusing: ["bad"])
        try await fixture.inbox.apply(try fixture.records([("1", "bad"), ("2", "good"), ("3", "bad")]))
        #expect(try await fixture.effects() == ["2"])
        #expect(try await fixture.store.cursor(for: .console)?.seq == 3)

        fixture.refuse.withLock { $0 = [] }
        var (due, _) = try await fixture.store.dueParked(at: far)
        while !due.isEmpty {
            for parked in due { try await fixture.inbox.retry(parked) }
            (due, _) = try await fixture.store.dueParked(at: far)
        }
        #expect(fixture.handled.withLock { $0 } == ["2", "1", "3"])
    }

    @Test func `P2 what waits behind a failed event is drained key by key, in order`() async throws {
        let fixture = try Fixture(refusing: ["bad", "other"])
        let events = [("1", "bad"), ("2", "bad"), ("3", "other"), ("4", "bad")]
        try await fixture.inbox.apply(try fixture.records(events.map { (id: $0.0, key: $0.1) }))
        #expect(try await fixture.effects().isEmpty)
        let now = Timestamp(milliseconds: 0)
        #expect(try await fixture.store.nextParked(of: "bad", at: now) == nil)
        #expect(try await fixture.store.nextParked(of: "bad", at: far)?.position.seq == 1)
        #expect(try await fixture.store.nextParked(of: "good", at: far) == nil)

        fixture.refuse.withLock { $0 = [] }
        let later = far
        let retrier = ParkedRetrier(
            inbox: fixture.inbox, store: fixture.store, clock: WallClock { later }, signal: WakeSignal(),
            logger: Logger(label: "test"))
        #expect(try await retrier.drain() == nil)
        let handled = fixture.handled.withLock { $0 }
        #expect(handled.filter { $0 != "3" } == ["1", "2", "4"])
        #expect(handled.count == 4)
        #expect(try await fixture.store.dueParked(at: far).due.isEmpty)
    }

    @Test func `P2 a parked event is tried again in a moment, though the clock was set back by an hour`() async throws {
        let fixture = try Fixture(refusing: ["bad"])
        try await fixture.inbox.apply(try fixture.records([("1", "bad"), ("2", "bad")]))
        fixture.refuse.withLock { $0 = [] }
        let back = Timestamp(Date()).advanced(by: .seconds(-3600))
        let soon = back.advanced(by: .seconds(1))
        func drain(at now: Timestamp) async throws -> Timestamp? {
            try await ParkedRetrier(
                inbox: fixture.inbox, store: fixture.store, clock: WallClock { now }, signal: WakeSignal(),
                logger: Logger(label: "test")
            ).drain()
        }
        #expect(try await drain(at: back) == soon)
        #expect(try await drain(at: soon) == nil)
        #expect(fixture.handled.withLock { $0 } == ["1", "2"])
    }

    @Test func `what was forgotten just before its last try is not tried, nor told of as dead`() async throws {
        let fixture = try Fixture(refusing: ["bad"])
        try await fixture.inbox.apply(try fixture.records([("1", "bad")]))
        var parked = try #require(try await fixture.store.dueParked(at: far).due.first)
        parked.attempts = Inbox.backOff.count
        let id = parked.id
        try await fixture.store.write { try $0.unpark(id) }
        try await fixture.inbox.retry(parked)
        fixture.refuse.withLock { $0 = [] }
        try await fixture.inbox.retry(parked)
        #expect(try await fixture.effects().isEmpty)
        #expect(try await fixture.events.isEmpty)
    }

    @Test func `after five failed tries more an event is dead, is told of, and frees its key`() async throws {
        let fixture = try Fixture(refusing: ["bad"])
        try await fixture.inbox.apply(try fixture.records([("1", "bad"), ("2", "bad")]))
        for _ in Inbox.backOff {
            let (due, _) = try await fixture.store.dueParked(at: far)
            #expect(due.count == 1)
            for parked in due { try await fixture.inbox.retry(parked) }
        }
        #expect(try await fixture.events == ["deadletter.created"])
        fixture.refuse.withLock { $0 = [] }
        for parked in try await fixture.store.dueParked(at: far).due { try await fixture.inbox.retry(parked) }
        #expect(try await fixture.effects() == ["2"])
    }

    @Test func `what cannot ever work is dead at once and stops nobody`() async throws {
        let fixture = try Fixture()
        try await fixture.inbox.apply(try fixture.records([("1", "dead"), ("2", "dead2")]))
        #expect(try await fixture.effects() == ["2"])
        #expect(try await fixture.events == ["deadletter.created"])
    }

    @Test func `bytes that are no event are a dead letter, not a crash`() async throws {
        let fixture = try Fixture()
        var records = try fixture.records([("1", "a")])
        records[0].body = Data("{{{".utf8)
        try await fixture.inbox.apply(records)
        #expect(try await fixture.events == ["deadletter.created"])
        #expect(try await fixture.store.cursor(for: .console)?.seq == 1)
    }

    @Test(
        arguments: [
            ("e/console/acme.thing.v1", "/martlet/console", true),
            ("e/console/acme.thing.v1", "https://acme.example", true),
            ("e/console/acme.other.v1", "/martlet/console", false),
            ("e/deployer/acme.thing.v1", "/martlet/console", false),
            ("e/console/acme.thing.v1", "/martlet/deployer", false),
            ("e/console/acme.thing.v1", "/Martlet/deployer", false),
        ])
    func `an event counts when it says what its topic says; else it only has its place`(
        topic: String, source: String, isGenuine: Bool
    ) async throws {
        let fixture = try Fixture()
        let envelope = Envelope(
            id: "1", source: source, type: "acme.thing.v1", subject: "x/1", time: Timestamp(milliseconds: 0),
            partitionkey: "k", causation: .first(actor: "user:ada"), data: [:])
        try await fixture.inbox.apply([
            LogRecord(
                source: .console, epoch: 1, seq: 1, prev: Chain.start(of: .console, epoch: 1, parent: nil),
                topic: topic, body: try Wire.encode(envelope))
        ])
        #expect(try await fixture.effects() == (isGenuine ? ["1"] : []))
        #expect(try await fixture.parkedRows() == 0)
        #expect(try await fixture.store.cursor(for: .console)?.seq == 1)
        let figures = await fixture.metrics.render()
        #expect(figures.contains(#"martlet_events_foreign_total{source="console"} 1.0"#) != isGenuine)
    }

    @Test func `a step is not stopped on the word of a log that may not say so`() async throws {
        let fixture = try Fixture()
        let stopped = Mutex<[String]>([])
        let inbox = Inbox(
            source: .notifier, store: fixture.store, handle: { _, _ in }, positions: fixture.positions,
            retries: WakeSignal(), metrics: fixture.metrics, logger: Logger(label: "test"),
            canceled: { request in stopped.withLock { $0.append(request.item) } })
        for (number, log) in [Source.deployer, .triggerService].enumerated() {
            let wish = StepCancelRequested(run: "r", job: "j", step: "s", item: "\(log)", reason: "enough")
            let envelope = Envelope(
                id: "\(number)", source: "/martlet/\(log)", type: StepCancelRequested.eventType, subject: "run/r",
                time: Timestamp(milliseconds: 0), partitionkey: "r", causation: .first(actor: "user:ada"),
                data: try Wire.tree(wish))
            try await inbox.apply([
                LogRecord(
                    source: log, epoch: 1, seq: 1, prev: Chain.start(of: log, epoch: 1, parent: nil),
                    topic: "e/\(log)/\(envelope.type)", body: try Wire.encode(envelope))
            ])
        }
        #expect(stopped.withLock { $0 } == ["trigger-service"])
    }

    @Test func `a log that is not heard any more is told of, by whom and for how long`() async throws {
        let fixture = try Fixture()
        await fixture.inbox.noteSilence(.deployer, .milliseconds(17_900))
        let said = try #require(try await fixture.said().first)
        let silent = try #require(try said.body(SourceSilent.self))
        #expect(silent.service == "notifier" && silent.source == "deployer" && silent.seconds == 17)
        #expect(said.subject == "source/deployer" && said.partitionkey == "deployer")
        #expect(said.actor == "service:notifier")
        // Each silence anew.
        await fixture.inbox.noteSilence(.deployer, .seconds(15))
        #expect(try await fixture.events == ["bus.source_silent", "bus.source_silent"])
    }

    @Test func `N5 an operator retries a dead letter, and it is closed`() async throws {
        let fixture = try Fixture(refusing: ["bad"])
        try await fixture.inbox.apply(try fixture.records([("1", "bad")]))
        for _ in Inbox.backOff {
            for parked in try await fixture.store.dueParked(at: far).due { try await fixture.inbox.retry(parked) }
        }
        fixture.refuse.withLock { $0 = [] }
        try await fixture.retryDeadLetter()
        #expect(try await fixture.effects() == ["1"])
        #expect(try await fixture.events == ["deadletter.created", "deadletter.closed"])
    }

    @Test func `N5 an operator drops a dead letter, which is closed and never handled`() async throws {
        let fixture = try Fixture()
        try await fixture.inbox.apply(try fixture.records([("1", "dead")]))
        try await fixture.answerDeadLetter(retry: false)
        #expect(try await fixture.effects().isEmpty)
        #expect(try await fixture.parkedRows() == 0)
        let said = try await fixture.said()
        #expect(said.map { shortEventName($0.type) } == ["deadletter.created", "deadletter.closed"])
        let closed = try #require(try said.last?.body(DeadLetterClosed.self))
        #expect(closed.result == "dropped" && closed.by == "user:ada")
        // Once more: there is none any more, which the answer says.
        try await fixture.hear(
            DeadLetterAnswered(letter: closed.letter, service: "notifier", retry: false), key: closed.letter)
        #expect(try await fixture.events.last == "bus.command_answered")
    }

    @Test func `N5 whoever retries a dead letter hears that it failed again`() async throws {
        let fixture = try Fixture()
        try await fixture.inbox.apply(try fixture.records([("1", "dead")]))
        try await fixture.retryDeadLetter()
        let said = try await fixture.said()
        #expect(
            said.map { shortEventName($0.type) } == [
                "deadletter.created", "deadletter.created", "bus.command_answered",
            ])
        let answer = try #require(try said.last?.body(LogCommandAnswered.self))
        #expect(!answer.accepted && answer.reason == "it failed again: cannot ever work")
        #expect(try await fixture.parkedRows() == 1)
    }

    @Test func `N5 a retry of what is no event is refused, and is no dead letter of its own`() async throws {
        let fixture = try Fixture()
        var records = try fixture.records([("1", "a")])
        records[0].body = Data("{{{".utf8)
        try await fixture.inbox.apply(records)
        try await fixture.retryDeadLetter()
        let answer = try #require(try await fixture.said().last?.body(LogCommandAnswered.self))
        #expect(!answer.accepted && answer.reason?.hasPrefix("it failed again: ") == true)
        #expect(try await fixture.parkedRows() == 1)
    }

    @Test func `N5 a revoked token whose event is retried opens nothing any more`() async throws {
        let fixture = try Fixture(refusing: ["bad"])
        let digest = try #require(Digest("sha256:" + String(repeating: "a", count: 64)))
        try await fixture.hear(
            TokenCreated(token: "ab12", name: "kim", role: "viewer", groups: [], digest: digest), key: "good")
        try await fixture.hear(TokenRevoked(token: "ab12"), key: "bad")
        for _ in Inbox.backOff {
            for parked in try await fixture.store.dueParked(at: far).due { try await fixture.inbox.retry(parked) }
        }
        #expect(try await fixture.store.read { try APITokens.areKnown(in: $0) })
        fixture.refuse.withLock { $0 = [] }
        try await fixture.retryDeadLetter()
        #expect(try await !fixture.store.read { try APITokens.areKnown(in: $0) })
        #expect(try await fixture.parkedRows() == 0)
    }
}

@Suite struct PositionTests {
    @Test func `a step waits for what it must have seen, and for nothing else`() async {
        let tracker = PositionTracker(followed: [.trainerProxy])
        await tracker.wait(for: [LogPosition(source: .deployer, epoch: 1, seq: 9)])
        let waiting = Task {
            await tracker.wait(for: [LogPosition(source: .trainerProxy, epoch: 5, seq: 2)]); return true
        }
        await tracker.reached(.trainerProxy, epoch: 5, seq: 1)
        await tracker.reached(.trainerProxy, epoch: 5, seq: 2)
        #expect(await waiting.value)
        await tracker.wait(for: [LogPosition(source: .trainerProxy, epoch: 4, seq: 100)])
    }
}
