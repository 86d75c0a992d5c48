import Foundation
import Testing

/// docs/contributing.md says how to run these with more seeds, or to see what one does.
@Suite struct SeedTests {
    @Test func `the same seed gives the same run, another one another`() async throws {
        let runs = try await [7, 7, 8].asyncMap { try await Chatting.scenario.run(seed: $0) }
        #expect(runs[0].digest == runs[1].digest)
        #expect(runs[0].steps == runs[1].steps)
        #expect(runs[0].events > 0)
        #expect(runs[0].digest != runs[2].digest)
    }

    @Test func `I1 to I5 and I8 hold whatever fails`() async throws {
        try await Seeds.play(Chatting.scenario)
    }

    @Test func `I6 a restored older copy is found out or does no harm`() async throws {
        try await Seeds.play(Restoring.scenario)
    }

    @Test func `the whole suite ends as it should whatever fails meanwhile`() async throws {
        try await Seeds.play(Living.scenario)
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
