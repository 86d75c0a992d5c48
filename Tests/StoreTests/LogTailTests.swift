import EventLog
import Foundation
import Messages
import Testing

@testable import Store

@Suite struct LogTailTests {
    private func log(_ count: Int, epoch: Int64 = 7, from first: Int64 = 1, bytes: Int = 10) -> [LogRecord] {
        var chain = Chain.start(of: .deployer, epoch: epoch, parent: nil)
        return (0..<count).map { offset in
            let record = LogRecord(
                source: .deployer, epoch: epoch, seq: first + Int64(offset), prev: chain, topic: "e/deployer/x",
                body: Data(repeating: 0x7b, count: bytes))
            chain = record.chain
            return record
        }
    }

    private func read(_ tail: LogTail, after: Int64, limit: Int = 1000, maxBytes: Int = 1 << 20) -> [Int64]? {
        tail.records(of: .deployer, epoch: 7, after: after, limit: limit, maxBytes: maxBytes)?.map(\.seq)
    }

    @Test func `it hands out what follows a place, within both limits, but always one`() {
        let tail = LogTail()
        tail.append(log(10))
        #expect(read(tail, after: 0) == Array(1...10))
        #expect(read(tail, after: 4, limit: 3) == [5, 6, 7])
        #expect(read(tail, after: 4, maxBytes: 25) == [5, 6])
        #expect(read(tail, after: 4, maxBytes: 1) == [5])
    }

    @Test func `what it does not have, the database is asked for`() {
        let tail = LogTail()
        #expect(read(tail, after: 0) == nil)
        tail.append(log(5, from: 3))
        #expect(read(tail, after: 1) == nil)
        #expect(read(tail, after: 2) == [3, 4, 5, 6, 7])
        #expect(read(tail, after: 7) == nil)
        #expect(tail.records(of: .deployer, epoch: 8, after: 2, limit: 9, maxBytes: 999) == nil)
        #expect(tail.records(of: .notifier, epoch: 7, after: 2, limit: 9, maxBytes: 999) == nil)
    }

    @Test func `another replica's commits in between leave a gap, and what was before it is forgotten`() {
        let tail = LogTail()
        tail.append(log(5))
        tail.append(log(2, from: 9))
        #expect(read(tail, after: 0) == nil)
        #expect(read(tail, after: 4) == nil)
        #expect(read(tail, after: 8) == [9, 10])
        tail.append(log(1, epoch: 8))
        #expect(read(tail, after: 8) == nil)
    }

    @Test func `it keeps no more than so many records and bytes`() {
        let tail = LogTail()
        for record in log(5000) { tail.append([record]) }
        #expect(read(tail, after: 3975) == nil)
        #expect(read(tail, after: 3976, limit: 2000)?.count == 1024)
        let large = LogTail()
        large.append(log(100, bytes: 60_000))
        #expect(read(large, after: 0) == nil)
        #expect((read(large, after: 90) ?? []).count == 10)
    }

    @Test func `the publisher reads the same from memory as from the database`() async throws {
        let temporary = try TemporaryStore()
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<300 {
                group.addTask {
                    try? await temporary.store.write { transaction in
                        try transaction.say()
                        if number.isMultiple(of: 7) { throw Planned() }
                        try? transaction.attempt { part in
                            try part.say()
                            throw Planned()
                        }
                        if number.isMultiple(of: 5) { try transaction.say() }
                    }
                }
            }
        }
        let again = try TemporaryStore.open(temporary.folder)
        let head = try await again.head(of: .registryService)
        let limits = (limit: 10_000, maxBytes: 1 << 30)
        let stored = try await again.records(
            of: .registryService, epoch: head.epoch, after: 0, limit: limits.limit, maxBytes: limits.maxBytes)
        let recent = temporary.store.tail.records(
            of: .registryService, epoch: head.epoch, after: 0, limit: limits.limit, maxBytes: limits.maxBytes)
        #expect(stored.count > 250)
        #expect(recent == stored)
        #expect(stored.last?.chain == head.chain)
    }
}
