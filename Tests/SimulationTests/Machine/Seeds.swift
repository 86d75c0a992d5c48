import Foundation
import Synchronization
import Testing

/// What one seed came to.
struct Finding: Sendable {
    /// Of everything that happened, in order.
    var digest: UInt64
    var steps: UInt64
    var events = 0
    /// Promises that were broken.
    var problems: [String] = []
}

/// A scenario that any number of seeds can be played with.
struct Scenario: Sendable, CustomTestStringConvertible {
    let name: String
    var testDescription: String { name }
    /// Of the time and of the seeds that all scenarios have together; 0: only on request.
    let share: Double
    let play: @Sendable (World) throws -> Finding

    func run(seed: UInt64, tells: Bool = false) async throws -> Finding {
        // Here, where nothing is simulated.
        _ = try Blank.all.get()
        return try await World.run(seed: seed, tells: tells) { [play] world in
            var finding = try play(world)
            if world.isExhausted { finding.problems.append("I8 \(finding.steps) steps, and no end: something spins") }
            return finding
        }
    }
}

/// `SIMULATE_SCENARIO` is none of those that there are: it would play nothing, and pass.
struct UnknownScenario: Error, CustomStringConvertible {
    let name: String

    var description: String {
        "no scenario is called '\(name)'; there are \(Scenario.all.map(\.name).joined(separator: ", "))"
    }
}

/// Which seeds are played: `SIMULATE_SEEDS` of them, or those of `SIMULATE_SECONDS`, whichever comes first; or one,
/// `SIMULATE_SEED`, with everything it does.
enum Seeds {
    private static func number(_ name: String) -> Double? {
        ProcessInfo.processInfo.environment[name].flatMap { Double($0) }
    }

    static func check(_ name: String) throws {
        guard Scenario.all.contains(where: { $0.name == name }) else { throw UnknownScenario(name: name) }
    }

    static func play(_ scenario: Scenario) async throws {
        let only = ProcessInfo.processInfo.environment["SIMULATE_SCENARIO"]
        if let only { try check(only) }
        // Those that have no share are played when they are asked for.
        guard only.map({ $0 == scenario.name }) ?? (scenario.share > 0) else { return }
        if let seed = number("SIMULATE_SEED") {
            let outcome = try await scenario.run(seed: UInt64(seed), tells: true)
            return report([(UInt64(seed), outcome)], of: scenario, seconds: 0)
        }
        let share = only == nil ? scenario.share : 1
        let begin = ContinuousClock.now
        let deadline = begin + .seconds((number("SIMULATE_SECONDS") ?? 45) * share)
        let first = UInt64(number("SIMULATE_FROM") ?? 1)
        let last = first + max(1, UInt64((number("SIMULATE_SEEDS") ?? 500) * share)) - 1
        let counter = Counter(first)
        let outcomes = try await withThrowingTaskGroup { group in
            for _ in 0..<2 {
                group.addTask {
                    var outcomes: [(seed: UInt64, outcome: Finding)] = []
                    // One at least, however busy the machine is with other tests.
                    repeat {
                        let seed = counter.next()
                        if seed > last { break }
                        outcomes.append((seed, try await scenario.run(seed: seed)))
                    } while ContinuousClock.now < deadline
                    return outcomes
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        report(outcomes, of: scenario, seconds: (ContinuousClock.now - begin) / .seconds(1))
    }

    private static func report(_ outcomes: [(seed: UInt64, outcome: Finding)], of scenario: Scenario, seconds: Double) {
        for (seed, outcome) in outcomes where !outcome.problems.isEmpty {
            let again = "make simulate SCENARIO=\(scenario.name) SEED=\(seed)"
            Issue.record("\(outcome.problems.joined(separator: "\n"))\nto see it again: \(again)")
        }
        let events = outcomes.reduce(0) { $0 + $1.outcome.events }
        let rate = seconds > 0 ? String(format: ", %.1f seeds/s", Double(outcomes.count) / seconds) : ""
        print("simulated \(scenario.name): \(outcomes.count) seeds, \(events) events\(rate)")
        // A run without a seed proves nothing.
        #expect(!outcomes.isEmpty)
    }
}

/// Hands out numbers to several takers.
private final class Counter: Sendable {
    private let value: Mutex<UInt64>

    init(_ first: UInt64) { value = Mutex(first) }

    func next() -> UInt64 {
        value.withLock { value in
            defer { value += 1 }
            return value
        }
    }
}
