import EventLog
import Foundation
import Messages
import Synchronization

/// A log in memory: what a service's database is to its publisher.
final class MemoryLog: LogReader {
    private struct State {
        var records: [LogRecord] = []
        var head: LogHead
        var older: [LogRecord] = []
    }

    let source: Source
    private let state: Mutex<State>

    init(_ source: Source = "registry-service", epoch: Int64 = 1_700_000_000_000) {
        self.source = source
        let start = Chain.start(of: source, epoch: epoch, parent: nil)
        state = Mutex(State(head: LogHead(source: source, epoch: epoch, last: 0, chain: start)))
    }

    var head: LogHead { state.withLock { $0.head } }
    var records: [LogRecord] { state.withLock { $0.records } }

    @discardableResult
    func append(_ count: Int = 1, body: String = "x") -> Int64 {
        state.withLock { state in
            for _ in 0..<count {
                let seq = state.head.last + 1
                let record = LogRecord(
                    source: source, epoch: state.head.epoch, seq: seq, prev: state.head.chain,
                    topic: "e/\(source)/dev.martlet.test.said.v1", body: Data(#"{"n":\#(seq),"b":"\#(body)"}"#.utf8))
                state.records.append(record)
                state.head.last = seq
                state.head.chain = record.chain
            }
            return state.head.last
        }
    }

    /// As a restored copy: what came after `seq` never happened.
    func rewind(to seq: Int64) {
        state.withLock { state in
            state.records.removeAll { $0.seq > seq }
            state.head.last = seq
            state.head.chain =
                state.records.last?.chain ?? Chain.start(of: source, epoch: state.head.epoch, parent: nil)
        }
    }

    /// Goes on in a new epoch, whose parent is the present end.
    func beginEpoch(_ epoch: Int64) {
        state.withLock { state in
            let parent = LogParent(epoch: state.head.epoch, seq: state.head.last, chain: state.head.chain)
            state.older = state.records
            state.records = []
            state.head = LogHead(
                source: source, epoch: epoch, last: 0, chain: .start(of: source, epoch: epoch, parent: parent),
                lineage: [parent])
        }
    }

    func head(of source: Source) async throws -> LogHead { head }

    func records(
        of source: Source, epoch: Int64, after: Int64, limit: Int, maxBytes: Int
    ) async throws -> [LogRecord] {
        state.withLock { state in
            let all = epoch == state.head.epoch ? state.records : state.older.filter { $0.epoch == epoch }
            guard after < all.count else { return [] }
            return Array(all[Int(after)...].prefix(limit))
        }
    }
}

extension MemoryLog {
    /// Nothing of it is ever deleted.
    func snapshot(
        of source: Source, after: LogPlace?, limit: Int, maxBytes: Int
    ) async throws -> (head: LogHead, records: [LogRecord], more: Bool) {
        (head, [], false)
    }
}

/// A follower in memory that checks what its contract promises it, and lets a test wait for a place.
final class MemoryFollower: LogFollower {
    struct Broken: Error {}

    private struct State {
        var cursors: [Source: LogCursor] = [:]
        var applied: [LogRecord] = []
        var batches = 0
        var forks: [Fork] = []
        var failures = 0
        var isReleased = false
        var waiters: [(@Sendable (State) -> Bool, CheckedContinuation<Void, Never>)] = []
    }

    private let state: Mutex<State>
    let pace: (@Sendable () async -> Void)?

    init(cursor: (Source, LogCursor)? = nil, failures: Int = 0, pace: (@Sendable () async -> Void)? = nil) {
        var start = State()
        if let cursor { start.cursors[cursor.0] = cursor.1 }
        start.failures = failures
        state = Mutex(start)
        self.pace = pace
    }

    var applied: [LogRecord] { state.withLock { $0.applied } }
    var forks: [Fork] { state.withLock { $0.forks } }
    var batches: Int { state.withLock { $0.batches } }

    func cursor(for source: Source) async throws -> LogCursor? { state.withLock { $0.cursors[source] } }

    func apply(_ records: [LogRecord]) async throws {
        await pace?()
        try state.withLock { state in
            if state.failures > 0 {
                state.failures -= 1
                throw Broken()
            }
            for record in records {
                if let cursor = state.cursors[record.source] {
                    let next = record.epoch == cursor.epoch ? record.seq == cursor.seq + 1 : record.seq == 1
                    let joins =
                        record.epoch != cursor.epoch || cursor.chain == record.prev
                        || cursor.chain.hex.allSatisfy { $0 == "0" }
                    precondition(next && joins, "the subscriber broke its promise at \(record.seq)")
                }
                state.cursors[record.source] = LogCursor(epoch: record.epoch, seq: record.seq, chain: record.chain)
                state.applied.append(record)
            }
            state.batches += 1
        }
        settle()
    }

    func apply(_ part: SnapshotPart) async throws {
        state.withLock { state in
            if part.isLast { state.cursors[part.source] = part.at }
        }
        settle()
    }

    func halt(of source: Source) async throws -> Halt? {
        state.withLock { state in
            state.forks.last { $0.source == source }.map { Halt(fork: $0, isReleased: state.isReleased) }
        }
    }

    func goOn(_ landing: Landing) async throws {
        state.withLock { state in
            state.cursors[landing.source] = landing.to
            state.forks.removeAll { $0.source == landing.source }
            state.isReleased = false
        }
        settle()
    }

    /// As an operator does.
    func release() { state.withLock { $0.isReleased = true } }

    func quarantine(_ fork: Fork) async throws {
        state.withLock { $0.forks.append(fork) }
        settle()
    }

    private func settle() {
        let ready = state.withLock { state in
            let done = state.waiters.filter { $0.0(state) }.map(\.1)
            let copy = state
            state.waiters.removeAll { $0.0(copy) }
            return done
        }
        for waiter in ready { waiter.resume() }
    }

    private func wait(_ condition: @escaping @Sendable (State) -> Bool) async {
        await withCheckedContinuation { continuation in
            let now = state.withLock { state in
                let holds = condition(state)
                if !holds { state.waiters.append((condition, continuation)) }
                return holds
            }
            if now { continuation.resume() }
        }
    }

    func reached(_ seq: Int64, epoch: Int64? = nil, of source: Source = "registry-service") async {
        await wait { state in
            guard let cursor = state.cursors[source] else { return false }
            return cursor.seq >= seq && (epoch == nil || cursor.epoch == epoch)
        }
    }

    func forked() async { await wait { !$0.forks.isEmpty } }
}
