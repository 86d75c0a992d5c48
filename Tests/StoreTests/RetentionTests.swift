import EventLog
import Foundation
import GRDB
import Messages
import Synchronization
import Testing

@testable import Store

/// A registry's log over a real database, at a time that the test sets.
private final class TimedStore: Sendable {
    let folder: String
    let store: StateStore
    let time: TestTime

    init() throws {
        let time = TestTime()
        self.time = time
        folder = NSTemporaryDirectory() + "martlet-retention-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        store = try StateStore.open(
            path: folder + "/state.sqlite", source: .registryService, clock: WallClock(now: { time.now })
        ) { _ in }
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func register(_ versions: ClosedRange<Int>) async throws {
        let digest = try #require(Digest("sha256:" + String(repeating: "0", count: 64)))
        for version in versions {
            _ = try await store.write { transaction in
                try transaction.publish(
                    ModelRegistered(
                        model: "m", version: version,
                        artifact: ModelArtifact(digest: digest, size: 1, files: []), metrics: [:], params: [:],
                        tags: [:]),
                    subject: "model/m/\(version)", key: "m", because: .first(actor: "user:ada"))
            }
        }
    }

    func tag(_ version: Int, _ tags: [String: String]) async throws {
        _ = try await store.write { transaction in
            try transaction.publish(
                ModelTagged(model: "m", version: version, set: tags, removed: []), subject: "model/m/\(version)",
                key: "m", because: .first(actor: "user:ada"))
        }
    }

    func head() async throws -> LogHead { try await store.head(of: .registryService) }

    func records() async throws -> [LogRecord] {
        try await store.records(
            of: .registryService, epoch: try await head().epoch, after: 0, limit: 10_000, maxBytes: 1 << 30)
    }

    func snapshot(limit: Int = 1000, maxBytes: Int = 1 << 20) async throws -> [LogRecord] {
        var all: [LogRecord] = []
        while true {
            let part = try await store.snapshot(
                of: .registryService, after: all.last?.place, limit: limit, maxBytes: maxBytes)
            all += part.records
            if !part.more { return all }
        }
    }

    func prune(_ rule: Retention, atOnce most: Int = 500) async throws {
        while try await store.prune(.registryService, by: rule, atOnce: most) {}
    }
}

private final class TestTime: Sendable {
    private let time = Mutex(Timestamp(milliseconds: 1_800_000_000_000))
    var now: Timestamp { time.withLock { $0 } }
    func pass(days: Int64) { time.withLock { $0 = $0.advanced(by: .seconds(days * 24 * 3600)) } }
}

@Suite struct RetentionTests {
    private static let weekAndTen = Retention(events: 10)

    @Test(arguments: [
        // (age in days, records, bytes each) -> how many go with 7 days, 10 events, 1,000 bytes
        (8, 30, 10, 20), (6, 30, 10, 0), (8, 10, 10, 0), (8, 11, 10, 1), (0, 30, 100, 20), (0, 5, 900, 4),
        (0, 1, 5000, 0),
    ])
    func `what is old and not among the newest goes, and whatever is above the size`(
        days: Int64, records: Int, bytes: Int64, surplus: Int
    ) {
        let rule = Retention(events: 10, bytes: 1000)
        let now = Timestamp(milliseconds: 1_800_000_000_000)
        let time = now.advanced(by: .seconds(-days * 24 * 3600))
        let oldest = Array(repeating: (time: time, bytes: bytes), count: records)
        let total = Int64(records) * bytes
        #expect(rule.surplus(oldest, records: Int64(records), total: total, now: now) == surplus)
    }

    @Test func `a prefix goes, the rest stays verifiable from first to last`() async throws {
        let timed = try TimedStore()
        try await timed.register(1...30)
        try await timed.prune(Self.weekAndTen)
        #expect(try await timed.head().first == 1)
        timed.time.pass(days: 8)
        try await timed.prune(Self.weekAndTen, atOnce: 7)
        let (head, records) = (try await timed.head(), try await timed.records())
        #expect(head.first == 21)
        #expect(records.map(\.seq) == Array(21...30))
        var chain = head.base.chain
        for record in records {
            #expect(record.prev == chain)
            chain = record.chain
        }
        #expect(chain == head.chain)
        #expect(head.base.seq == 20)
    }

    @Test func `appending after pruning goes on with the same numbers and chain`() async throws {
        let timed = try TimedStore()
        try await timed.register(1...30)
        timed.time.pass(days: 8)
        try await timed.prune(Retention(events: 0))
        #expect(try await timed.records().map(\.seq) == [30])
        try await timed.register(31...31)
        let records = try await timed.records()
        #expect(records.map(\.seq) == [30, 31])
        #expect(records[1].prev == records[0].chain)
    }

    @Test func `a snapshot has the last word on everything, in the order of the log`() async throws {
        let timed = try TimedStore()
        try await timed.register(1...3)
        try await timed.tag(1, ["a": "1", "b": "1"])
        try await timed.tag(1, ["a": "2"])
        try await timed.tag(1, ["a": "3", "b": "3"])
        try await timed.tag(1, ["a": "4"])
        try await timed.register(4...4)
        timed.time.pass(days: 8)
        try await timed.prune(Retention(events: 1))
        let snapshot = try await timed.snapshot()
        #expect(snapshot.map(\.seq) == [1, 2, 3, 6, 7])
        #expect(try await timed.snapshot(limit: 2) == snapshot)
        #expect(try await timed.snapshot(maxBytes: 1) == snapshot)
        #expect(try await timed.head().base.seq == 7)
    }

    @Test func `pruning crosses epochs, and the lineage stays`() async throws {
        let timed = try TimedStore()
        try await timed.register(1...5)
        let first = try await timed.head().epoch
        _ = try await timed.store.write { try $0.beginEpoch(of: .registryService) }
        try await timed.register(6...9)
        _ = try await timed.store.write { try $0.beginEpoch(of: .registryService) }
        try await timed.register(10...12)
        let before = try await timed.head()
        #expect(before.lineage.map(\.seq) == [5, 4])
        #expect(before.lineage.first?.epoch == first)
        timed.time.pass(days: 8)
        try await timed.prune(Retention(events: 5), atOnce: 2)
        let head = try await timed.head()
        #expect(head.lineage == before.lineage)
        #expect(head.base.place == LogPlace(epoch: before.lineage[1].epoch, seq: 2))
        #expect(head.first == 1)
        #expect(try await timed.snapshot().map(\.seq) == [1, 2, 3, 4, 5, 1, 2])
    }

    @Test func `what is over is told for ninety days and then forgotten`() async throws {
        let timed = try TimedStore()
        let letter = DeadLetterCreated(
            letter: "l", service: "s", source: "x", epoch: 1, seq: 1, key: "k", reason: "r", attempts: 1)
        _ = try await timed.store.write { transaction in
            try transaction.publish(letter, subject: "deadletter/l", key: "k", because: .first(actor: "user:ada"))
            try transaction.publish(
                DeadLetterClosed(letter: "l", service: "s", result: "dropped", by: "user:ada"), subject: "deadletter/l",
                key: "k", because: .first(actor: "user:ada"))
        }
        try await timed.register(1...1)
        timed.time.pass(days: 8)
        try await timed.prune(Retention(events: 1))
        #expect(try await timed.snapshot().map(\.seq) == [2])
        timed.time.pass(days: 90)
        try await timed.store.forgetExpiredFacts()
        #expect(try await timed.snapshot().isEmpty)
    }

    @Test func `I4 pruning that is broken off between any two statements has not happened`() async throws {
        let timed = try TimedStore()
        try await timed.register(1...6)
        try await timed.tag(1, ["a": "1"])
        timed.time.pass(days: 8)
        let before = (try await timed.head(), try await timed.records())
        var broken = 0
        for statement in 1...200 {
            let counter = Counter(stopAt: statement)
            let pool = timed.store.pool
            try await pool.writeWithoutTransaction { db in
                db.trace { _ in if counter.next() { pool.interrupt() } }
            }
            let pruned = try? await timed.store.prune(.registryService, by: Retention(events: 2))
            try await timed.store.pool.writeWithoutTransaction { $0.trace(options: []) }
            if pruned != nil, !counter.hasStopped { break }
            let head = try await timed.head()
            if head == before.0 {
                broken += 1
                #expect(try await timed.records() == before.1)
                #expect(try await timed.snapshot().isEmpty)
            } else {
                // Interrupted after the commit: then all of it has happened.
                #expect(head.first == 6)
                #expect(try await timed.snapshot().map(\.seq) == Array(1...5))
            }
        }
        #expect(broken > 5)
        try await timed.prune(Retention(events: 2))
        #expect(try await timed.records().map(\.seq) == [6, 7])
    }
}

private final class Counter: Sendable {
    private let count = Mutex(0)
    private let stopAt: Int

    init(stopAt: Int) { self.stopAt = stopAt }

    func next() -> Bool {
        count.withLock { count in
            count += 1
            return count == stopAt
        }
    }

    var hasStopped: Bool { count.withLock { $0 >= stopAt } }
}

@Suite struct SnapshotStoreTests {
    private static let source: Source = .console

    private func record(_ seq: Int64) -> LogRecord {
        LogRecord(
            source: Self.source, epoch: 1, seq: seq, prev: .unknown, topic: "e/console/t", body: Data("{}".utf8))
    }

    private func part(_ seqs: [Int64], isLast: Bool, at: Int64 = 9) -> SnapshotPart {
        SnapshotPart(
            source: Self.source, records: seqs.map(record), at: LogCursor(epoch: 1, seq: at, chain: .unknown),
            isLast: isLast)
    }

    private func apply(_ part: SnapshotPart, to store: StateStore) async throws -> [Int64] {
        try await store.write { transaction in
            var applied: [Int64] = []
            try transaction.apply(part) { applied += $0.map(\.seq) }
            return applied
        }
    }

    @Test func `I2 what was applied before is not applied from a snapshot`() async throws {
        let timed = try TemporaryStore()
        try await timed.store.write { try $0.move(to: LogCursor(epoch: 1, seq: 4, chain: .unknown), of: Self.source) }
        #expect(try await apply(part([2, 4, 5, 7], isLast: false), to: timed.store) == [5, 7])
        // Broken off here and begun again: the same part, and another that overlaps it.
        #expect(try await apply(part([2, 4, 5, 7], isLast: false), to: timed.store) == [])
        #expect(try await timed.store.cursor(for: Self.source)?.seq == 4)
        #expect(try await apply(part([7, 8], isLast: true), to: timed.store) == [8])
        #expect(try await timed.store.cursor(for: Self.source)?.seq == 9)
        #expect(try await apply(part([8, 9], isLast: true), to: timed.store) == [])
    }

    @Test func `a part whose handler fails is not applied at all`() async throws {
        let timed = try TemporaryStore()
        await #expect(throws: Planned.self) {
            try await timed.store.write { transaction in
                try transaction.apply(part([1, 2], isLast: true)) { _ in throw Planned() }
            }
        }
        #expect(try await timed.store.cursor(for: Self.source) == nil)
        #expect(try await apply(part([1, 2], isLast: true), to: timed.store) == [1, 2])
    }

    @Test func `I6 a halt is kept until it is released and landed`() async throws {
        let timed = try TemporaryStore()
        let fork = Fork(source: Self.source, epoch: 1, seq: 4, expected: "a", found: "b")
        #expect(try await timed.store.write { try $0.halt(fork) })
        #expect(try await timed.store.write { try $0.halt(fork) } == false)
        #expect(try await timed.store.halt(of: Self.source)?.release == nil)
        try await timed.store.write { try $0.release(Self.source, because: .first(actor: "user:ada")) }
        #expect(try await timed.store.halt(of: Self.source)?.release?.actor == "user:ada")
        let head = LogHead(source: Self.source, epoch: 1, last: 2, chain: .unknown)
        let landing = Landing(of: Self.source, from: LogCursor(epoch: 1, seq: 4, chain: .unknown), on: head)
        try await timed.store.write { try $0.land(landing) }
        #expect(try await timed.store.halts().isEmpty)
        #expect(try await timed.store.cursor(for: Self.source)?.seq == 2)
    }
}
