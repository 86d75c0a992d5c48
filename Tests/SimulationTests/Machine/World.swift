import CSimulation
import Foundation
import GRDB
import Logging
import Messages

/// One simulated world on a thread of its own: the scenario says what happens, everything else is production code.
///
/// Time stands still except in ``advance(_:)``; the same seed gives the same run, bit by bit.
final class World {
    let seed: UInt64
    /// The scenario's own chance: what it draws does not depend on what the programs draw.
    var random: SeededRandom
    /// What is not simulated of the disk: artifacts, lock files.
    let folder: String
    let tells: Bool
    /// How many run side by side; said before any service starts.
    var busCount = 1
    /// Connections to look at databases with, while nothing can happen to their files.
    var lookers: [Source: DatabaseQueue]?
    private(set) var programs: [Program] = []
    /// Far more than any scenario takes: a program that spins does not keep a seed from ending.
    private static let mostSteps: UInt64 = 20_000_000
    /// It took them, and stood still from there on.
    var isExhausted: Bool { simulation_is_exhausted() }

    private init(seed: UInt64, tells: Bool) {
        self.seed = seed
        random = SeededRandom(seed: seed &* 0x9e37_79b9 &+ 1)
        self.tells = tells
        // In memory where there is such a place: programs sync what they write.
        let place = FileManager.default.fileExists(atPath: "/dev/shm") ? "/dev/shm/" : NSTemporaryDirectory()
        folder = place + "ms-\(getpid())-\(UInt(pthread_self()) & 0xffff_ffff)-\(seed)"
    }

    /// Runs a scenario and returns what it found.
    static func run<Value: Sendable>(
        seed: UInt64, tells: Bool = false, _ scenario: @escaping @Sendable (World) throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            let thread = Thread {
                let world = World(seed: seed, tells: tells)
                simulation_begin(seed)
                simulation_limit(Self.mostSteps)
                let result = Result { try scenario(world) }
                world.stopLooking()
                for program in world.programs { program.end() }
                simulation_end()
                try? FileManager.default.removeItem(atPath: world.folder)
                continuation.resume(with: result)
            }
            thread.stackSize = 16 << 20
            thread.start()
        }
    }

    // MARK: Time

    var now: Duration { .nanoseconds(Int64(simulation_now())) }
    var digest: UInt64 { simulation_digest() }

    func advance(_ duration: Duration) {
        let until = (now + duration).wholeNanoseconds
        while simulation_step(until) { reap() }
        reap()
    }

    /// - Returns: whether the condition came true within `limit`.
    func advance(atMost limit: Duration, until isDone: () throws -> Bool) rethrows -> Bool {
        let end = now + limit
        while true {
            if try isDone() { return true }
            guard now < end else { return false }
            advance(.milliseconds(500))
        }
    }

    // MARK: Chance

    func chance(_ probability: Double) -> Bool { Double.random(in: 0..<1, using: &random) < probability }
    func pick(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
    func milliseconds(_ range: ClosedRange<Int>) -> Duration { .milliseconds(pick(range)) }

    // MARK: Programs

    /// - Parameters:
    ///   - service: what it is a replica of; its own name where that is not given.
    ///   - delay: how long after now it starts for the first time.
    func start(
        _ name: String, of service: String? = nil, after delay: Duration? = nil,
        _ main: @escaping @Sendable (Run) async throws -> Void
    ) -> Program {
        let program = Program(name: name, service: service ?? name, main: main, world: self)
        programs.append(program)
        if let delay { program.kill(for: delay) } else { program.launch() }
        return program
    }

    /// A program whose end nobody asked for is started again, as `martlet up` does.
    private func reap() {
        for program in programs where program.hasEnded { program.relaunch() }
    }

    func tell(_ line: @autoclosure () -> String) {
        if tells { print(String(format: "%10.4f", Double(simulation_now()) / 1e9), line()) }
    }

    func logger(_ name: String) -> Logger {
        guard tells else { return Logger(label: name) { _ in SwiftLogNoOpLogHandler() } }
        return Logger(label: name) { TraceHandler(label: $0) }
    }
}

/// Prints what programs log, with simulated time.
private struct TraceHandler: LogHandler {
    let label: String
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level = .debug

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let more = event.metadata.map { " \($0)" } ?? ""
        print(
            String(format: "%10.4f", Double(simulation_now()) / 1e9),
            "  \(label) \(event.level): \(event.message)\(more)")
    }
}

extension Duration {
    var wholeNanoseconds: UInt64 {
        UInt64(components.seconds) * 1_000_000_000 + UInt64(components.attoseconds / 1_000_000_000)
    }
}

/// SplitMix64.
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
