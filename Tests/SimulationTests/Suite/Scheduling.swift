import CSimulation
import Foundation
import GRDB
import Messages

/// Hours pass within seconds while trigger-service dies, hangs and is put on a wrong clock: each tick starts one run, or
/// is told as missed.
enum Scheduling {
    static let scenario = Scenario(name: "schedules", share: 0.06, play: play)

    private static let file = """
        martlet: 1
        project: demo
        pipelines:
          hourly:
            on: { schedule: { cron: "0 * * * *", catch_up: all } }
            jobs: { only: { steps: [{ run: "true" }] } }
          often:
            on: { schedule: { cron: "*/20 * * * *", catch_up: last } }
            jobs: { only: { steps: [{ run: "true" }] } }
          seldom:
            on: { schedule: { cron: "*/30 * * * *", catch_up: none } }
            jobs: { only: { steps: [{ run: "true" }] } }
        """

    private static func play(_ world: World) throws -> Finding {
        let sources: [Source] = [.triggerService, .trainerProxy, .console]
        let suite = try Suite(world, Suite.Wishes(only: sources))
        let machines = suite.machines
        var faults = Faults(world, buses: suite.buses, services: suite.services, onPowerCut: { machines.powerCut() })
        suite.people.want(.repository)
        suite.forge.push(file: file)
        let end = world.now + world.milliseconds(10_000...40_000)
        while world.now < end {
            world.advance(world.milliseconds(200...4000))
            faults.strike()
            if world.chance(0.3) {
                let jump = world.milliseconds(60_000...5_400_000)
                for program in suite.services { program.setClock(program.clockOffset + jump) }
            }
            // Put back a little, nothing is done again.
            if world.chance(0.1), let program = suite.programs[.triggerService]?.first {
                program.setClock(program.clockOffset - world.milliseconds(1_000...60_000))
            }
        }
        faults.heal()
        let checker = SuiteChecker(world, suite)
        let settled = world.settle(atMost: .seconds(240)) { checker.isSettled() && hasTicked(suite, world) }
        var finding = try checker.check(settled: settled)
        let said = try checker.envelopes(.triggerService)
        finding.problems += try ScheduleChecker.problems(said)
        return finding
    }

    /// Nothing is due any more.
    private static func hasTicked(_ suite: Suite, _ world: World) -> Bool {
        guard let clock = suite.programs[.triggerService]?.first?.wallClock else { return false }
        let due = try? world.read(.triggerService) { db in
            try Int.fetchOne(db, sql: "SELECT count(*) FROM schedule WHERE next <= ?", arguments: [clock.milliseconds])
        }
        return due == 0
    }
}
