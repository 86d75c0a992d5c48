import EventLog
import Foundation
import GRDB
import Messages
import Store
import Testing

/// A store in a folder of its own, removed with it.
final class TemporaryStore: Sendable {
    let folder: String
    let store: StateStore

    init(wal: WriteAheadLog = WriteAheadLog()) throws {
        folder = NSTemporaryDirectory() + "martlet-store-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        store = try Self.open(folder, wal: wal)
    }

    static func open(_ folder: String, wal: WriteAheadLog = WriteAheadLog()) throws -> StateStore {
        try StateStore.open(path: folder + "/state.sqlite", source: .registryService, wal: wal) { migrator in
            migrator.registerMigration("v1") { db in
                try db.execute(sql: "CREATE TABLE thing (name TEXT PRIMARY KEY) STRICT")
            }
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }
}

struct Planned: Error {}

private let tagged = ModelTagged(model: "m", version: 1, set: ["a": "b"], removed: [])

extension Transaction {
    func insertThing(_ name: String) throws {
        try db.execute(sql: "INSERT INTO thing VALUES (?)", arguments: [name])
    }

    func say() throws {
        try publish(tagged, subject: "model/m/1", key: "m", because: .first(actor: "user:ada"))
    }
}

@Suite struct StateStoreTests {
    private func things(_ store: StateStore) async throws -> [String] {
        try await store.read { db in try String.fetchAll(db, sql: "SELECT name FROM thing ORDER BY name") }
    }

    @Test func `what waits is counted by its kind`() async throws {
        let kept = try TemporaryStore()
        #expect(try await kept.store.waiting() == Waiting())
        try await kept.store.write { transaction in
            for id in ["1", "2"] { try transaction.intend("mail", id: id, payload: id) }
            try transaction.intend("call", id: "1", payload: "1")
            for (seq, dead) in [(1, true), (2, false), (3, false)] {
                let record = LogRecord(
                    source: .console, epoch: 1, seq: Int64(seq), prev: .unknown, topic: "e/console/x", body: Data())
                _ = try transaction.park(
                    record, key: "k", attempts: 1, due: transaction.now, reason: "r", dead: dead)
            }
        }
        let waiting = try await kept.store.waiting()
        #expect(waiting.parked == 2 && waiting.dead == 1 && waiting.intents == ["mail": 2, "call": 1])
    }

    @Test func `I4 a change and its event exist together or not at all`() async throws {
        let kept = try TemporaryStore()
        try await kept.store.write {
            try $0.insertThing("kept"); try $0.say()
        }
        await #expect(throws: Planned.self) {
            try await kept.store.write { transaction in
                try transaction.insertThing("lost")
                try transaction.say()
                throw Planned()
            }
        }
        #expect(try await things(kept.store) == ["kept"])
        #expect(try await kept.store.head(of: .registryService).last == 1)
    }

    @Test func `numbers are dense and chained, whoever fails beside`() async throws {
        let temporary = try TemporaryStore()
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<200 {
                group.addTask {
                    try? await temporary.store.write { transaction in
                        try transaction.say()
                        if number.isMultiple(of: 3) { throw Planned() }
                    }
                }
            }
        }
        let head = try await temporary.store.head(of: .registryService)
        let records = try await temporary.store.records(
            of: .registryService, epoch: head.epoch, after: 0, limit: 1000, maxBytes: 1 << 30)
        #expect(records.map(\.seq) == Array(1...133))
        var chain = Chain.start(of: .registryService, epoch: head.epoch, parent: nil)
        for record in records {
            #expect(record.prev == chain)
            chain = record.chain
        }
        #expect(head.chain == chain)
    }

    @Test func `a part that throws takes back only itself`() async throws {
        let temporary = try TemporaryStore()
        try await temporary.store.write { transaction in
            try transaction.insertThing("before")
            try transaction.say()
            try? transaction.attempt { part in
                try part.insertThing("inside")
                try part.say()
                throw Planned()
            }
            try transaction.say()
        }
        #expect(try await things(temporary.store) == ["before"])
        #expect(try await temporary.store.head(of: .registryService).last == 2)
    }

    @Test func `an event that the bus could not carry gets no number, and its change is taken back`() async throws {
        let temporary = try TemporaryStore()
        await #expect(throws: EventTooLarge.self) {
            try await temporary.store.write { transaction in
                try transaction.insertThing("lost")
                let large = ModelTagged(
                    model: "m", version: 1, set: ["a": String(repeating: "x", count: 70_000)], removed: [])
                try transaction.publish(large, subject: "model/m/1", key: "m", because: .first(actor: "user:ada"))
            }
        }
        #expect(try await things(temporary.store).isEmpty)
        #expect(try await temporary.store.head(of: .registryService).last == 0)
    }

    @Test func `fetching stops at the limit of bytes but always brings one`() async throws {
        let temporary = try TemporaryStore()
        try await temporary.store.write { transaction in for _ in 0..<5 { try transaction.say() } }
        let epoch = try await temporary.store.head(of: .registryService).epoch
        let one = try await temporary.store.records(of: .registryService, epoch: epoch, after: 2, limit: 9, maxBytes: 1)
        #expect(one.map(\.seq) == [3])
    }

    @Test func `a log goes on where it was after a restart`() async throws {
        let temporary = try TemporaryStore()
        try await temporary.store.write { try $0.say() }
        let before = try await temporary.store.head(of: .registryService)
        try temporary.store.close()
        let again = try TemporaryStore.open(temporary.folder)
        #expect(try await again.head(of: .registryService) == before)
    }

    @Test func `fact 9 and 10: every commit is synced, and nobody but the leader checkpoints`() async throws {
        let temporary = try TemporaryStore()
        let modes = try await temporary.store.write { transaction in
            try ["synchronous", "wal_autocheckpoint"].map { name in
                try Int.fetchOne(transaction.db, sql: "PRAGMA \(name)") ?? -1
            }
        }
        #expect(modes == [2, 0])
    }

    @Test func `a full disk takes the whole transaction back, is told, and is over once there is room`() async throws {
        let kept = try TemporaryStore()
        let store = kept.store
        try await store.write { try $0.insertThing("before") }
        #expect(store.trouble == nil)
        try await store.write { transaction in
            let pages = try Int.fetchOne(transaction.db, sql: "PRAGMA page_count") ?? 0
            try transaction.db.execute(sql: "PRAGMA max_page_count = \(pages + 4)")
        }
        let head = try await store.head(of: .registryService)
        let large = String(repeating: "x", count: 100_000)
        let error = await #expect(throws: DatabaseError.self) {
            try await store.write { transaction in
                try transaction.say()
                try transaction.insertThing(large)
            }
        }
        #expect(error?.resultCode == .SQLITE_FULL)
        #expect(store.trouble?.contains("the disk is full; make room; the service goes on by itself") == true)
        // What was there can be read, and of the change there is nothing.
        #expect(try await things(store) == ["before"])
        #expect(try await store.head(of: .registryService) == head)
        try await store.write { try $0.db.execute(sql: "PRAGMA max_page_count = 1073741823") }
        #expect(store.trouble == nil)
        try await store.write { try $0.insertThing(large) }
        #expect(try await things(store).count == 2)
    }

    @Test func `a damaged database is refused with its path and the way out, and is left alone`() throws {
        let folder = NSTemporaryDirectory() + "martlet-damaged-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let rubbish = Data(repeating: 0x42, count: 8192)
        try rubbish.write(to: URL(fileURLWithPath: folder + "/state.sqlite"))
        let error = #expect(throws: StoreError.self) { try TemporaryStore.open(folder) }
        #expect(error?.path == folder + "/state.sqlite")
        #expect(error?.problem.contains("is damaged") == true)
        #expect(error?.hint.contains("backup") == true)
        #expect(try Data(contentsOf: URL(fileURLWithPath: folder + "/state.sqlite")) == rubbish)
    }

    @Test func `a database of a newer version is refused`() throws {
        let temporary = try TemporaryStore()
        try temporary.store.close()
        let error = #expect(throws: StoreError.self) {
            try StateStore.open(path: temporary.folder + "/state.sqlite", source: .registryService) { _ in }
        }
        #expect(error?.problem.contains("newer Martlet") == true)
    }

    @Test func `one replica leads, and the next one follows at its death`() throws {
        let temporary = try TemporaryStore()
        let path = temporary.folder + "/leader.lock"
        do {
            let first = try LeaderLock.acquire(path: path)
            #expect(first != nil)
            #expect(try LeaderLock.acquire(path: path) == nil)
            withExtendedLifetime(first) {}
        }
        #expect(try LeaderLock.acquire(path: path) != nil)
    }

    @Test func `whether a lock is held is seen by many at once, and no file is made for it`() throws {
        let temporary = try TemporaryStore()
        let path = temporary.folder + "/replica.lock"
        #expect(try !LeaderLock.isHeld(path: path))
        #expect(!FileManager.default.fileExists(atPath: path))
        let holder = try LeaderLock.acquire(path: path)
        #expect(try LeaderLock.isHeld(path: path))
        withExtendedLifetime(holder) {}
    }

    @Test func `who looks at a lock that is free does not seem to hold it`() throws {
        let temporary = try TemporaryStore()
        let path = temporary.folder + "/replica.lock"
        try Data().write(to: URL(fileURLWithPath: path))
        let looking = open(path, O_RDONLY)
        defer { close(looking) }
        #expect(flock(looking, LOCK_SH | LOCK_NB) == 0)
        #expect(try !LeaderLock.isHeld(path: path))
    }
}

@Suite struct IntentTests {
    private let origin = Timestamp(milliseconds: 0)
    private let soon = Timestamp(Date()).advanced(by: .seconds(60))

    @Test func `the same intent twice is one`() async throws {
        let temporary = try TemporaryStore()
        try await temporary.store.write { transaction in
            try transaction.intend("send", id: "a", payload: 1)
            try transaction.intend("send", id: "a", payload: 2)
        }
        let (due, _) = try await temporary.store.dueIntents(at: soon, kinds: ["send"], limit: 9)
        #expect(try due.map { try $0.decode(Int.self) } == [1])
    }

    @Test func `an intent waits for its time, and says when that is`() async throws {
        let temporary = try TemporaryStore()
        try await temporary.store.write { [soon] in try $0.intend("send", id: "a", payload: 1, at: soon) }
        let early = try await temporary.store.dueIntents(at: origin, kinds: ["send"], limit: 9)
        #expect(early.due.isEmpty)
        #expect(early.next == soon)
        #expect(try await temporary.store.dueIntents(at: soon, kinds: ["send"], limit: 9).due.count == 1)
    }

    @Test func `what waits when the clock is set back waits once more as long, and not until it is there again`()
        async throws
    {
        let temporary = try TemporaryStore()
        let store = temporary.store
        let now = try await store.write { transaction in
            try transaction.intend("send", id: "now", payload: 1)
            try transaction.intend("send", id: "later", payload: 2, at: transaction.now.advanced(by: .seconds(600)))
            for (seq, wait) in [(1, 30), (2, 5)] as [(Int64, Int64)] {
                let record = LogRecord(
                    source: .console, epoch: 1, seq: seq, prev: .unknown, topic: "e/console/x", body: Data())
                _ = try transaction.park(
                    record, key: "k\(seq)", attempts: 1, due: transaction.now.advanced(by: .seconds(wait)),
                    reason: "r", dead: false)
            }
            return transaction.now
        }
        // A small step is nothing to begin anew for.
        let little = now.advanced(by: .seconds(-2))
        try await store.restartWaits(at: little)
        #expect(try await store.dueParked(at: little).next == now.advanced(by: .seconds(5)))
        let back = now.advanced(by: .seconds(-3600))
        try await store.restartWaits(at: back)
        let intents = try await store.dueIntents(at: back, kinds: ["send"], limit: 9)
        #expect(intents.due.map(\.id) == ["now"] && intents.next == back.advanced(by: .seconds(600)))
        let parked = try await store.dueParked(at: back)
        #expect(parked.due.isEmpty && parked.next == back.advanced(by: .seconds(5)))
        // Once: time goes on from there.
        let soon = back.advanced(by: .seconds(30))
        try await store.restartWaits(at: soon)
        #expect(try await store.dueParked(at: soon).due.map(\.key) == ["k2", "k1"])
    }

    @Test func `a result stored once is what a step ends with, whoever claims it again`() async throws {
        let temporary = try TemporaryStore()
        let work = StepWork(
            item: "r/j/s/1", token: 1, job: "j", step: "s", attempt: 1, verb: "run", with: [:], variables: [:],
            timeoutSeconds: nil,
            run: RunReference(
                id: "r", number: 1, url: "", project: "p", pipeline: "ci", git: nil, snapshot: nil, model: nil),
            after: [], checkpoint: nil, causation: .first(actor: "user:ada"))
        try await temporary.store.write { try $0.remember(work) }
        #expect(try await temporary.store.write { try $0.workItem(work.item) }?.result == nil)
        _ = try await temporary.store.write { transaction in
            try transaction.settle(work) {
                try $0.say()
                return StepResult(.succeeded)
            }
        }
        var again = work
        again.token = 2
        try await temporary.store.write { [again] in try $0.remember(again) }
        let known = try await temporary.store.write { try $0.workItem(work.item) }
        #expect(known?.result == StepResult(.succeeded))
        #expect(known?.head?.seq == 1)
        // Another replica held it too, and is as far only now: what it has to tell is told already.
        let late = try await temporary.store.write { [again] transaction in
            try transaction.settle(again) {
                try $0.say()
                return StepResult(.failed)
            }
        }
        #expect(late.result == StepResult(.succeeded) && late.head?.seq == 1)
        #expect(try await temporary.store.head(of: .registryService).last == 1)
    }
}
