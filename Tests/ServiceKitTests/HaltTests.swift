import EventLog
import Foundation
import GRDB
import Logging
import Messages
import Store
import Synchronization
import Testing

@testable import ServiceKit

/// A service that follows the registry's log, over a real database.
private final class Follower: Sendable {
    let folder: String
    let store: StateStore
    let inbox: Inbox

    init(_ policy: ForkPolicy = .halt) throws {
        folder = NSTemporaryDirectory() + "martlet-halt-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        store = try StateStore.open(path: folder + "/state.sqlite", source: .deployer) { _ in }
        inbox = Inbox(
            source: .deployer, owned: [.deployer], onFork: policy, store: store, handle: { _, _ in },
            positions: PositionTracker(followed: [.console]), retries: WakeSignal(), metrics: MetricsRegistry(),
            logger: Logger(label: "test"), canceled: { _ in })
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// As the console's log brings it.
    func hear(_ body: some EventBody, seq: Int64 = 1) async throws {
        let envelope = Envelope(
            id: "command-\(seq)", source: "/martlet/console", type: type(of: body).eventType, subject: "x/1",
            time: Timestamp(milliseconds: 0), partitionkey: "k\(seq)", causation: .first(actor: "user:ada"),
            data: try Wire.decode(JSONValue.self, from: Wire.encode(body)))
        try await inbox.apply([
            LogRecord(
                source: .console, epoch: 1, seq: seq, prev: .unknown, topic: "e/console/\(envelope.type)",
                body: try Wire.encode(envelope))
        ])
    }

    func said<Body: EventBody>(_ type: Body.Type) async throws -> [Body] {
        let head = try await store.head(of: .deployer)
        var records: [LogRecord] = []
        for epoch in head.lineage.map(\.epoch) + [head.epoch] {
            records += try await store.records(of: .deployer, epoch: epoch, after: 0, limit: 99, maxBytes: 1 << 20)
        }
        return try records.compactMap { try Wire.decode(Envelope.self, from: $0.body).body(Body.self) }
    }
}

private let fork = Fork(source: .registryService, epoch: 7, seq: 4, expected: "a", found: "b")
private let cursor = LogCursor(epoch: 7, seq: 4, chain: .unknown)

@Suite struct HaltTests {
    private func landing(_ source: Source = .registryService) -> Landing {
        Landing(of: source, from: cursor, on: LogHead(source: source, epoch: 7, last: 2, chain: .unknown))
    }

    @Test func `I6 a halted log stays halted until an operator releases it, and that is told with what it means`()
        async throws
    {
        let follower = try Follower()
        try await follower.store.write { try $0.move(to: cursor, of: .registryService) }
        try await follower.inbox.quarantine(fork)
        try await follower.inbox.quarantine(fork)
        #expect(try await follower.said(ForkDetected.self).count == 1)
        #expect(try await follower.inbox.halt(of: .registryService)?.isReleased == false)
        #expect(follower.inbox.halted.notes.count == 1)
        #expect(await follower.inbox.metrics.render().contains(#"martlet_halted_logs{source="registry-service"} 1.0"#))

        // Not released: landing does nothing.
        try await follower.inbox.goOn(landing())
        #expect(try await follower.inbox.halt(of: .registryService) != nil)

        try await follower.hear(LogReleaseRequested(service: "deployer", source: "registry-service"))
        #expect(try await follower.inbox.halt(of: .registryService)?.isReleased == true)
        try await follower.inbox.goOn(landing())
        #expect(try await follower.inbox.halt(of: .registryService) == nil)
        #expect(try await follower.store.cursor(for: .registryService)?.seq == 2)
        let released = try #require(try await follower.said(ForkReleased.self).first)
        #expect(released.by == "user:ada")
        #expect(released.forgotten == 2)
        #expect(follower.inbox.halted.notes.isEmpty)
    }

    @Test(arguments: [(7, [3, 4]), (9, [1, 2, 3, 4])] as [(Int64, [Int64])])
    func `I6 a dead letter of an event that the log no longer has is closed, and holds up no other of its number`(
        epoch: Int64, forgotten: [Int64]
    ) async throws {
        let follower = try Follower()
        func record(_ seq: Int64) -> LogRecord {
            LogRecord(
                source: .registryService, epoch: 7, seq: seq, prev: .unknown, topic: "e/registry-service/x",
                body: Data("{{{".utf8))
        }
        try await follower.inbox.apply((1...4).map(record))
        let letters = try await follower.said(DeadLetterCreated.self)
        #expect(letters.map(\.seq) == [1, 2, 3, 4])
        try await follower.inbox.quarantine(fork)
        try await follower.hear(LogReleaseRequested(service: "deployer", source: "registry-service"))
        try await follower.inbox.goOn(
            Landing(
                of: .registryService, from: cursor,
                on: LogHead(source: .registryService, epoch: epoch, last: 2, chain: .unknown)))
        let closed = try await follower.said(DeadLetterClosed.self)
        #expect(closed.map(\.letter) == letters.filter { forgotten.contains($0.seq) }.map(\.letter))
        #expect(closed.allSatisfy { $0.result == "dropped" && $0.by == "user:ada" })
        try await follower.inbox.apply((3...4).map(record))
        #expect(try await follower.said(DeadLetterCreated.self).map(\.seq) == [1, 2, 3, 4, 3, 4])
        #expect(try await follower.store.cursor(for: .registryService)?.seq == 4)
    }

    @Test func `I6 a new epoch that goes on from an earlier place closes the dead letters of what lay behind it`()
        async throws
    {
        let follower = try Follower()
        try await follower.inbox.apply(
            (Int64(1)...4).map { seq in
                LogRecord(
                    source: .registryService, epoch: 7, seq: seq, prev: .unknown, topic: "e/registry-service/x",
                    body: Data("{{{".utf8))
            })
        let letters = try await follower.said(DeadLetterCreated.self)
        try await follower.inbox.quarantine(fork)
        try await follower.hear(LogReleaseRequested(service: "deployer", source: "registry-service"))
        try await follower.inbox.goOn(
            Landing(
                of: .registryService, from: cursor,
                on: LogHead(
                    source: .registryService, epoch: 9, last: 1, chain: .unknown,
                    lineage: [LogParent(epoch: 7, seq: 2, chain: .unknown)])))
        #expect(try await follower.store.cursor(for: .registryService)?.place == LogPlace(epoch: 9, seq: 0))
        let closed = try await follower.said(DeadLetterClosed.self)
        #expect(closed.map(\.letter) == letters.filter { $0.seq > 2 }.map(\.letter))
    }

    @Test func `a release of what is not halted is refused, and others' releases are not taken`() async throws {
        let follower = try Follower()
        try await follower.hear(LogReleaseRequested(service: "deployer", source: "registry-service"))
        #expect(try await follower.said(LogCommandAnswered.self).map(\.accepted) == [false])
        try await follower.inbox.quarantine(fork)
        try await follower.hear(LogReleaseRequested(service: "notifier", source: "registry-service"), seq: 2)
        #expect(try await follower.inbox.halt(of: .registryService)?.isReleased == false)
    }

    @Test(arguments: [(ForkPolicy.goOn, Source.registryService), (.halt, .console)])
    func `who only tells goes on by itself, and nobody halts for the console`(policy: ForkPolicy, source: Source)
        async throws
    {
        let follower = try Follower(policy)
        try await follower.store.write { try $0.move(to: cursor, of: source) }
        var fork = fork
        fork.source = source
        try await follower.inbox.quarantine(fork)
        #expect(try await follower.inbox.halt(of: source)?.isReleased == true)
        try await follower.inbox.goOn(landing(source))
        #expect(try await follower.said(ForkDetected.self).count == 1)
        #expect(try await follower.said(ForkReleased.self).map(\.by) == ["service:deployer"])
    }

    @Test func `an operator can say that the database was restored`() async throws {
        let follower = try Follower()
        let before = try await follower.store.head(of: .deployer)
        try await follower.hear(LogEpochRequested(service: "deployer", reason: "restored last night's copy"))
        let head = try await follower.store.head(of: .deployer)
        #expect(head.epoch > before.epoch)
        #expect(head.lineage.map(\.epoch) == [before.epoch])
        #expect(try await follower.said(EpochBegun.self).map(\.reason) == ["restored last night's copy"])
        #expect(try await follower.said(LogCommandAnswered.self).map(\.accepted) == [true])
    }

    @Test func `I2 a snapshot goes through the ordinary handler, and is told of once`() async throws {
        let handled = Mutex<[String]>([])
        let follower = try Follower()
        var inbox = follower.inbox
        inbox = Inbox(
            source: .deployer, owned: [.deployer], store: follower.store,
            handle: { event, _ in handled.withLock { $0.append(event.envelope.id) } },
            positions: PositionTracker(followed: []), retries: WakeSignal(), metrics: MetricsRegistry(),
            logger: Logger(label: "test"), canceled: { _ in })
        let records = try (1...4).map { seq in
            let envelope = Envelope(
                id: "e\(seq)", source: "/martlet/registry-service", type: "acme.thing.v1", subject: "x/1",
                time: Timestamp(milliseconds: 0), partitionkey: "k", causation: .first(actor: "user:ada"), data: [:])
            return LogRecord(
                source: .registryService, epoch: 7, seq: Int64(seq), prev: .unknown,
                topic: "e/registry-service/\(envelope.type)", body: try Wire.encode(envelope))
        }
        try await inbox.apply([records[0]])
        let at = LogCursor(epoch: 7, seq: 9, chain: .unknown)
        let first = SnapshotPart(source: .registryService, records: [records[0], records[2]], at: at, isLast: false)
        let last = SnapshotPart(source: .registryService, records: [records[3]], at: at, isLast: true)
        for part in [first, first, last, last] { try await inbox.apply(part) }
        #expect(handled.withLock { $0 } == ["e1", "e3", "e4"])
        let told = try await follower.said(SnapshotTaken.self)
        #expect(told.map(\.fromSeq) == [1])
        #expect(told.map(\.toSeq) == [9])
    }
}
