import Foundation
import GRDB
import Messages
import Testing

@testable import Store

@Suite struct WriteAheadLogTests {
    private func size(_ temporary: TemporaryStore) throws -> Int {
        try #require(
            FileManager.default.attributesOfItem(atPath: temporary.folder + "/state.sqlite-wal")[.size] as? Int)
    }

    private func fill(_ store: StateStore, to bytes: Int) async throws {
        while store.walBytes < bytes {
            try await store.write { transaction in
                try transaction.db.execute(sql: "INSERT INTO filling VALUES (randomblob(1 << 20))")
            }
        }
    }

    private func rows(_ store: StateStore) async throws -> Int {
        try await store.read { db in try Int.fetchOne(db, sql: "SELECT count(*) FROM filling") ?? 0 }
    }

    private func opened(_ wal: WriteAheadLog = WriteAheadLog()) async throws -> TemporaryStore {
        let temporary = try TemporaryStore(wal: wal)
        try await temporary.store.write { try $0.db.execute(sql: "CREATE TABLE filling (bytes BLOB)") }
        return temporary
    }

    @Test func `the log has room on disk ahead of what is written, and another process reads what is in it`()
        async throws
    {
        let temporary = try await opened()
        let store = temporary.store
        try await store.wal.makeRoom(store.pool)
        #expect(try size(temporary) >= store.walBytes + (1 << 20))
        try await fill(store, to: 3 << 20)
        try await store.wal.makeRoom(store.pool)
        #expect(try size(temporary) >= store.walBytes + (1 << 20))
        // As after a crash: the index is made anew from the log alone, whose end is zeros.
        let copy = NSTemporaryDirectory() + "wal-tests-\(UUID())"
        try FileManager.default.createDirectory(atPath: copy, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: copy) }
        for end in ["", "-wal"] {
            try FileManager.default.copyItem(
                atPath: temporary.folder + "/state.sqlite" + end, toPath: copy + "/state.sqlite" + end)
        }
        let after = try TemporaryStore.open(copy)
        #expect(try await rows(after) == rows(store))
        #expect(try await after.read { db in try String.fetchOne(db, sql: "PRAGMA integrity_check") } == "ok")
        try after.close()
    }

    @Test func `a log that holds very much is moved into the database at once, and cut off when little of it is used`()
        async throws
    {
        let (most, longest) = (8 << 20, 4 << 20)
        let temporary = try await opened(WriteAheadLog(most: most, longest: longest))
        let store = temporary.store
        #expect(!store.tendsLog)
        let tending = Task { await store.tendLog { Issue.record($0) } }
        defer { tending.cancel() }
        var written = 0
        while written < 2 * most >> 20 {
            try await store.write { try $0.db.execute(sql: "INSERT INTO filling VALUES (randomblob(1 << 20))") }
            written += 1
        }
        while store.walBytes >= most { try await Task.sleep(for: .milliseconds(5)) }
        #expect(try await rows(store) == written)
        #expect(store.tendsLog)
        // Two checkpoints at once would leave it to each other.
        tending.cancel()
        await tending.value
        // Whatever the last of its checkpoints left: much of it is used.
        try await fill(store, to: 1 << 20)
        try await store.checkpoint()
        #expect(store.logIsTooLong)
        #expect(try size(temporary) > longest)
        // A reader that is not quite done keeps the log as it is, and the next checkpoint is to do it.
        for _ in 1...50 where store.logIsTooLong { try await store.checkpoint() }
        #expect(!store.logIsTooLong)
        #expect(try size(temporary) <= longest)
    }

    @Test func `after a checkpoint the log is written from its start, in the room that it has`() async throws {
        let temporary = try await opened()
        let store = temporary.store
        try await fill(store, to: 8 << 20)
        let length = try size(temporary)
        for _ in 1...4 {
            try await store.checkpoint()
            #expect(store.walBytes < 1 << 20)
            try await fill(store, to: 6 << 20)
        }
        #expect(try size(temporary) == length)
    }

    @Test func `whoever reads in it keeps it from being begun anew, and nobody from writing`() async throws {
        let temporary = try await opened()
        let store = temporary.store
        try await fill(store, to: 2 << 20)
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        let reader = try DatabaseQueue(path: temporary.folder + "/state.sqlite", configuration: configuration)
        try await reader.writeWithoutTransaction { db in
            try db.execute(sql: "BEGIN")
            _ = try Int.fetchOne(db, sql: "SELECT count(*) FROM filling")
        }
        let before = try await rows(store)
        try await store.checkpoint()
        #expect(store.walBytes >= 2 << 20)
        try await fill(store, to: 4 << 20)
        #expect(
            try await reader.writeWithoutTransaction { try Int.fetchOne($0, sql: "SELECT count(*) FROM filling") }
                == before)
        try await reader.writeWithoutTransaction { db in try db.execute(sql: "ROLLBACK") }
        try await store.checkpoint()
        #expect(store.walBytes < 1 << 20)
    }

    @Test func `what other processes write is known to one that writes nothing itself`() async throws {
        let temporary = try await opened()
        let store = temporary.store
        let other = try TemporaryStore.open(temporary.folder)
        try await store.checkpoint()
        try await store.measureLog()
        try await fill(other, to: 2 << 20)
        #expect(store.walBytes < 1 << 20)
        try await store.measureLog()
        let known = store.walBytes
        #expect(known >= 2 << 20)
        // Where nobody wrote, looking writes nothing either.
        try await store.measureLog()
        #expect(store.walBytes == known)
        try other.close()
    }

    @Test func `while a backup is taken the log is left alone`() async throws {
        let temporary = try await opened()
        let store = temporary.store
        try await fill(store, to: 2 << 20)
        let member = DatabaseCut.Member(name: "state", path: temporary.folder + "/state.sqlite")
        let cut = try DatabaseCut([member])
        try await store.checkpoint()
        #expect(store.walBytes >= 2 << 20)
        withExtendedLifetime(cut) {}
    }
}
