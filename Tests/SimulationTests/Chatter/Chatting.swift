import CSimulation
import EventLog
import Foundation
import GRDB
import Messages

/// Three services that talk to each other while everything around them fails, then heal.
enum Chatting {
    static let sources: [Source] = [.console, .registryService, .deployer]
    static let scenario = Scenario(name: "chatter", share: 0.6) { try play($0, replica: false) }
    static let onLyingDisk = Scenario(name: "chatter on a disk that lies", share: 0) { world in
        simulation_let_disk_lie(true)
        return try play(world, replica: false)
    }
    static let withoutLocks = Scenario(name: "chatter with two leaders", share: 0) { world in
        simulation_break_locks(true)
        return try play(world, replica: true)
    }

    private static func start(
        _ source: Source, _ name: String, _ delay: Duration?, _ world: World, _ outside: Outside
    ) throws -> Program {
        let chatter = Chatter(source: source, others: sources.filter { $0 != source }, outside: outside)
        return try world.startService(source, name: name, after: delay, migrate: Chatter.migrate) { chatter.parts($0) }
    }

    private static func play(_ world: World, replica: Bool) throws -> Finding {
        let outside = Outside()
        outside.with { $0.poison = world.chance(0.5) ? 0.02 : 0 }
        let bus = try world.startBus()
        var services = try sources.map { source in
            // One may come late, to logs that are long already.
            let delay: Duration? = source == .deployer && world.chance(0.3) ? world.milliseconds(500...4000) : nil
            return try start(source, source.name, delay, world, outside)
        }
        if replica {
            services.append(try start(.registryService, "registry-service-2", nil, world, outside))
        }
        var faults = Faults(world, bus: bus, services: services)
        let end = world.now + world.milliseconds(1_000...6_000)
        while world.now < end {
            world.advance(world.milliseconds(10...300))
            faults.strike()
        }
        outside.with { $0.isQuiet = true }
        faults.heal()
        // What was parked with a bad clock or a late try still has its back-off before it.
        var checker = Checker(world, sources: sources, outside: outside)
        let settled = world.advance(atMost: .seconds(40)) { checker.isSettled() }
        var outcome = Finding(digest: world.digest, steps: simulation_steps())
        try checker.check(settled: settled)
        outcome.problems = checker.problems
        outcome.events = checker.events
        return outcome
    }
}
