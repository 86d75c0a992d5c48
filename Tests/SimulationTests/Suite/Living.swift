import CSimulation
import Foundation
import Messages

/// A team at work with the whole suite while everything around it fails, then heals.
enum Living {
    static let scenario = Scenario(name: "suite", share: 0.14) { try play($0, Suite.Wishes()) }

    /// Two processes of most services share the work.
    static let withReplicas = Scenario(name: "suite-replicas", share: 0.1) { world in
        try play(
            world,
            Suite.Wishes(replicas: [.triggerService: 2, .trainerProxy: 2, .registryService: world.pick(1...2)]))
    }

    /// Logs keep so little that whoever was away goes on from snapshots.
    static let onSnapshots = Scenario(name: "retention", share: 0.08) { world in
        let late: [Source?] = [nil, .evaluator, .registryService, .deployer, .notifier]
        return try play(world, Suite.Wishes(keepsLittle: true, late: late[world.pick(0...late.count - 1)]))
    }

    private static func play(_ world: World, _ wishes: Suite.Wishes) throws -> Finding {
        let suite = try Suite(world, wishes)
        let machines = suite.machines
        var faults = Faults(world, buses: suite.buses, services: suite.services, onPowerCut: { machines.powerCut() })
        suite.people.want(.repository)
        suite.forge.push(file: Suite.file)
        let end = world.now + world.milliseconds(4_000...15_000)
        while world.now < end {
            world.advance(world.milliseconds(20...800))
            faults.strike()
            act(suite, world)
            if wishes.keepsLittle, world.chance(0.08) {
                faults.unplug(suite.services[world.pick(0...suite.services.count - 1)])
            }
        }
        if world.chance(0.2) { sleep(suite, world) }
        suite.forge.isDown = false
        faults.heal()
        let checker = SuiteChecker(world, suite)
        let settled = world.settle(atMost: .seconds(240)) { checker.isSettled() }
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
