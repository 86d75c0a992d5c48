import CSimulation
import Foundation

/// What goes wrong, as the seed will have it.
struct Faults {
    private let world: World
    private let buses: [Program]
    private let services: [Program]
    private let onPowerCut: () -> Void
    private var stopped: [Program] = []
    private var unplugged: [Program] = []
    /// How wild this seed is.
    private let rate: Double

    init(_ world: World, buses: [Program], services: [Program], onPowerCut: @escaping () -> Void = {}) {
        self.world = world
        self.buses = buses
        self.services = services
        self.onPowerCut = onPowerCut
        rate = world.chance(0.15) ? 0 : Double.random(in: 0.05...0.7, using: &world.random)
        weather()
    }

    /// How bad the network is; it changes now and then.
    private func weather() {
        let bad = rate > 0 && world.chance(0.7)
        let loss = bad ? world.pick(0...32_768) : 0
        simulation_set_network(
            simulation_network(
                lost: UInt32(loss), repeated: bad ? UInt32(world.pick(0...8_000)) : 0,
                late: bad ? UInt32(world.pick(0...12_000)) : 0, requests_lost: bad ? UInt32(loss / 16) : 0,
                latency: 50_000, jitter: UInt64(bad ? world.pick(10...5_000) : 200) * 1000,
                lateness: UInt64(world.pick(1...900)) * 1_000_000,
                room: world.chance(0.1) ? UInt32(world.pick(20...200)) : 4000))
        world.tell("the network loses \(loss * 100 / 65_536) %")
    }

    mutating func strike() {
        guard world.chance(rate) else { return }
        let victim = services[world.pick(0...services.count - 1)]
        // One that is still to start has nothing that could fail.
        guard victim.lives > 0 else { return }
        switch world.pick(0...14) {
        case 0, 1: victim.kill(for: world.milliseconds(10...3000))
        case 2: buses[world.pick(0...buses.count - 1)].kill(for: world.milliseconds(10...3000))
        case 3...5:
            // In the middle of a commit: before a write or a sync reaches the disk, or right after it.
            let (nth, done) = (UInt32(world.pick(1...12)), world.chance(0.5))
            world.tell("\(victim.name) will die at write \(nth), \(done ? "after" : "before") it")
            simulation_disk_kill(victim.id, nth, done)
        case 6:
            let code: Int32 = world.chance(0.5) ? 13 : 10
            world.tell("\(victim.name): a write will fail with \(code)")
            simulation_disk_fail(victim.id, UInt32(world.pick(1...12)), code)
        case 7:
            stop(victim)
        case 8:
            unplug(victim)
        case 9: release()
        case 10: powerCut()
        case 11:
            world.tell("the disk is full")
            simulation_disk_full(true)
        case 12:
            // Somebody sets the clock, or a time server does.
            let jump = Duration.seconds(world.pick(1...7200) * (world.chance(0.3) ? -1 : 1))
            world.tell("the clock of \(victim.service) jumps by \(jump)")
            for program in services where program.service == victim.service {
                program.setClock(program.clockOffset + jump)
            }
        case 13: stop(buses[world.pick(0...buses.count - 1)])
        default: weather()
        }
    }

    private mutating func stop(_ victim: Program) {
        world.tell("\(victim.name) is stopped")
        victim.stop()
        stopped.append(victim)
    }

    /// Cut off until the network is mended, if not until everything is.
    mutating func unplug(_ victim: Program) {
        world.tell("\(victim.name) is cut off")
        victim.unplug(true)
        unplugged.append(victim)
    }

    private func powerCut() {
        world.tell("the power fails")
        onPowerCut()
        simulation_power_cut(UInt32(world.pick(0...65_536)))
        for program in services + buses { program.kill(for: world.milliseconds(100...1500)) }
    }

    private mutating func release() {
        simulation_disk_full(false)
        for program in stopped { program.resume() }
        for program in unplugged { program.unplug(false) }
        stopped = []
        unplugged = []
    }

    mutating func heal() {
        world.tell("everything heals")
        release()
        for program in services { simulation_disk_kill(program.id, 0, false) }
        simulation_set_network(
            simulation_network(
                lost: 0, repeated: 0, late: 0, requests_lost: 0, latency: 50_000, jitter: 200_000, lateness: 0,
                room: 4000))
        for program in services + buses where !program.isAlive { program.relaunchNow() }
    }
}
