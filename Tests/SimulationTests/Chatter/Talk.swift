import CSimulation
import Foundation
import GRDB
import Messages

@testable import ServiceKit

/// Chatting services and their bus, set up in a world.
struct Talk {
    let world: World
    let outside = Outside()
    let sources: [Source]
    let buses: [Program]
    /// The replicas of each service.
    let programs: [Source: [Program]]

    var services: [Program] { sources.flatMap { programs[$0] ?? [] } }

    /// - Parameters:
    ///   - replicas: how many processes of a service there are, where it is not one.
    ///   - late: one that may begin later, to logs that are long already.
    init(
        _ world: World, _ sources: [Source], buses: Int = 1, replicas: [Source: Int] = [:], late: Source? = nil
    ) throws {
        self.world = world
        self.sources = sources
        world.busCount = buses
        self.buses = try world.startBuses()
        let blank = world.chance(0.9) ? try Blank.all.get().chatter : nil
        var programs: [Source: [Program]] = [:]
        for source in sources {
            let chatter = Chatter(source: source, others: sources.filter { $0 != source }, outside: outside)
            let delay: Duration? = source == late && world.chance(0.3) ? world.milliseconds(500...4000) : nil
            programs[source] = try (1...(replicas[source] ?? 1)).map { replica in
                try world.startService(
                    source, replica: replica, after: delay, blank: blank, migrate: Chatter.migrate
                ) { chatter.parts($0) }
            }
        }
        self.programs = programs
    }

    /// Everything fails for a while, then heals.
    func storm(_ milliseconds: ClosedRange<Int>) {
        var faults = Faults(world, buses: buses, services: services)
        let end = world.now + world.milliseconds(milliseconds)
        while world.now < end {
            world.advance(world.milliseconds(10...300))
            faults.strike()
        }
        faults.heal()
    }

    /// Whoever had read more than a restored log has, stops; an operator lets it go on.
    private func release(_ restored: Source) {
        guard outside.with({ $0.wishes.isEmpty }) else { return }
        for follower in sources where follower != restored {
            let isHalted = try? world.read(follower) { db in
                try Bool.fetchOne(
                    db, sql: "SELECT EXISTS (SELECT 1 FROM halt WHERE source = ? AND released IS NULL)",
                    arguments: [restored.name])
            }
            if isHalted == true { outside.with { $0.wishes.append(.release(follower, restored)) } }
        }
    }

    /// Nobody says anything new from here on; then all are looked at.
    ///
    /// - Parameter restored: the service whose database was put back on the way.
    func ending(restored: Source? = nil) throws -> Finding {
        outside.with { $0.isQuiet = true }
        var checker = Checker(world, sources: sources, outside: outside, restored: restored)
        let healed = world.now
        var caughtUp: Duration?
        // What was parked with a bad clock or a late try still has its back-off before it.
        let settled = world.settle(atMost: .seconds(40)) {
            if let restored { release(restored) }
            if caughtUp == nil, checker.isCaughtUp() { caughtUp = world.now - healed }
            return checker.isSettled()
        }
        // Who stopped at a fork waits for the operator, and that is no matter of the bus.
        if restored == nil { checker.check(caughtUp: caughtUp) }
        try checker.check(settled: settled)
        return Finding(
            digest: world.digest, steps: simulation_steps(), events: checker.events, problems: checker.problems)
    }
}
