import EventLog
import Foundation
import Messages
import Testing

@testable import Bus

/// A log as its owner has it.
struct TestLog {
    static let source: Source = "registry-service"
    var epoch: Int64 = 1_700_000_000_000
    var parent: LogParent?
    var records: [LogRecord] = []

    var chain: Chain { records.last?.chain ?? .start(of: Self.source, epoch: epoch, parent: parent) }
    var head: LogHead {
        LogHead(
            source: Self.source, epoch: epoch, last: Int64(records.count), chain: chain,
            lineage: parent.map { [$0] } ?? [])
    }
    var cursor: LogCursor { LogCursor(epoch: epoch, seq: Int64(records.count), chain: chain) }

    mutating func append(_ count: Int = 1, salt: String = "") {
        for _ in 0..<count {
            let seq = Int64(records.count + 1)
            records.append(
                LogRecord(
                    source: Self.source, epoch: epoch, seq: seq, prev: chain, topic: "e/registry-service/t",
                    body: Data("{\"n\":\(seq)\(salt)}".utf8)))
        }
    }

    func cursor(at seq: Int) -> LogCursor {
        LogCursor(epoch: epoch, seq: Int64(seq), chain: seq == 0 ? records[0].prev : records[seq - 1].chain)
    }

    func answer(_ request: FetchRequest) -> FetchAnswer {
        guard request.epoch == 0 || request.epoch == epoch, request.after <= Int64(records.count) else {
            return .records([], head: head)
        }
        return .records(Array(records[Int(request.after)...].prefix(request.limit)), head: head)
    }

    init(_ count: Int = 0) { append(count) }
}

struct FollowerStateTests {
    static let soon = Duration.milliseconds(250)

    /// A follower that has applied everything up to `seq` and is live.
    private func live(_ log: TestLog, at seq: Int) -> FollowerState {
        var state = FollowerState(source: TestLog.source, cursor: log.cursor(at: seq), now: .zero)
        guard case .fetch = state.next(now: .zero) else { return state }
        var short = log
        short.records = Array(log.records.prefix(seq))
        state.fetched(short.answer(FetchRequest(epoch: log.epoch, after: Int64(seq))), now: .zero, jitter: .zero)
        return state
    }

    @Test func `a fresh follower fetches at once, from the beginning`() {
        let log = TestLog(3)
        var state = FollowerState(source: TestLog.source, cursor: nil, now: .zero)
        #expect(state.next(now: .zero) == .fetch(FetchRequest(epoch: 0, after: 0)))
        state.fetched(log.answer(FetchRequest(epoch: 0, after: 0)), now: .zero, jitter: .zero)
        #expect(state.next(now: .zero) == .apply(log.records))
        #expect(state.next(now: .zero) == .wait(until: nil))
        #expect(state.cursor == log.cursor)
        #expect(state.isLive)
    }

    @Test func `the first fetch waits until the subscription is in effect, without jitter`() {
        var state = FollowerState(source: TestLog.source, cursor: nil, now: .zero, opening: Self.soon)
        #expect(state.next(now: .zero) == .wait(until: Self.soon))
        state.established(now: .milliseconds(3), jitter: .milliseconds(200))
        #expect(state.next(now: .milliseconds(3)) == .fetch(FetchRequest(epoch: 0, after: 0)))
    }

    @Test func `an empty log leaves the follower at its beginning`() {
        var log = TestLog()
        var state = FollowerState(source: TestLog.source, cursor: nil, now: .zero)
        _ = state.next(now: .zero)
        state.fetched(log.answer(FetchRequest(epoch: 0, after: 0)), now: .zero, jitter: .zero)
        log.append()
        state.received(log.records[0], now: .zero, jitter: .zero)
        #expect(state.next(now: .zero) == .apply(log.records))
    }

    @Test func `the next event is applied, a duplicate is not`() {
        let log = TestLog(4)
        var state = live(log, at: 3)
        state.received(log.records[3], now: .zero, jitter: .zero)
        state.received(log.records[3], now: .zero, jitter: .zero)
        state.received(log.records[0], now: .zero, jitter: .zero)
        #expect(state.next(now: .zero) == .apply([log.records[3]]))
        #expect(state.next(now: .zero) == .wait(until: nil))
    }

    @Test func `events out of order are held and applied in order`() {
        let log = TestLog(6)
        var state = live(log, at: 3)
        state.received(log.records[5], now: .zero, jitter: .zero)
        state.received(log.records[4], now: .zero, jitter: .zero)
        #expect(state.next(now: .zero) == .wait(until: Self.soon))
        state.received(log.records[3], now: .milliseconds(10), jitter: .zero)
        #expect(state.next(now: .milliseconds(10)) == .apply(Array(log.records[3...])))
        #expect(state.next(now: .milliseconds(10)) == .wait(until: nil))
    }

    @Test func `a gap that stays open is fetched after 250 ms and the jitter`() {
        let log = TestLog(5)
        var state = live(log, at: 3)
        state.received(log.records[4], now: .zero, jitter: .milliseconds(40))
        let due = Self.soon + .milliseconds(40)
        #expect(state.next(now: Self.soon) == .wait(until: due))
        let request = FetchRequest(epoch: log.epoch, after: 3)
        #expect(state.next(now: due) == .fetch(request))
        state.fetched(log.answer(request), now: due, jitter: .zero)
        #expect(state.next(now: due) == .apply(Array(log.records[3...])))
        #expect(state.isLive)
    }

    @Test func `a heartbeat that is ahead leads to a fetch`() {
        let log = TestLog(5)
        var state = live(log, at: 3)
        state.heartbeat(epoch: log.epoch, last: 5, chain: log.chain, now: .zero, jitter: .zero)
        #expect(state.next(now: .zero) == .wait(until: Self.soon))
        #expect(state.next(now: Self.soon) == .fetch(FetchRequest(epoch: log.epoch, after: 3)))
    }

    @Test func `more than 512 held events are not waited for`() {
        let log = TestLog(600)
        var state = live(log, at: 1)
        for record in log.records[2...] { state.received(record, now: .zero, jitter: .zero) }
        #expect(state.next(now: .zero) == .fetch(FetchRequest(epoch: log.epoch, after: 1)))
    }

    @Test func `far behind, live bodies are ignored until nearly there`() {
        var log = TestLog(2000)
        var state = live(log, at: 1)
        state.heartbeat(epoch: log.epoch, last: 2000, chain: log.chain, now: .zero, jitter: .milliseconds(100))
        #expect(state.isCatchingUp)
        var applied = 0
        var fetches = 0
        let now = Duration.milliseconds(100)
        loop: while true {
            switch state.next(now: now) {
            case .apply(let records):
                #expect(records.count <= FollowerState.batch)
                applied += records.count
            case .fetch(let request):
                fetches += 1
                if fetches == 1 { state.received(log.records[1], now: now, jitter: .zero) }
                if fetches == 3 { log.append(10) }
                state.fetched(log.answer(request), now: now, jitter: .zero)
            case .wait(nil): break loop
            case .wait, .quarantine, .load, .take:
                Issue.record("nothing to wait for")
                break loop
            }
        }
        #expect(applied == 2009)
        #expect(fetches == 8)
        #expect(!state.isCatchingUp && state.isLive)
    }

    /// Far behind, with the first answer handed out.
    private func catchingUp(_ log: TestLog, firstLimit: Int = BusLimits.fetchRecords) -> FollowerState {
        var state = live(log, at: 1)
        state.heartbeat(
            epoch: log.epoch, last: Int64(log.records.count), chain: log.chain, now: .zero, jitter: .zero)
        guard case .fetch(var first) = state.next(now: .zero) else {
            Issue.record("no other step is due")
            return state
        }
        first.limit = firstLimit
        #expect(state.ahead(now: .zero) == [])
        state.fetched(log.answer(first), now: .zero, jitter: .zero)
        // What was fetched comes first: nothing is asked for while it lies here.
        #expect(state.ahead(now: .zero) == [])
        guard case .apply = state.next(now: .zero) else {
            Issue.record("no other step is due")
            return state
        }
        return state
    }

    @Test func `far behind, the next two fetches may be on their way while records are committed, and never a third`() {
        let log = TestLog(2000)
        var state = catchingUp(log)
        let requests = state.ahead(now: .zero)
        #expect(requests.map(\.after) == [257, 513])
        #expect(state.ahead(now: .zero) == [])
        #expect(state.next(now: .zero) == .wait(until: nil))
        state.fetched(log.answer(requests[0]), now: .zero, jitter: .zero)
        state.fetched(log.answer(requests[1]), of: requests[1], now: .zero, jitter: .zero)
        guard case .apply(let records) = state.next(now: .zero) else { Issue.record("no other step is due"); return }
        #expect(records.map(\.seq) == Array(258...769))
        #expect(state.ahead(now: .zero).map(\.after) == [769, 1025])
    }

    @Test func `after an answer that was cut short, one fetch at a time is on its way`() {
        var state = catchingUp(TestLog(2000), firstLimit: 17)
        #expect(state.ahead(now: .zero).map(\.after) == [18])
    }

    @Test func `the second of two answers is of no use when the first did not reach to it`() {
        let log = TestLog(2000)
        for first in [FetchAnswer.failed("503"), .records(Array(log.records[257..<300]), head: log.head)] {
            var state = catchingUp(log)
            let requests = state.ahead(now: .zero)
            state.fetched(first, now: .zero, jitter: .zero)
            let reached = state.cursor
            state.fetched(log.answer(requests[1]), of: requests[1], now: .zero, jitter: .zero)
            #expect(state.cursor == reached)
            #expect(state.fork == nil)
        }
    }

    @Test
    func `the second of two answers may say that the log ends before its place, if the first did not reach to it`() {
        let log = TestLog(2000)
        var state = catchingUp(log)
        let requests = state.ahead(now: .zero)
        let shorter = TestLog(300)
        state.fetched(.failed("timeout"), now: .zero, jitter: .zero)
        state.fetched(.records([], head: shorter.head), of: requests[1], now: .zero, jitter: .zero)
        #expect(state.fork == nil)
    }

    @Test func `the second of two answers may have been given first, when the log ended before its place`() {
        let log = TestLog(2000)
        var state = catchingUp(log)
        let requests = state.ahead(now: .zero)
        state.fetched(log.answer(requests[0]), now: .zero, jitter: .zero)
        state.fetched(.records([], head: TestLog(300).head), of: requests[1], now: .zero, jitter: .zero)
        #expect(state.fork == nil)
        guard case .apply = state.next(now: .zero) else { Issue.record("no other step is due"); return }
        #expect(state.ahead(now: .zero).first?.after == 513)
    }

    @Test func `an overflow of the ring is a reason to fetch`() {
        let log = TestLog(3)
        var state = live(log, at: 3)
        state.overflowed(now: .zero, jitter: .milliseconds(7))
        #expect(state.next(now: .zero) == .wait(until: .milliseconds(7)))
        #expect(state.next(now: .milliseconds(7)) == .fetch(FetchRequest(epoch: log.epoch, after: 3)))
    }

    @Test func `a failed fetch is tried again later, and at once when the owner is heard`() {
        let log = TestLog(3)
        var state = live(log, at: 2)
        state.overflowed(now: .zero, jitter: .zero)
        _ = state.next(now: .zero)
        state.fetched(.failed("503"), now: .zero, jitter: .zero)
        #expect(state.next(now: .zero) == .wait(until: .milliseconds(100)))
        state.heartbeat(epoch: log.epoch, last: 2, chain: log.records[1].chain, now: .milliseconds(5), jitter: .zero)
        #expect(state.next(now: .milliseconds(5)) == .fetch(FetchRequest(epoch: log.epoch, after: 2)))
    }
}

struct ForkTests {
    private func live(_ log: TestLog) -> FollowerState {
        var state = FollowerState(source: TestLog.source, cursor: log.cursor, now: .zero)
        _ = state.next(now: .zero)
        state.fetched(.records([], head: log.head), now: .zero, jitter: .zero)
        return state
    }

    private func isQuarantined(_ state: FollowerState) -> Bool {
        var state = state
        guard case .quarantine = state.next(now: .zero) else { return false }
        return true
    }

    @Test func `I6 an event on another chain is a fork`() {
        let log = TestLog(3)
        var other = log
        other.records.removeLast()
        other.append(2, salt: ",\"x\":1")
        var state = live(log)
        state.received(other.records[3], now: .zero, jitter: .zero)
        #expect(isQuarantined(state))
    }

    @Test func `I6 another event under the last number is a fork`() {
        let log = TestLog(3)
        var other = log
        other.records.removeLast()
        other.append(1, salt: ",\"x\":1")
        var state = live(log)
        state.received(other.records[2], now: .zero, jitter: .zero)
        #expect(isQuarantined(state))
        var second = live(log)
        second.heartbeat(epoch: log.epoch, last: 3, chain: other.chain, now: .zero, jitter: .zero)
        #expect(isQuarantined(second))
    }

    @Test func `I6 a heartbeat below the cursor is checked with the owner before it is a fork`() {
        let log = TestLog(3)
        var short = log
        short.records.removeLast()
        var state = live(log)
        state.heartbeat(epoch: log.epoch, last: 2, chain: short.chain, now: .zero, jitter: .zero)
        #expect(!isQuarantined(state))
        var overtaken = state
        _ = overtaken.next(now: .zero)
        overtaken.fetched(.records([], head: log.head), now: .zero, jitter: .zero)
        #expect(overtaken.isLive)
        _ = state.next(now: .zero)
        state.fetched(.records([], head: short.head), now: .zero, jitter: .zero)
        #expect(isQuarantined(state))
    }

    @Test func `I6 a quarantined log is not followed any further`() {
        let log = TestLog(3)
        var state = live(log)
        state.heartbeat(epoch: log.epoch, last: 3, chain: .unknown, now: .zero, jitter: .zero)
        var longer = log
        longer.append(5)
        for record in longer.records[3...] { state.received(record, now: .zero, jitter: .zero) }
        #expect(isQuarantined(state))
        #expect(state.cursor == log.cursor)
    }

    @Test(arguments: [
        (3, 3, false), (2, 3, true), (3, 2, true),
    ])
    func `a new epoch is followed where its parent ended, and is a fork elsewhere`(
        parentSeq: Int, cursorSeq: Int, waitsOrForks: Bool
    ) {
        let old = TestLog(3)
        var new = TestLog()
        new.epoch = old.epoch + 5
        let end = old.cursor(at: parentSeq)
        new.parent = LogParent(epoch: old.epoch, seq: end.seq, chain: end.chain)
        new.append(2)
        var state = FollowerState(source: TestLog.source, cursor: old.cursor(at: cursorSeq), now: .zero)
        guard case .fetch(let first) = state.next(now: .zero) else { return }
        let rest = Array(old.records[cursorSeq..<max(cursorSeq, parentSeq)])
        state.fetched(.records(rest, head: new.head), now: .zero, jitter: .zero)
        #expect(first.epoch == old.epoch)
        #expect(isQuarantined(state) == (cursorSeq > parentSeq))
        guard cursorSeq <= parentSeq else { return }
        if !rest.isEmpty { #expect(state.next(now: .zero) == .apply(rest)) }
        guard case .fetch(let second) = state.next(now: .zero) else { Issue.record("no other step is due"); return }
        #expect(second == FetchRequest(epoch: new.epoch, after: 0))
        state.fetched(new.answer(second), now: .zero, jitter: .zero)
        #expect(state.next(now: .zero) == .apply(new.records))
        #expect(state.cursor == new.cursor)
    }

    @Test func `a new epoch without a parent is a fork`() {
        let old = TestLog(3)
        var new = TestLog()
        new.epoch = old.epoch + 5
        var state = live(old)
        state.heartbeat(epoch: new.epoch, last: 0, chain: new.chain, now: .zero, jitter: .zero)
        _ = state.next(now: .zero)
        state.fetched(.records([], head: new.head), now: .zero, jitter: .zero)
        #expect(isQuarantined(state))
    }
}
