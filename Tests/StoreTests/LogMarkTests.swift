import EventLog
import Foundation
import Messages
import Store
import Testing

@Suite struct LogMarkTests {
    private let source = Source.registryService
    private let chain = Chain.start(of: .registryService, epoch: 5, parent: nil)
    private let other = Chain.start(of: .registryService, epoch: 6, parent: nil)

    private func mark(_ epoch: Int64, _ seq: Int64, file: UInt64 = 1) -> LogMark {
        LogMark(file: file, logs: [source.name: LogCursor(epoch: epoch, seq: seq, chain: chain)])
    }

    private func found(last: Int64, ended: [LogParent] = [], at chain: Chain? = nil) -> LogMark.Found {
        LogMark.Found(
            head: LogHead(source: source, epoch: ended.isEmpty ? 5 : 9, last: last, chain: self.chain, lineage: ended),
            chain: chain)
    }

    private func isRestored(_ mark: LogMark?, _ found: LogMark.Found, file: UInt64 = 1) -> Bool {
        LogMark.contradiction(mark, file: file, logs: [source: found]) != nil
    }

    @Test func `I6 a database behind its mark, beside another's mark, or elsewhere is not the one that was used`() {
        #expect(!isRestored(nil, found(last: 0)))
        #expect(isRestored(nil, found(last: 3)))
        #expect(!isRestored(mark(5, 3), found(last: 3, at: chain)))
        #expect(!isRestored(mark(5, 3), found(last: 8, at: chain)))
        #expect(!isRestored(mark(5, 3), found(last: 8)))
        #expect(isRestored(mark(5, 4), found(last: 3)))
        #expect(isRestored(mark(5, 3), found(last: 8, at: other)))
        #expect(isRestored(mark(4, 1), found(last: 8)))
        #expect(isRestored(mark(5, 3), found(last: 3, at: chain), file: 2))
        let ended = LogParent(epoch: 5, seq: 3, chain: chain)
        #expect(!isRestored(mark(5, 3), found(last: 0, ended: [ended])))
        #expect(isRestored(mark(5, 4), found(last: 7, ended: [ended])))
    }

    private func settle(_ store: StateStore, _ folder: String) async throws -> String? {
        try await store.settleEpoch(of: [source], mark: folder + "/log.mark")
    }

    @Test func `a database that was put back goes on under a new epoch from where it ends`() async throws {
        let temporary = try TemporaryStore()
        let (store, folder) = (temporary.store, temporary.folder)
        #expect(try await settle(store, folder) == nil)
        try await store.write { for _ in 1...3 { try $0.say() } }
        try await store.checkpoint()
        let backup = try Data(contentsOf: URL(fileURLWithPath: folder + "/state.sqlite"))
        try await store.write { for _ in 1...2 { try $0.say() } }
        try await store.writeMark(of: [source], folder + "/log.mark")
        let lost = try await store.head(of: source)
        try store.close()
        for end in ["-wal", "-shm"] { try? FileManager.default.removeItem(atPath: folder + "/state.sqlite" + end) }
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: folder + "/state.sqlite"))
        try file.truncate(atOffset: 0)
        try file.write(contentsOf: backup)
        try file.close()

        let restored = try TemporaryStore.open(folder)
        #expect(try await settle(restored, folder)?.contains("older copy") == true)
        let head = try await restored.head(of: source)
        #expect(head.epoch > lost.epoch)
        #expect(head.parent?.seq == 3)
        #expect(head.last == 1, "it says that it begins anew")
        #expect(try await settle(restored, folder) == nil)
        let past = LogCursor(epoch: lost.epoch, seq: 5, chain: lost.chain)
        #expect(head.relation(to: past) == head.end(of: lost.epoch).map { .contradicted($0) })
        try restored.close()
    }

    @Test func `a kill between the new epoch and its mark leads to one more epoch, and to nothing else`() async throws {
        let temporary = try TemporaryStore()
        try await temporary.store.write { try $0.say() }
        #expect(try await settle(temporary.store, temporary.folder) != nil)
        try FileManager.default.removeItem(atPath: temporary.folder + "/log.mark")
        #expect(try await settle(temporary.store, temporary.folder) != nil)
        let head = try await temporary.store.head(of: source)
        #expect(head.lineage.map(\.seq) == [1, 1])
        let start = head.start(after: try #require(head.lineage.first))
        #expect(start.seq == 0)
        #expect(head.relation(to: try #require(head.end(of: head.lineage[0].epoch))) == .crossing(to: start))
    }
}
