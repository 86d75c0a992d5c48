import Bus
import EventLog
import Foundation
import Messages
import Testing

@testable import EventBus

@Suite(.serialized, .timeLimit(.minutes(5)))
struct FeedTests {
    private func checkOrder(_ follower: MemoryFollower, _ log: MemoryLog) {
        #expect(follower.applied == log.records)
        #expect(follower.forks.isEmpty)
    }

    @Test func `I1 a late joiner catches up and then hears live events`() async throws {
        let harness = try Harness()
        let bus = try await harness.bus()
        let log = MemoryLog()
        log.append(3000)
        let publisher = try RunningPublisher(log, harness)
        let subscriber = try RunningSubscriber(MemoryFollower(), harness)
        try await within { await subscriber.follower.reached(3000) }
        publisher.append()
        try await within { await subscriber.follower.reached(3001) }
        checkOrder(subscriber.follower, log)
        await subscriber.stop()
        await publisher.stop()
        await bus.stop()
    }

    @Test func `I1 I3 ten thousand events arrive in order without a gap`() async throws {
        let harness = try Harness()
        let bus = try await harness.bus()
        let log = MemoryLog()
        let publisher = try RunningPublisher(log, harness)
        let subscriber = try RunningSubscriber(MemoryFollower(), harness)
        for burst in 1...100 {
            publisher.append(100)
            if burst % 10 == 0 { try await within { await subscriber.follower.reached(Int64(burst * 100 - 500)) } }
        }
        try await within(.seconds(30)) { await subscriber.follower.reached(10_000) }
        checkOrder(subscriber.follower, log)
        await subscriber.stop()
        await publisher.stop()
        await bus.stop()
    }

    @Test func `I1 a restart of the bus loses nothing`() async throws {
        let harness = try Harness()
        let bus = try await harness.bus()
        let log = MemoryLog()
        let publisher = try RunningPublisher(log, harness)
        let subscriber = try RunningSubscriber(MemoryFollower(), harness)
        publisher.append(500)
        try await within { await subscriber.follower.reached(500) }
        await bus.stop()
        publisher.append(500)
        let next = try await harness.bus()
        try await within { await subscriber.follower.reached(1000) }
        publisher.append(10)
        try await within { await subscriber.follower.reached(1010) }
        checkOrder(subscriber.follower, log)
        await subscriber.stop()
        await publisher.stop()
        await next.stop()
    }

    @Test func `a service that starts before the bus is heard once the bus is there`() async throws {
        let harness = try Harness()
        let log = MemoryLog()
        log.append(5)
        let publisher = try RunningPublisher(log, harness)
        let subscriber = try RunningSubscriber(MemoryFollower(), harness)
        let bus = try await harness.bus()
        try await within(.seconds(5)) { await subscriber.follower.reached(5) }
        checkOrder(subscriber.follower, log)
        await subscriber.stop()
        await publisher.stop()
        await bus.stop()
    }

    @Test func `I8 a slow follower loses nothing and holds up nobody`() async throws {
        let harness = try Harness()
        let bus = try await harness.bus()
        let log = MemoryLog()
        let publisher = try RunningPublisher(log, harness)
        let (gates, gate) = AsyncStream.makeStream(of: Void.self)
        let opened = Task { for await _ in gates {} }
        let slow = try RunningSubscriber(MemoryFollower(pace: { await opened.value }), harness)
        let quick = try RunningSubscriber(MemoryFollower(), harness)
        publisher.append(1)
        try await within { await quick.follower.reached(1) }
        for burst in 1...80 {
            publisher.append(100)
            try await within { await quick.follower.reached(Int64(burst * 100 + 1)) }
        }
        #expect(slow.follower.applied.isEmpty)
        gate.finish()
        try await within(.seconds(30)) { await slow.follower.reached(8001) }
        checkOrder(slow.follower, log)
        checkOrder(quick.follower, log)
        await slow.stop()
        await quick.stop()
        await publisher.stop()
        await bus.stop()
    }

    @Test func `a follower that cannot commit for a while keeps its place`() async throws {
        let harness = try Harness()
        let bus = try await harness.bus()
        let log = MemoryLog()
        log.append(10)
        let publisher = try RunningPublisher(log, harness)
        let subscriber = try RunningSubscriber(MemoryFollower(failures: 3), harness)
        try await within { await subscriber.follower.reached(10) }
        checkOrder(subscriber.follower, log)
        await subscriber.stop()
        await publisher.stop()
        await bus.stop()
    }

    @Test func `a reader that only knows a position follows from there`() async throws {
        let harness = try Harness()
        let bus = try await harness.bus()
        let log = MemoryLog()
        log.append(10)
        let publisher = try RunningPublisher(log, harness)
        let cursor = LogCursor.trusting(epoch: log.head.epoch, seq: 7)
        let subscriber = try RunningSubscriber(MemoryFollower(cursor: (log.source, cursor)), harness)
        try await within { await subscriber.follower.reached(10) }
        #expect(subscriber.follower.applied.map(\.seq) == [8, 9, 10])
        await subscriber.stop()
        await publisher.stop()
        await bus.stop()
    }

    @Test func `I6 a log that was restored from an older copy is quarantined`() async throws {
        let harness = try Harness()
        let bus = try await harness.bus()
        let log = MemoryLog()
        log.append(10)
        let publisher = try RunningPublisher(log, harness)
        let follower = MemoryFollower()
        let subscriber = try RunningSubscriber(follower, harness)
        try await within { await follower.reached(10) }
        await subscriber.stop()
        await publisher.stop()
        await bus.stop()
        log.rewind(to: 8)
        log.append(1, body: "another")
        let next = try await harness.bus()
        let restored = try RunningPublisher(log, harness)
        let again = try RunningSubscriber(follower, harness)
        try await within { await follower.forked() }
        #expect(follower.applied.count == 10)
        await again.stop()
        await restored.stop()
        await next.stop()
    }

    @Test func `a new epoch goes on where its parent ended`() async throws {
        let harness = try Harness()
        let bus = try await harness.bus()
        let log = MemoryLog()
        log.append(10)
        let publisher = try RunningPublisher(log, harness)
        let follower = MemoryFollower()
        let subscriber = try RunningSubscriber(follower, harness)
        try await within { await follower.reached(10) }
        await publisher.stop()
        log.beginEpoch(1_700_000_000_777)
        log.append(3)
        let next = try RunningPublisher(log, harness)
        try await within { await follower.reached(3, epoch: 1_700_000_000_777) }
        #expect(follower.forks.isEmpty)
        #expect(follower.applied.count == 13)
        await subscriber.stop()
        await next.stop()
        await bus.stop()
    }
}
