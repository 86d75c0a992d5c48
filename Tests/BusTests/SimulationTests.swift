import EventLog
import Foundation
import Messages
import Testing

@testable import Bus

/// One log, one follower, and a network that loses, repeats and reorders; time is a number.
struct SimulationTests {
    private struct World {
        var random: SeededRandom
        var log = TestLog()
        var state: FollowerState
        var now = Duration.zero
        /// What the follower's database has: survives its crashes.
        var applied: [LogRecord] = []
        /// On the way: when, and what.
        var flying: [(at: Duration, message: FeedMessage)] = []
        var answer: (at: Duration, answer: FetchAnswer)?
        var loss: Double

        init(seed: UInt64) {
            random = SeededRandom(seed: seed)
            loss = Double.random(in: 0...0.5, using: &random)
            state = FollowerState(source: TestLog.source, cursor: nil, now: .zero)
        }

        mutating func chance(_ probability: Double) -> Bool { Double.random(in: 0..<1, using: &random) < probability }
        mutating func pause(_ most: Int) -> Duration { .milliseconds(Int.random(in: 0...most, using: &random)) }

        mutating func say(_ message: FeedMessage) {
            if chance(loss) { return }
            for _ in 0...(chance(0.1) ? 1 : 0) { flying.append((now + pause(chance(0.1) ? 400 : 5), message)) }
        }

        mutating func commit(_ count: Int) {
            let start = log.records.count
            log.append(count)
            for record in log.records[start...] { say(.record(record)) }
        }

        mutating func beat() {
            say(.heartbeat(epoch: log.epoch, last: Int64(log.records.count), chain: log.chain))
        }

        mutating func deliver() {
            let due = flying.filter { $0.at <= now }.sorted { $0.at < $1.at }
            flying.removeAll { $0.at <= now }
            for (_, message) in due {
                let jitter = pause(200)
                switch message {
                case .record(let record): state.received(record, now: now, jitter: jitter)
                case .heartbeat(let epoch, let last, let chain):
                    state.heartbeat(epoch: epoch, last: last, chain: chain, now: now, jitter: jitter)
                }
            }
            if let (at, answer) = answer, at <= now {
                self.answer = nil
                state.fetched(chance(loss) ? .failed("lost") : answer, now: now, jitter: pause(200))
            }
        }

        mutating func work() {
            while true {
                switch state.next(now: now) {
                case .apply(let records): applied += records
                case .fetch(let request): answer = (now + pause(20), log.answer(request))
                case .quarantine(let fork):
                    Issue.record("no log was restored, but: \(fork)")
                    return
                case .load, .take:
                    Issue.record("nothing was deleted")
                    return
                case .wait: return
                }
            }
        }

        /// The process dies; what it committed stays.
        mutating func crash() {
            answer = nil
            let cursor = applied.last.map { LogCursor(epoch: $0.epoch, seq: $0.seq, chain: $0.chain) }
            state = FollowerState(source: TestLog.source, cursor: cursor, now: now)
        }
    }

    @Test(arguments: 1...80 as ClosedRange<UInt64>)
    func `I1 I2 I3 everything is applied exactly once and in order`(seed: UInt64) {
        var world = World(seed: seed)
        var nextBeat = Duration.seconds(1)
        for _ in 0..<3000 {
            world.now += .milliseconds(2)
            if world.chance(0.2) { world.commit(Int.random(in: 1...3, using: &world.random)) }
            if world.chance(0.001) { world.commit(1500) }
            if world.chance(0.001) { world.crash() }
            if world.chance(0.001) { world.state.overflowed(now: world.now, jitter: world.pause(200)) }
            if world.now >= nextBeat {
                nextBeat += .seconds(1)
                world.beat()
            }
            world.deliver()
            world.work()
        }
        // Healed: within five more seconds everything has arrived (I8).
        world.loss = 0
        for _ in 0..<2500 where world.applied.count < world.log.records.count || !world.flying.isEmpty {
            world.now += .milliseconds(2)
            if world.now >= nextBeat {
                nextBeat += .seconds(1)
                let head = world.log.head
                world.flying.append((world.now, .heartbeat(epoch: head.epoch, last: head.last, chain: head.chain)))
            }
            world.deliver()
            world.work()
        }
        #expect(world.applied.count == world.log.records.count, "seed \(seed)")
        let isSame = world.applied == world.log.records
        #expect(isSame, "seed \(seed)")
    }

    @Test(arguments: 1...50 as ClosedRange<UInt64>)
    func `I6 a restored log is always found out`(seed: UInt64) {
        var world = World(seed: seed)
        world.commit(Int.random(in: 5...300, using: &world.random))
        for _ in 0..<2000 where world.applied.count < world.log.records.count {
            world.now += .milliseconds(2)
            if world.now.wholeMilliseconds % 1000 == 0 { world.beat() }
            world.deliver()
            world.work()
        }
        world.flying = []
        let kept = Int.random(in: 0..<world.applied.count, using: &world.random)
        world.log.records = Array(world.log.records.prefix(kept))
        world.log.append(Int.random(in: 0...400, using: &world.random), salt: ",\"again\":true")
        var fork: Fork?
        for step in 0..<10_000 where fork == nil {
            world.now += .milliseconds(2)
            if step % 500 == 0 { world.beat() }
            world.deliver()
            switch world.state.next(now: world.now) {
            case .apply(let records): world.applied += records
            case .fetch(let request): world.answer = (world.now, world.log.answer(request))
            case .quarantine(let found): fork = found
            case .wait: continue
            case .load, .take: Issue.record("nothing was deleted")
            }
        }
        #expect(fork != nil, "seed \(seed)")
        #expect(world.applied.allSatisfy { !String(decoding: $0.body, as: UTF8.self).contains("again") })
    }
}
