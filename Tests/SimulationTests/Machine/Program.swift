import CSimulation
import Foundation
import Logging
import Messages
import Store
import Synchronization

/// One life of a program: what it holds that the world must take away when it dies.
final class Run: Sendable {
    private let store = Mutex<StateStore?>(nil)
    private let stop = Mutex<(@Sendable () -> Void)?>(nil)
    fileprivate let ended = Mutex(false)

    /// The database's connections are closed, without a word to the disk, when the process dies.
    func owns(_ opened: StateStore) { store.withLock { $0 = opened } }

    /// - Parameter stop: what it does when it is asked to end.
    func canBeAsked(_ stop: @escaping @Sendable () -> Void) { self.stop.withLock { $0 = stop } }

    fileprivate func ask() { stop.withLock { $0 }?() }

    func end() { ended.withLock { $0 = true } }

    fileprivate func drop() { try? store.withLock { $0.take() }?.close() }
}

/// A program of the simulated world, in one life after another.
final class Program {
    let name: String
    /// Its replicas have the same: they are on one host, with one clock.
    let service: String
    private let main: @Sendable (Run) async throws -> Void
    private unowned let world: World
    private var process: Int32 = 0
    private var run = Run()
    /// Down on purpose: until then it is not started again.
    private var downUntil: Duration?
    private(set) var lives = 0

    init(name: String, service: String, main: @escaping @Sendable (Run) async throws -> Void, world: World) {
        self.name = name
        self.service = service
        self.main = main
        self.world = world
    }

    var isAlive: Bool { simulation_is_alive(process) }
    var id: Int32 { process }
    var clockOffset: Duration = .zero

    func launch() {
        lives += 1
        run = Run()
        process = simulation_spawn()
        // Set for good.
        setClock(clockOffset)
        simulation_enter(process)
        let (run, main, logger) = (run, main, world.logger(name))
        Task {
            do { try await main(run) } catch { logger.error("ended: \(error)") }
            run.end()
        }
        simulation_enter(0)
        world.tell("\(name) starts")
    }

    /// Dead by a fault of the disk, or by its own error.
    var hasEnded: Bool {
        if let downUntil { return downUntil <= world.now }
        return !isAlive || run.ended.withLock { $0 }
    }

    func relaunch() {
        if downUntil == nil {
            world.tell("\(name) died")
            return kill(for: world.milliseconds(50...800))
        }
        downUntil = nil
        launch()
    }

    /// kill -9, and how long until somebody starts it again.
    func kill(for pause: Duration) {
        if isAlive { world.tell("\(name) is killed") }
        simulation_kill(process)
        run.drop()
        downUntil = world.now + pause
    }

    /// As SIGTERM: it leaves everything as it should be, and is not started again before it was killed for a while.
    func askToEnd() {
        world.tell("\(name) is asked to end")
        downUntil = .seconds(1_000_000)
        simulation_enter(process)
        run.ask()
        simulation_enter(0)
    }

    /// For good, with all that it holds.
    func end() {
        simulation_kill(process)
        run.drop()
    }

    // What was never started has no process that could be meant.
    func stop() { if lives > 0 { simulation_stop(process) } }
    func resume() { if lives > 0 { simulation_continue(process) } }
    func unplug(_ unplugged: Bool) { if lives > 0 { simulation_unplug(process, unplugged) } }

    /// What the clock on its wall says.
    var wallClock: Timestamp {
        Timestamp(milliseconds: simulation_wall_clock(process) / 1_000_000)
    }

    func setClock(_ offset: Duration) {
        clockOffset = offset
        let (seconds, rest) = offset.components
        simulation_set_clock(process, seconds * 1_000_000_000 + rest / 1_000_000_000)
    }
}

extension Program {
    /// Does not wait for the time that was planned.
    func relaunchNow() {
        kill(for: .zero)
        relaunch()
    }
}
