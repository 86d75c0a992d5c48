import EventLog
import Foundation
import Messages
import Testing

@testable import Bus

struct PublisherStateTests {
    private func announced(_ log: TestLog) -> PublisherState {
        var state = PublisherState(now: .zero)
        _ = state.next(now: .zero)
        state.helloAnswered(.welcome, at: log.head, now: .zero)
        return state
    }

    @Test func `nothing is published before the bus has said welcome`() {
        let log = TestLog(3)
        var state = PublisherState(now: .zero)
        state.woken()
        #expect(state.next(now: .zero) == .hello)
        guard case .wait = state.next(now: .zero) else { return #expect(Bool(false)) }
        state.helloAnswered(.none, at: log.head, now: .zero)
        #expect(state.next(now: .zero) == .wait(until: .seconds(1)))
        #expect(state.next(now: .seconds(1)) == .hello)
        state.helloAnswered(.refused, at: log.head, now: .seconds(1))
        #expect(state.next(now: .seconds(1)) == .wait(until: .seconds(11)))
        #expect(state.next(now: .seconds(11)) == .hello)
        state.helloAnswered(.welcome, at: log.head, now: .seconds(11))
        #expect(state.next(now: .seconds(11)) == .send(after: 3, limit: 256))
    }

    @Test func `a heartbeat goes out at every whole second, and 50 ms after a burst`() {
        let log = TestLog(3)
        var state = announced(log)
        #expect(state.next(now: .zero) == .beat)
        #expect(state.next(now: .zero) == .wait(until: .seconds(1)))
        state.woken()
        let now = Duration.milliseconds(100)
        #expect(state.next(now: now) == .send(after: 3, limit: 256))
        state.sent(2, of: 2, last: 5, now: now)
        #expect(state.next(now: now) == .wait(until: .milliseconds(150)))
        #expect(state.next(now: .milliseconds(150)) == .beat)
        #expect(state.next(now: .milliseconds(150)) == .wait(until: .seconds(1)))
    }

    @Test func `a muted publisher tries again soon, and after five seconds skips to the head`() {
        var log = TestLog(3)
        var state = announced(log)
        _ = state.next(now: .zero)
        log.append(10)
        state.woken()
        #expect(state.next(now: .zero) == .send(after: 3, limit: 256))
        state.sent(4, of: 10, last: 7, now: .zero)
        #expect(state.next(now: .zero) == .wait(until: .milliseconds(20)))
        #expect(state.next(now: .milliseconds(20)) == .send(after: 7, limit: 256))
        state.sent(0, of: 6, last: 7, now: .milliseconds(20))
        state.headRead(log.head, now: .seconds(2))
        #expect(state.mark == 7)
        state.headRead(log.head, now: .seconds(6))
        #expect(state.mark == 13)
    }

    @Test func `a backlog of more than a thousand is skipped: heartbeats speak for it`() {
        var log = TestLog(3)
        var state = announced(log)
        _ = state.next(now: .zero)
        log.append(1500)
        state.woken()
        #expect(state.next(now: .zero) == .send(after: 3, limit: 256))
        state.sent(256, of: 256, last: 259, now: .zero)
        _ = state.next(now: .zero)
        state.headRead(log.head, now: .zero)
        #expect(state.mark == 1503)
    }

    @Test func `a commit whose wake was lost is found by the heartbeat`() {
        var log = TestLog(3)
        var state = announced(log)
        _ = state.next(now: .zero)
        log.append(2)
        state.headRead(log.head, now: .zero)
        #expect(state.next(now: .zero) == .send(after: 3, limit: 256))
    }

    @Test func `hello is said every ten seconds, and at once to another bus`() {
        var state = announced(TestLog(1))
        _ = state.next(now: .zero)
        #expect(state.next(now: .seconds(10)) == .hello)
        state.helloAnswered(.welcome, at: TestLog(1).head, now: .seconds(10))
        _ = state.next(now: .seconds(10))
        state.reconnected(now: .milliseconds(10_500))
        #expect(state.next(now: .milliseconds(10_500)) == .hello)
    }

    @Test func `a hello that the log's own events outran is said again at once, and nothing is sent before`() {
        var log = TestLog(3)
        var state = announced(log)
        _ = state.next(now: .zero)
        state.reconnected(now: .seconds(1))
        #expect(state.next(now: .seconds(1)) == .hello)
        log.append(2)
        state.woken()
        #expect(state.next(now: .seconds(1)) == .send(after: 3, limit: 256))
        state.sent(2, of: 2, last: 5, now: .seconds(1))
        state.helloAnswered(.outrun, at: log.head, now: .seconds(1))
        log.append(1)
        state.woken()
        #expect(state.next(now: .seconds(1)) == .hello)
        #expect(state.next(now: .seconds(1)) == .wait(until: .seconds(11)))
        state.helloAnswered(.welcome, at: log.head, now: .seconds(1))
        // What was not sent meanwhile is fetched by those whom the heartbeat tells of it.
        #expect(state.mark == 6)
        #expect(state.next(now: .seconds(1)) == .send(after: 6, limit: 256))
        #expect(state.next(now: .seconds(1)) == .beat)
    }

    @Test func `a silent publisher whose hello is outrun by another takes its time`() {
        let log = TestLog(3)
        var state = PublisherState(now: .zero)
        _ = state.next(now: .zero)
        state.helloAnswered(.outrun, at: log.head, now: .zero)
        #expect(state.next(now: .zero) == .wait(until: .seconds(1)))
        #expect(state.next(now: .seconds(1)) == .hello)
    }

    @Test func `a connection that is new while a hello is out is told when the answer has come`() {
        let log = TestLog(3)
        var state = announced(log)
        _ = state.next(now: .zero)
        #expect(state.next(now: .seconds(10)) == .hello)
        state.reconnected(now: .seconds(10))
        state.helloAnswered(.welcome, at: log.head, now: .seconds(10))
        #expect(state.next(now: .seconds(10)) == .hello)
        state.helloAnswered(.welcome, at: log.head, now: .seconds(10))
        #expect(state.next(now: .seconds(10)) == .beat)
        #expect(state.next(now: .seconds(10)) == .wait(until: .seconds(11)))
    }
}

struct CallTableTests {
    private func call(_ number: UInt8, deadline: Duration) -> CallTable<Int>.Call {
        let frames = RequestFrames(
            correlation: Data(repeating: number, count: 16), method: "m", target: "t", deadline: .seconds(1),
            params: Data())
        return .init(frames: frames, deadline: deadline, ticket: Int(number))
    }

    @Test func `requests beyond the places wait, and beyond the queue are refused`() {
        var table = CallTable<Int>(places: 1, queue: 2)
        #expect(table.add(call(1, deadline: .seconds(5))) == true)
        #expect(table.sendable(now: .seconds(1))?.deadline == .seconds(4))
        table.sent()
        #expect(table.add(call(2, deadline: .seconds(3))) == true)
        #expect(table.add(call(3, deadline: .seconds(9))) == true)
        #expect(table.add(call(4, deadline: .seconds(9))) == false)
        #expect(table.sendable(now: .zero) == nil)
        #expect(table.nextDeadline == .seconds(3))
        #expect(table.answered(Data(repeating: 1, count: 16)) == 1)
        #expect(table.answered(Data(repeating: 1, count: 16)) == nil)
        #expect(table.sendable(now: .zero)?.correlation == Data(repeating: 2, count: 16))
    }

    @Test func `what waits too long ends, and says whether it was sent`() {
        var table = CallTable<Int>(places: 1, queue: 2)
        _ = table.add(call(1, deadline: .seconds(1)))
        table.sent()
        _ = table.add(call(2, deadline: .seconds(2)))
        let first = table.expired(now: .seconds(1))
        #expect(first.map(\.wasSent) == [true])
        let second = table.expired(now: .seconds(2))
        #expect(second.map(\.wasSent) == [false])
        #expect(table.nextDeadline == nil)
    }

    @Test func `a broken connection ends what was sent and keeps what was not`() {
        var table = CallTable<Int>(places: 1, queue: 2)
        _ = table.add(call(1, deadline: .seconds(1)))
        table.sent()
        _ = table.add(call(2, deadline: .seconds(2)))
        #expect(table.disconnected().map(\.ticket) == [1])
        #expect(table.sendable(now: .zero) != nil)
    }
}

struct WatchTests {
    @Test func `a silent bus is dialled anew after 5, 10, 20 and 30 seconds`() {
        var watch = BusWatch(now: .zero)
        #expect(watch.heard(epoch: 1, now: .seconds(1)) == true)
        #expect(watch.heard(epoch: 1, now: .seconds(2)) == false)
        var now = watch.deadline
        #expect(now == .seconds(7))
        for pause in [5, 10, 20, 30, 30] {
            watch.reopened(now: now)
            #expect(watch.deadline == now + .seconds(pause))
            now = watch.deadline
        }
        #expect(watch.heard(epoch: 1, now: now) == true)
        #expect(watch.heard(epoch: 2, now: now) == true)
    }

    @Test func `a silent source is told of once, and not while the bus is silent`() {
        let start = ContinuousClock.now
        var watch = SilenceWatch(since: start)
        #expect(watch.check(lastHeard: nil, isBusThere: true, now: start + .seconds(14)) == nil)
        #expect(watch.check(lastHeard: nil, isBusThere: true, now: start + .seconds(15)) == .seconds(15))
        #expect(watch.check(lastHeard: nil, isBusThere: true, now: start + .seconds(30)) == nil)
        let heard = start + .seconds(31)
        #expect(watch.check(lastHeard: heard, isBusThere: true, now: heard) == nil)
        #expect(watch.check(lastHeard: heard, isBusThere: false, now: heard + .seconds(20)) == nil)
        #expect(watch.check(lastHeard: heard, isBusThere: true, now: heard + .seconds(25)) == nil)
        #expect(watch.check(lastHeard: heard, isBusThere: true, now: heard + .seconds(36)) == .seconds(16))
    }

    @Test func `a full ring drops and says so`() {
        let ring = FeedRing(capacity: 2)
        let beat = { FeedMessage.heartbeat(epoch: 1, last: $0, chain: .unknown) }
        for last in 1...3 { ring.push(beat(Int64(last))) }
        let first = ring.take(1)
        #expect(first.messages.count == 1 && first.overflowed)
        ring.push(beat(4))
        let rest = ring.take(10)
        #expect(rest.messages.count == 2 && !rest.overflowed)
        #expect(ring.isEmpty)
    }

    @Test func `a heartbeat that says nothing new is heard and wakes nobody`() {
        let ring = FeedRing()
        let beat = FeedMessage.heartbeat(epoch: 1, last: 7, chain: .unknown)
        ring.push(beat)
        #expect(ring.take(9).messages == [beat])
        let heard = ring.lastHeard
        ring.push(beat)
        #expect(ring.isEmpty)
        #expect(ring.lastHeard != heard)
        ring.push(.heartbeat(epoch: 1, last: 8, chain: .unknown))
        #expect(ring.take(9).messages.count == 1)
    }
}
