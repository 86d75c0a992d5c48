import Foundation
import Testing

extension Scenario {
    /// Those that can be asked for.
    static let all = [
        Chatting.scenario, Chatting.overTwoBuses, Replicating.scenario, Restoring.scenario, Epochs.scenario,
        Living.scenario, Living.withReplicas, Living.onSnapshots, Scheduling.scenario,
    ]
}

/// docs/contributing.md says how to run these with more seeds, or to see what one does.
@Suite(.serialized) struct SeedTests {
    @Test(arguments: [Chatting.scenario, Replicating.scenario, Scheduling.scenario])
    func `the same seed gives the same run, another one another`(scenario: Scenario) async throws {
        let runs = try await [7, 7, 8].asyncMap { try await scenario.run(seed: $0) }
        #expect(runs[0].digest == runs[1].digest)
        #expect(runs[0].steps == runs[1].steps)
        #expect(runs[0].events > 0)
        #expect(runs[0].digest != runs[2].digest)
    }

    @Test func `I1 to I5 and I8 hold whatever fails`() async throws {
        try await Seeds.play(Chatting.scenario)
    }

    @Test func `I1 to I5 and I8 hold over two buses, either of which may die or hang`() async throws {
        try await Seeds.play(Chatting.overTwoBuses)
    }

    @Test func `I1 to I5 and I8 hold with replicas, one of which leads within a second`() async throws {
        try await Seeds.play(Replicating.scenario)
    }

    @Test func `I6 a restored older copy is found out or does no harm`() async throws {
        try await Seeds.play(Restoring.scenario)
    }

    @Test func `I6 after a restore by the book, everybody goes on and has all that is to be had`() async throws {
        try await Seeds.play(Epochs.scenario)
    }

    @Test func `I1 to I5 and I7 the whole suite ends as it should whatever fails meanwhile`() async throws {
        try await Seeds.play(Living.scenario)
    }

    @Test func `I7 replicas share the work of the suite, and each step ends once`() async throws {
        try await Seeds.play(Living.withReplicas)
    }

    @Test func `I1 whoever was away for longer than logs keep knows the same from a snapshot`() async throws {
        try await Seeds.play(Living.onSnapshots)
    }

    @Test func `I1 I2 each tick of a schedule is there once or told as missed, whatever the clock does`() async throws {
        try await Seeds.play(Scheduling.scenario)
    }

    @Test func `a scenario that there is not is refused, with the names of those that there are`() throws {
        try Seeds.check("schedules")
        let refusal = #expect(throws: UnknownScenario.self) { try Seeds.check("schedule") }
        let text = try #require(refusal).description
        #expect(text.hasPrefix("no scenario is called 'schedule'; there are chatter, two-buses,"))
    }

    /// What cannot fail proves nothing: without what the promises stand on, they are found broken soon.
    @Test(arguments: [Chatting.onLyingDisk, Chatting.withoutLocks])
    func `the checkers notice`(broken: Scenario) async throws {
        for seed in 1...60 as ClosedRange<UInt64> {
            do {
                if try await !broken.run(seed: seed).problems.isEmpty { return }
            } catch {
                // A database that cannot be read any more is noticed as well.
                return
            }
        }
        Issue.record("\(broken.name): nothing was noticed in 60 seeds")
    }
}

extension Array where Element: Sendable {
    func asyncMap<Result>(_ body: (Element) async throws -> Result) async rethrows -> [Result] {
        var results: [Result] = []
        for element in self { results.append(try await body(element)) }
        return results
    }
}
