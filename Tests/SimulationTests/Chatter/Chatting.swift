import CSimulation
import Foundation
import Messages

/// Three services that talk to each other while everything around them fails, then heal.
enum Chatting {
    static let sources: [Source] = [.console, .registryService, .deployer]
    static let scenario = Scenario(name: "chatter", share: 0.2) { try play($0) }
    static let overTwoBuses = Scenario(name: "two-buses", share: 0.12) { try play($0, buses: 2) }
    static let onLyingDisk = Scenario(name: "chatter on a disk that lies", share: 0) { world in
        simulation_let_disk_lie(true)
        return try play(world)
    }
    static let withoutLocks = Scenario(name: "chatter with two leaders", share: 0) { world in
        simulation_break_locks(true)
        return try play(world, replicas: [.registryService: 2])
    }

    private static func play(_ world: World, buses: Int = 1, replicas: [Source: Int] = [:]) throws -> Finding {
        let talk = try Talk(world, sources, buses: buses, replicas: replicas, late: .deployer)
        talk.outside.with { $0.poison = world.chance(0.5) ? 0.02 : 0 }
        talk.storm(1_000...6_000)
        return try talk.ending()
    }
}
