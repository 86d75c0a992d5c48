import CSimulation
import Foundation

/// A team at work with the whole suite while everything around it fails, then heals.
enum Living {
    static let scenario = Scenario(name: "suite", share: 0.2, play: play)

    private static func play(_ world: World) throws -> Finding {
        let suite = try Suite(world)
        let machines = suite.machines
        var faults = Faults(world, bus: suite.bus, services: suite.services, onPowerCut: { machines.powerCut() })
        suite.people.want(.repository)
        suite.forge.push(file: Suite.file)
        let end = world.now + world.milliseconds(4_000...15_000)
        while world.now < end {
            world.advance(world.milliseconds(20...800))
            faults.strike()
            act(suite, world)
        }
        if world.chance(0.2) { sleep(suite, world) }
        suite.forge.isDown = false
        faults.heal()
        let checker = SuiteChecker(world, suite)
        let settled = world.advance(atMost: .seconds(240)) { checker.isSettled() }
        return try checker.check(settled: settled)
    }

    /// Longer than any session lives: what it held is given to others, and its answers come too late.
    private static func sleep(_ suite: Suite, _ world: World) {
        let sleeper = suite.services[world.pick(0...suite.services.count - 1)]
        world.tell("\(sleeper.name) sleeps")
        sleeper.stop()
        world.advance(world.milliseconds(14_000...25_000))
        sleeper.resume()
    }

    private static func act(_ suite: Suite, _ world: World) {
        switch world.pick(0...19) {
        case 0: suite.forge.push(file: Suite.file)
        case 1: suite.people.want(.run("train"))
        case 2: suite.people.want(.run("checks"))
        case 3: suite.people.want(.cancel)
        case 4: suite.people.want(.retry)
        case 5: suite.forge.isDown = world.chance(0.5)
        case 6: suite.people.want(.run("release"))
        default: break
        }
    }
}
