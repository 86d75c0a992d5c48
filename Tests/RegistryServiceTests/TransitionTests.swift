import Messages
import Testing

@testable import RegistryService

@Suite struct TransitionTests {
    private func decide(
        _ machine: StageMachine, _ version: Int, to: String, holders: [Int: String], expect: String? = nil,
        holder: Int?? = nil, actor: Actor = Actor(name: "pipeline:model-cd"), run: String? = nil,
        latest: Transition.Latest? = nil
    ) throws(Refusal) -> Transition.Verdict {
        let wish = Transition(
            model: "churn", version: version, to: to, expect: expect, expectHolder: holder, actor: actor, run: run)
        return try wish.decide(machine: machine, holders: holders, latest: latest)
    }

    @Test func `S3-17 a new staged version unstages the old one`() throws {
        #expect(
            try decide(trunk, 2, to: "staged", holders: [1: "staged"])
                == .move(
                    StageMove(version: 2, from: nil, to: "staged"),
                    replaced: [StageMove(version: 1, from: "staged", to: "unstaged")]))
    }

    @Test func `S3-19 the former production version becomes surpassed`() throws {
        #expect(
            try decide(trunk, 2, to: "production", holders: [1: "production", 2: "staged"])
                == .move(
                    StageMove(version: 2, from: "staged", to: "production"),
                    replaced: [StageMove(version: 1, from: "production", to: "surpassed")]))
    }

    @Test func `X7 all holders make room, not only one of them`() throws {
        let verdict = try decide(trunk, 3, to: "production", holders: [1: "production", 2: "production"])
        guard case .move(_, let replaced) = verdict else { return #expect(Bool(false)) }
        #expect(replaced.map(\.version) == [1, 2])
    }

    /// Two stages for one, one behind the other.
    private let line = StageMachine(
        preset: "own", tag: "stage",
        states: [
            "production": StageRule(many: false, replacedBecomes: "previous"),
            "previous": StageRule(many: false, replacedBecomes: "retired"), "retired": StageRule(many: true),
        ])

    @Test func `G4 who comes to a stage for one by being replaced sends its holder on`() throws {
        #expect(
            try decide(line, 3, to: "production", holders: [1: "previous", 2: "production"])
                == .move(
                    StageMove(version: 3, from: nil, to: "production"),
                    replaced: [
                        StageMove(version: 1, from: "previous", to: "retired"),
                        StageMove(version: 2, from: "production", to: "previous"),
                    ]))
        // Who is promoted makes that room itself.
        #expect(
            try decide(line, 1, to: "production", holders: [1: "previous", 2: "production"])
                == .move(
                    StageMove(version: 1, from: "previous", to: "production"),
                    replaced: [StageMove(version: 2, from: "production", to: "previous")]))
        // Of several there is room for the newest.
        #expect(
            try decide(line, 3, to: "production", holders: [1: "production", 2: "production"])
                == .move(
                    StageMove(version: 3, from: nil, to: "production"),
                    replaced: [
                        StageMove(version: 1, from: "production", to: nil),
                        StageMove(version: 2, from: "production", to: "previous"),
                    ]))
    }

    @Test func `G5 a circle of stages for one has one holder each, and the last version loses its stage`() throws {
        let own = StageMachine(
            preset: "own", tag: "stage", states: ["live": StageRule(many: false, replacedBecomes: "live")])
        #expect(
            try decide(own, 2, to: "live", holders: [1: "live"])
                == .move(
                    StageMove(version: 2, from: nil, to: "live"),
                    replaced: [StageMove(version: 1, from: "live", to: nil)]))
        let two = StageMachine(
            preset: "own", tag: "stage",
            states: [
                "blue": StageRule(many: false, replacedBecomes: "green"),
                "green": StageRule(many: false, replacedBecomes: "blue"),
            ])
        #expect(
            try decide(two, 3, to: "blue", holders: [1: "green", 2: "blue"])
                == .move(
                    StageMove(version: 3, from: nil, to: "blue"),
                    replaced: [
                        StageMove(version: 1, from: "green", to: nil), StageMove(version: 2, from: "blue", to: "green"),
                    ]))
    }

    @Test func `S0-20 with room for many, promoting one demotes none`() throws {
        #expect(
            try decide(mlflow, 2, to: "Production", holders: [1: "Production"])
                == .move(StageMove(version: 2, from: nil, to: "Production"), replaced: []))
    }

    @Test func `S4-11 a preset's stage can be narrowed to one holder`() throws {
        var machine = mlflow
        machine.states["Production"] = StageRule(many: false, replacedBecomes: "Archived")
        #expect(
            try decide(machine, 2, to: "Production", holders: [1: "Production"])
                == .move(
                    StageMove(version: 2, from: nil, to: "Production"),
                    replaced: [StageMove(version: 1, from: "Production", to: "Archived")]))
    }

    @Test func `S3-25 setting a stage where it already is changes nothing`() throws {
        #expect(try decide(trunk, 1, to: "staged", holders: [1: "staged"]) == .unchanged)
        #expect(try decide(trunk, 1, to: "staged", holders: [1: "staged"], expect: "staged") == .unchanged)
        #expect(try decide(trunk, 1, to: "none", holders: [:]) == .unchanged)
    }

    @Test func `S3-25 without a word for the replaced one it loses its stage`() throws {
        let machine = StageMachine(preset: "own", tag: "stage", states: ["live": StageRule(many: false)])
        #expect(
            try decide(machine, 2, to: "live", holders: [1: "live"])
                == .move(
                    StageMove(version: 2, from: nil, to: "live"),
                    replaced: [StageMove(version: 1, from: "live", to: nil)]))
    }

    @Test func `S0-19 only the named pipeline may set Production`() throws {
        var machine = mlflow
        machine.states["Production"] = StageRule(many: true, setBy: ["pipeline:model-ci"])
        let refusal = #expect(throws: Refusal.self) {
            try decide(machine, 1, to: "Production", holders: [1: "Staging"], actor: Actor(name: "user:ada"))
        }
        #expect(
            refusal?.reason
                == "user:ada may not set stage 'Production' of 'churn': only pipeline:model-ci may")
        #expect(throws: Refusal.self) {
            try decide(machine, 1, to: "none", holders: [1: "Production"], actor: Actor(name: "user:ada"))
        }
        #expect(throws: Never.self) {
            try decide(machine, 1, to: "Production", holders: [:], actor: Actor(name: "pipeline:model-ci"))
        }
    }

    /// As in the example of a person who nominates and a pipeline that promotes.
    private let nominated = StageMachine(
        preset: "mlflow", tag: "stage",
        states: [
            "Staging": StageRule(many: true, setBy: ["user"]),
            "Production": StageRule(many: true, setBy: ["pipeline:model-ci"]),
        ])

    @Test(arguments: ["Archived", "Staging", "none"])
    func `S0-19 G8 who may not set Production takes nothing out of it either, whatever the way`(_ way: String) throws {
        let refusal = #expect(throws: Refusal.self) {
            try decide(nominated, 1, to: way, holders: [1: "Production"], actor: Actor(name: "user:ada"))
        }
        #expect(
            refusal?.reason
                == "user:ada may not take version 1 out of stage 'Production' of 'churn': only pipeline:model-ci may")
        let ci = Actor(name: "pipeline:model-ci")
        if way == "Staging" { return }
        #expect(throws: Never.self) { try decide(nominated, 1, to: way, holders: [1: "Production"], actor: ci) }
    }

    @Test func `S0-12 who is named at a stage promotes from where others nominated`() throws {
        let ci = Actor(name: "pipeline:model-ci")
        #expect(
            try decide(nominated, 1, to: "Production", holders: [1: "Staging"], actor: ci)
                == .move(StageMove(version: 1, from: "Staging", to: "Production"), replaced: []))
        // What nobody is named for is open from where nobody is named.
        let ada = Actor(name: "user:ada")
        #expect(throws: Never.self) { try decide(nominated, 1, to: "Staging", holders: [1: "Archived"], actor: ada) }
        #expect(throws: Never.self) { try decide(nominated, 1, to: "Archived", holders: [1: "Staging"], actor: ada) }
        #expect(throws: Refusal.self) { try decide(nominated, 1, to: "Archived", holders: [1: "Staging"], actor: ci) }
    }

    @Test func `S0-19 who is replaced by a permitted promotion makes room, whoever had put it there`() throws {
        let machine = StageMachine(
            preset: "own", tag: "s",
            states: [
                "live": StageRule(many: false, replacedBecomes: "old", setBy: ["pipeline:a", "pipeline:b"]),
                "old": StageRule(many: true, setBy: ["pipeline:c"]),
            ])
        #expect(
            try decide(machine, 2, to: "live", holders: [1: "live"], actor: Actor(name: "pipeline:b"))
                == .move(
                    StageMove(version: 2, from: nil, to: "live"),
                    replaced: [StageMove(version: 1, from: "live", to: "old")]))
        // In stages of its own a project says who takes a version on.
        #expect(throws: Never.self) {
            try decide(machine, 1, to: "old", holders: [1: "live"], actor: Actor(name: "pipeline:c"))
        }
    }

    @Test(arguments: [
        (["user"], Actor(name: "user:ada"), true), (["user"], Actor(name: "pipeline:x"), false),
        (["user:ada"], Actor(name: "user:ada"), true), (["user:ada"], Actor(name: "user:bob"), false),
        (["group:ops"], Actor(name: "user:bob", groups: ["ops"]), true),
        (["group:ops"], Actor(name: "user:bob", groups: ["dev"]), false), ([], Actor(name: "user:bob"), true),
    ])
    func `G8 a stage is set by users, groups or pipelines`(_ setBy: [String], _ actor: Actor, _ allowed: Bool) {
        let machine = StageMachine(preset: "own", tag: "s", states: ["live": StageRule(many: true, setBy: setBy)])
        let verdict = Result { try decide(machine, 1, to: "live", holders: [:], actor: actor) }
        #expect(((try? verdict.get()) != nil) == allowed)
    }

    @Test func `G3 a stage may only follow the stages that it names`() throws {
        let machine = StageMachine(
            preset: "own", tag: "s",
            states: ["a": StageRule(many: true, from: ["none"]), "b": StageRule(many: true, from: ["a"])])
        #expect(throws: Refusal.self) { try decide(machine, 1, to: "b", holders: [:]) }
        #expect(throws: Never.self) { try decide(machine, 1, to: "a", holders: [:]) }
        #expect(throws: Never.self) { try decide(machine, 1, to: "b", holders: [1: "a"]) }
    }

    @Test func `G7 expect refuses what somebody else has brought about meanwhile`() throws {
        func reached(
            expect: String? = nil, holder: Int?? = nil, run: String? = "r1", _ latest: Transition.Latest?
        ) throws(Refusal) -> Transition.Verdict {
            try decide(
                trunk, 2, to: "production", holders: [1: "surpassed", 2: "production"], expect: expect, holder: holder,
                run: run, latest: latest)
        }
        let own = Transition.Latest(
            from: "staged", to: "production", replaced: [1], actor: "pipeline:model-cd", run: "r1")
        // The same wish of the same step again, as after a crash.
        #expect(try reached(expect: "staged", own) == .unchanged)
        #expect(try reached(expect: "staged", holder: 1, own) == .unchanged)
        #expect(try reached(own) == .unchanged)
        // Another run, another person, another way there, another holder, or nobody knows.
        var other = own
        other.actor = "user:ada"
        for stale in [other, nil] { #expect(throws: Refusal.self) { try reached(expect: "staged", stale) } }
        #expect(throws: Refusal.self) { try reached(expect: "staged", run: "r2", own) }
        #expect(throws: Refusal.self) { try reached(expect: "none", own) }
        #expect(throws: Refusal.self) { try reached(holder: 7, own) }
        // Nobody but itself holds the stage, and nothing else was expected.
        #expect(try reached(holder: .some(nil), other) == .unchanged)
    }

    @Test func `G7 expect refuses what changed meanwhile`() throws {
        #expect(throws: Refusal.self) { try decide(mlflow, 1, to: "Production", holders: [:], expect: "Staging") }
        #expect(throws: Never.self) {
            try decide(mlflow, 1, to: "Production", holders: [1: "Staging"], expect: "Staging")
        }
        #expect(throws: Never.self) { try decide(mlflow, 1, to: "Staging", holders: [:], expect: "None") }
        #expect(throws: Refusal.self) { try decide(trunk, 3, to: "production", holders: [2: "production"], holder: 1) }
        #expect(throws: Refusal.self) {
            try decide(trunk, 3, to: "production", holders: [2: "production"], holder: .some(nil))
        }
        #expect(throws: Never.self) { try decide(trunk, 3, to: "production", holders: [2: "production"], holder: 2) }
    }

    @Test func `G2 an unknown word is refused with those that exist`() {
        let refusal = #expect(throws: Refusal.self) { try decide(trunk, 1, to: "prod", holders: [:]) }
        #expect(
            refusal?.reason
                == "model 'churn' has no stage 'prod': it has production, staged, surpassed, unstaged")
        let none = StageMachine(preset: "none", tag: "stage", states: [:])
        #expect(throws: Refusal.self) { try decide(none, 1, to: "production", holders: [:]) }
    }
}
