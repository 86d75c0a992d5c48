import EventLog
import Foundation
import Messages
import Testing

@testable import Bus

/// One follower of a log that is restored, renewed and pruned while the follower is away or at work.
struct LineageTests {
    private struct World {
        var random: SeededRandom
        var log = LongLog()
        var table = FollowerTable()
        var state: FollowerState
        var now = Duration.zero
        var fork: Fork?
        let parts: Int

        init(seed: UInt64, parts: Int = 3) {
            random = SeededRandom(seed: seed)
            self.parts = parts
            state = FollowerState(source: LongLog.source, cursor: nil, now: .zero)
        }

        mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
        mutating func chance(_ probability: Double) -> Bool { Double.random(in: 0..<1, using: &random) < probability }

        mutating func say() {
            let key = "k\(number(0...12))"
            log.append(key)
            if chance(0.5), let last = log.records.last { state.received(last, now: now, jitter: .zero) }
        }

        mutating func crash() {
            state = FollowerState(source: LongLog.source, cursor: table.cursor, now: now)
        }

        mutating func beat() {
            state.heartbeat(
                epoch: log.head.epoch, last: log.head.last, chain: log.head.chain, now: now, jitter: .zero)
        }

        /// At most so many steps, with the world changing in between as `change` says.
        mutating func work(_ steps: Int, change: (inout World) -> Void = { _ in }) async throws {
            for _ in 0..<steps {
                change(&self)
                switch state.next(now: now) {
                case .apply(let records): table.apply(records)
                case .take(let part): table.apply(part)
                case .fetch(var request):
                    request.limit = 5
                    state.fetched(try await log.answer(request), now: now, jitter: .zero)
                case .load(var request):
                    request.limit = parts
                    state.loaded(try await log.answer(request), now: now, jitter: .zero)
                case .quarantine(let fork):
                    self.fork = fork
                    return
                case .wait(let until):
                    now = max(now, until ?? .zero) + .milliseconds(300)
                    beat()
                }
            }
        }

        mutating func heal() async throws {
            for _ in 0..<40 where fork == nil {
                try await work(50)
                if state.isLive, table.cursor?.place == LogPlace(epoch: log.head.epoch, seq: log.head.last) { return }
            }
        }
    }

    @Test(arguments: 1...80 as ClosedRange<UInt64>)
    func `I1 I2 any number of epochs and any pruning lead to the same state, nothing twice`(seed: UInt64) async throws {
        var world = World(seed: seed)
        for _ in 0..<60 {
            for _ in 0..<world.number(0...9) { world.say() }
            if world.chance(0.15) { world.log.beginEpoch() }
            if world.chance(0.05) { world.log.beginEpoch() }
            if world.chance(0.3) { world.log.prune(world.number(1...20)) }
            if world.chance(0.2) { world.crash() }
            try await world.work(world.number(0...6)) { world in
                if world.chance(0.1) { world.log.prune(world.number(1...4)) }
                if world.chance(0.1) { world.say() }
                if world.chance(0.1) { world.crash() }
            }
        }
        try await world.heal()
        #expect(world.fork == nil, "seed \(seed)")
        #expect(world.table.state == world.log.state, "seed \(seed)")
        let places = world.table.applied.map(\.place)
        let wrong = zip(places, places.dropFirst()).first { $0 >= $1 }
        #expect(wrong == nil, "seed \(seed): twice, or out of order")
        #expect(world.state.cursor?.chain == world.log.head.chain)
    }

    @Test(arguments: 1...80 as ClosedRange<UInt64>)
    func `I6 a restored log that begins a new epoch is followed by whoever was not past it, and by nobody else`(
        seed: UInt64
    ) async throws {
        var world = World(seed: seed)
        for _ in 0..<world.number(1...30) {
            world.say()
            if world.chance(0.1) { world.log.beginEpoch() }
        }
        try await world.work(world.number(0...60))
        // A copy is taken; the log goes on, is read, and is then restored from the copy.
        let copy = world.log
        for _ in 0..<world.number(0...10) {
            world.say()
            if world.chance(0.2) { world.log.beginEpoch() }
        }
        try await world.work(world.number(0...60))
        let lost = Set(world.log.history.map(\.place)).subtracting(copy.history.map(\.place))
        let epoch = world.log.head.epoch
        world.log = copy
        while world.log.head.epoch <= epoch { world.log.beginEpoch() }
        for _ in 0..<world.number(0...10) { world.say() }
        if world.chance(0.3) { world.log.prune(world.number(1...10)) }
        if world.chance(0.5) { world.crash() }
        try await world.heal()
        let isPast = world.table.applied.contains { lost.contains($0.place) }
        // The place of an empty epoch that was lost is one, too.
        let stoodInLostEpoch = world.fork.map { world.log.head.end(of: $0.epoch) == nil } ?? false
        #expect((world.fork != nil) == (isPast || stoodInLostEpoch), "seed \(seed)")
        if world.fork == nil { #expect(world.table.state == world.log.state, "seed \(seed)") }
    }

    @Test(arguments: 1...80 as ClosedRange<UInt64>)
    func `I6 a log restored without anybody's notice is found out by all who were past it`(seed: UInt64) async throws {
        var world = World(seed: seed)
        for _ in 0..<world.number(2...30) { world.say() }
        var copy = world.log
        for _ in 0..<world.number(1...10) { world.say() }
        try await world.heal()
        for _ in 0..<world.number(0...20) { copy.append("again") }
        world.log = copy
        try await world.heal()
        #expect(world.fork != nil, "seed \(seed)")
        #expect(world.table.state["again"] == nil, "seed \(seed)")
    }

    @Test(arguments: 1...80 as ClosedRange<UInt64>)
    func `after a release everything the owner has said since the common place is read, once`(seed: UInt64) async throws
    {
        var world = World(seed: seed)
        for _ in 0..<world.number(1...20) { world.say() }
        var copy = world.log
        for _ in 0..<world.number(1...10) { world.say() }
        try await world.heal()
        if world.chance(0.5) { copy.beginEpoch() }
        for _ in 0..<world.number(0...30) { copy.append("again") }
        let before = world.table.applied.count
        world.log = copy
        try await world.heal()
        let landing = Landing(of: LongLog.source, from: world.table.cursor, on: world.log.head)
        world.table.cursor = landing.to
        world.fork = nil
        world.crash()
        world.log.append("after")
        try await world.heal()
        #expect(world.fork == nil, "seed \(seed)")
        let since = world.table.applied[before...]
        let expected = world.log.history.filter { record in landing.to.map { $0.place < record.place } ?? true }
        #expect(Array(since) == expected, "seed \(seed)")
        #expect(since.map { LongLog.key($0) }.last == "after")
    }

    @Test func `a log that has begun altogether anew is read from its beginning once released`() async throws {
        var world = World(seed: 1)
        for _ in 0..<5 { world.say() }
        try await world.heal()
        var fresh = LongLog()
        fresh.head.epoch += 1000
        fresh.head = LogHead(
            source: LongLog.source, epoch: fresh.head.epoch, last: 0,
            chain: .start(of: LongLog.source, epoch: fresh.head.epoch, parent: nil))
        fresh.append("new")
        world.log = fresh
        try await world.heal()
        #expect(world.fork != nil)
        let landing = Landing(of: LongLog.source, from: world.table.cursor, on: fresh.head)
        #expect(landing.to == nil)
    }

    @Test func `a new follower of a pruned log loads the snapshot, part by part, and goes on`() async throws {
        var world = World(seed: 3, parts: 2)
        for key in 0..<9 { world.log.append("k\(key)") }
        world.log.prune(7)
        try await world.heal()
        #expect(world.table.state == world.log.state)
        #expect(world.table.applied.count == 9)
    }

    @Test func `a snapshot that moved on while it was loaded is begun again, and nothing of it applied twice`()
        async throws
    {
        var world = World(seed: 4, parts: 2)
        for key in 0..<12 { world.log.append("k\(key % 5)") }
        world.log.prune(6)
        var pruned = false
        try await world.work(30) { world in
            if world.table.applied.count == 2, !pruned {
                pruned = true
                world.log.prune(3)
            }
        }
        #expect(pruned)
        #expect(world.table.state == world.log.state)
        let places = world.table.applied.map(\.place)
        #expect(Set(places).count == places.count)
    }

    @Test(arguments: [(0, 410), (2, 410), (3, 200), (5, 200), (6, 409)])
    func `fetch says which places are gone, and which there never were`(after: Int64, status: Int) async throws {
        var log = LongLog()
        for _ in 0..<5 { log.append("k") }
        log.prune(3)
        let reply = await LogFetch(source: LongLog.source, reader: log).fetch(
            BusRequest(
                method: "fetch", user: "local",
                params: [
                    "epoch": .int(Int(log.head.epoch)), "after": .int(Int(after)), "limit": 10, "maxBytes": 1000,
                ], deadline: .seconds(1)))
        #expect(reply.status == status)
        if status == 410 {
            #expect(reply.params["first"]?.int == 4)
            #expect(reply.params["snapshotAt"]?["seq"]?.int == 3)
        }
    }

    @Test func `fetch of an old epoch answers up to where the next one went on`() async throws {
        var log = LongLog()
        for _ in 0..<3 { log.append("a") }
        let first = log.head.epoch
        log.beginEpoch()
        for _ in 0..<2 { log.append("b") }
        log.beginEpoch()
        log.append("c")
        guard case .records(let records, _) = try await log.answer(FetchRequest(epoch: first, after: 1)) else {
            return #expect(Bool(false))
        }
        #expect(records.map(\.seq) == [2, 3])
        #expect(records.allSatisfy { $0.epoch == first })
    }
}
