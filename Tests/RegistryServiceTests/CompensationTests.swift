import Messages
import Testing

@testable import RegistryService

@Suite struct CompensationTests {
    /// Version 1 is in production; run `r` stages version 2 and promotes it.
    private let history = [
        StageRecord(id: 1, event: "a", about: 1, version: 1, from: nil, to: "production", run: "q"),
        StageRecord(id: 2, event: "b", about: 2, version: 2, from: nil, to: "staged", run: "q"),
        StageRecord(id: 3, event: "c", about: 2, version: 1, from: "production", to: "surpassed", run: "r"),
        StageRecord(id: 4, event: "c", about: 2, version: 2, from: "staged", to: "production", run: "r"),
    ]
    private let holders = [1: "surpassed", 2: "production"]

    private func decide(
        _ history: [StageRecord], holders: [Int: String], after: Int64 = 0
    ) -> Compensation.Verdict {
        Compensation(model: "churn", version: 2, run: "r", after: after)
            .decide(history: history, machine: trunk, holders: holders)
    }

    @Test func `X8 both stages are restored`() {
        #expect(
            decide(history, holders: holders)
                == .takeBack([
                    Compensation.Step(
                        event: "c", move: StageMove(version: 2, from: "production", to: "staged"),
                        restored: [StageMove(version: 1, from: "surpassed", to: "production")], left: [])
                ]))
    }

    @Test func `X8 all changes of the run are taken back, newest first`() {
        var own = history
        own[1].run = "r"
        guard case .takeBack(let steps) = decide(own, holders: holders) else { return #expect(Bool(false)) }
        #expect(steps.map(\.event) == ["c", "b"])
        #expect(steps.last?.move == StageMove(version: 2, from: "staged", to: nil))
    }

    @Test func `X8 what an earlier deployment of the run stands for is kept`() {
        #expect(decide(history, holders: holders, after: 4) == .nothing)
    }

    @Test func `X8 nothing is taken back twice`() {
        let done =
            history + [
                StageRecord(
                    id: 5, event: "d", about: 2, version: 1, from: "surpassed", to: "production", run: "r",
                    compensates: "c"),
                StageRecord(
                    id: 6, event: "d", about: 2, version: 2, from: "production", to: "staged", run: "r",
                    compensates: "c"),
            ]
        #expect(decide(done, holders: [1: "production", 2: "staged"]) == .nothing)
    }

    @Test func `X8 a later word of somebody else stands`() {
        let later =
            history + [
                StageRecord(id: 5, event: "d", about: 3, version: 2, from: "production", to: "surpassed", run: "s"),
                StageRecord(id: 6, event: "d", about: 3, version: 3, from: nil, to: "production", run: "s"),
            ]
        let verdict = decide(later, holders: [1: "surpassed", 2: "surpassed", 3: "production"])
        guard case .changedSince(let why) = verdict else { return #expect(Bool(false)) }
        #expect(why.contains("is in stage surpassed"))
    }

    @Test func `X8 a former holder that moved on is left where it is`() {
        let later =
            history + [
                StageRecord(id: 5, event: "d", about: 1, version: 1, from: "surpassed", to: nil, run: nil)
            ]
        guard case .takeBack(let steps) = decide(later, holders: [2: "production"]) else {
            return #expect(Bool(false))
        }
        #expect(steps.first?.restored == [])
        #expect(steps.first?.left == [1])
    }

    @Test func `X8 a later version's promotion that was itself taken back is no later word`() {
        let later =
            history + [
                StageRecord(id: 5, event: "d", about: 3, version: 2, from: "production", to: "surpassed", run: "s"),
                StageRecord(id: 6, event: "d", about: 3, version: 3, from: nil, to: "production", run: "s"),
                StageRecord(
                    id: 7, event: "e", about: 3, version: 2, from: "surpassed", to: "production", run: "s",
                    compensates: "d"),
                StageRecord(
                    id: 8, event: "e", about: 3, version: 3, from: "production", to: nil, run: "s", compensates: "d"),
            ]
        #expect(decide(later, holders: holders) == decide(history, holders: holders))
    }

    @Test func `X8 a compensation that left a version elsewhere is a later word`() {
        let later =
            history + [
                StageRecord(id: 5, event: "d", about: 3, version: 2, from: "production", to: "surpassed", run: "s"),
                StageRecord(id: 6, event: "d", about: 3, version: 3, from: nil, to: "production", run: "s"),
                StageRecord(
                    id: 7, event: "e", about: 3, version: 3, from: "production", to: nil, run: "s", compensates: "d"),
            ]
        guard case .changedSince = decide(later, holders: [1: "surpassed", 2: "surpassed"]) else {
            return #expect(Bool(false))
        }
    }

    @Test func `X8 all who made room one after another get their stages back`() {
        let machine = StageMachine(
            preset: "own", tag: "stage",
            states: [
                "production": StageRule(many: false, replacedBecomes: "previous"),
                "previous": StageRule(many: false, replacedBecomes: "retired"), "retired": StageRule(many: true),
            ])
        let history = [
            StageRecord(id: 1, event: "a", about: 1, version: 1, from: nil, to: "production", run: "q"),
            StageRecord(id: 2, event: "b", about: 2, version: 1, from: "production", to: "previous", run: "q"),
            StageRecord(id: 3, event: "b", about: 2, version: 2, from: nil, to: "production", run: "q"),
            StageRecord(id: 4, event: "c", about: 3, version: 1, from: "previous", to: "retired", run: "r"),
            StageRecord(id: 5, event: "c", about: 3, version: 2, from: "production", to: "previous", run: "r"),
            StageRecord(id: 6, event: "c", about: 3, version: 3, from: nil, to: "production", run: "r"),
        ]
        #expect(
            Compensation(model: "churn", version: 3, run: "r", after: 0)
                .decide(history: history, machine: machine, holders: [1: "retired", 2: "previous", 3: "production"])
                == .takeBack([
                    Compensation.Step(
                        event: "c", move: StageMove(version: 3, from: "production", to: nil),
                        restored: [
                            StageMove(version: 2, from: "previous", to: "production"),
                            StageMove(version: 1, from: "retired", to: "previous"),
                        ], left: [])
                ]))
    }

    @Test func `X8 a stage that another version took meanwhile is not taken from it`() {
        let later =
            history + [
                StageRecord(id: 5, event: "d", about: 3, version: 3, from: nil, to: "staged", run: "s")
            ]
        guard case .takeBack(let steps) = decide(later, holders: [1: "surpassed", 2: "production", 3: "staged"]) else {
            return #expect(Bool(false))
        }
        #expect(steps.first?.move == StageMove(version: 2, from: "production", to: "unstaged"))
    }
}
