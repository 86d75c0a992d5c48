import CSimulation
import Foundation
import Messages

@testable import ServiceKit

/// Several processes of each service over one database: all of them talk, one leads, and when it dies another one does.
enum Replicating {
    static let scenario = Scenario(name: "replicas", share: 0.12, play: play)

    private static func play(_ world: World) throws -> Finding {
        let talk = try Talk(
            world, [.console, .registryService], replicas: [.console: 2, .registryService: world.pick(2...3)])
        talk.outside.with { $0.poison = world.chance(0.3) ? 0.02 : 0 }
        talk.storm(1_000...4_000)
        let problems = [Source.console, .registryService].compactMap { takeOver($0, talk) }
        var finding = try talk.ending()
        finding.problems += problems
        return finding
    }

    /// The leader is killed in the middle of it all; nobody starts it again for long.
    private static func takeOver(_ source: Source, _ talk: Talk) -> String? {
        let world = talk.world
        let path = world.paths.leaderLock(source)
        let programs = talk.programs[source] ?? []
        func leader() -> Program? {
            let holder = simulation_lock_holder(path)
            return programs.first { $0.id == holder && $0.isAlive }
        }
        // Those that were down are starting.
        guard world.advance(atMost: .seconds(5), until: { leader() != nil && programs.allSatisfy(\.isAlive) }),
            let dead = leader()
        else { return "I8 nobody led \(source) 5 s after healing" }
        world.advance(world.milliseconds(500...900))
        dead.kill(for: .seconds(60))
        world.advance(.seconds(1))
        return leader() == nil ? "I8 nobody led \(source) 1 s after \(dead.name) was killed" : nil
    }
}
