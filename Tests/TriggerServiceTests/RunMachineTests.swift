import Messages
import Testing

@testable import TriggerService

struct RunMachineTests {
    @Test func `steps of a job go one after another, jobs that need nothing at once`() throws {
        var simulation = try Simulation(
            """
            jobs:
              a: { steps: [ { id: one, run: "1" }, { id: two, run: "2" } ] }
              b: { steps: [ { id: one, run: "1" } ] }
            """)
        simulation.start()
        #expect(simulation.offered == ["a/one", "b/one"])
        try simulation.finish("a/one")
        #expect(simulation.offered == ["a/two", "b/one"])
        try simulation.finish("a/two")
        #expect(simulation.run.status.phase == .running)
        try simulation.finish("b/one")
        #expect(simulation.run.status.outcome == .succeeded)
        #expect(simulation.changes.last == .runFinished)
    }

    @Test func `a job waits for all that it needs and sees their outputs`() throws {
        var simulation = try Simulation(
            """
            jobs:
              train:
                steps: [ { id: t, run: "1" } ]
                outputs: { version: "${{ steps.t.version }}" }
              deploy: { needs: train, steps: [ { id: d, run: "deploy ${{ needs.train.version }}" } ] }
            """)
        simulation.start()
        #expect(simulation.offered == ["train/t"])
        try simulation.finish("train/t", outputs: ["version": 7])
        #expect(simulation.offered == ["deploy/d"])
        #expect(try simulation.script("deploy/d") == "deploy 7")
    }

    @Test(arguments: [
        ([Outcome.succeeded, .succeeded], Outcome.succeeded),
        ([.succeeded, .notPromoted], .notPromoted),
        ([.notPromoted, .canceled], .canceled),
        ([.canceled, .failed], .failed),
        ([.notPromoted, .failed], .failed),
    ])
    func `A.6 a run is as bad as its worst job: failed, canceled, not promoted, succeeded`(
        _ outcomes: [Outcome], _ expected: Outcome
    ) throws {
        var simulation = try Simulation(
            """
            jobs:
              a: { steps: [ { id: s, run: "1" } ] }
              b: { steps: [ { id: s, run: "1" } ] }
            """)
        simulation.start()
        try simulation.finish("a/s", outcomes[0])
        try simulation.finish("b/s", outcomes[1])
        #expect(simulation.run.status.outcome == expected)
    }

    @Test func `A.6 losing skips the rest of the job, except what asks for always, and those that build on it`() throws
    {
        var simulation = try Simulation(
            """
            jobs:
              train:
                steps:
                  - { id: compare, run: "1" }
                  - { id: register, run: "1" }
                  - { id: report, if: "${{ always() }}", run: "1" }
                  - { id: broken, if: "${{ failure() }}", run: "1" }
              deploy: { needs: train, steps: [ { id: d, run: "1" } ] }
              tell: { needs: train, if: "${{ always() }}", steps: [ { id: t, run: "1" } ] }
            """)
        simulation.start()
        try simulation.finish("train/compare", .notPromoted, message: "0.4 is not below 0.3")
        #expect(simulation.offered == ["train/report"])
        try simulation.finish("train/report")
        #expect(try simulation.job("train").outcome == .notPromoted)
        #expect(try simulation.job("train").message == "0.4 is not below 0.3")
        #expect(try simulation.step("train/broken").outcome == .skipped)
        #expect(try simulation.job("deploy").outcome == .skipped)
        try simulation.finish("tell/t")
        #expect(simulation.run.status.outcome == .notPromoted)
        #expect(simulation.run.status.message == "0.4 is not below 0.3")
        #expect(simulation.run.status.failedStep == nil)
    }

    @Test func `a failed step names itself, and failure() comes to its turn`() throws {
        var simulation = try Simulation(
            """
            jobs:
              a: { steps: [ { id: s, run: "1" }, { id: never, run: "1" }, { id: mend, if: "${{ failure() }}", run: "1" } ] }
            """)
        simulation.start()
        try simulation.finish("a/s", .failed, message: "exit code 3")
        #expect(simulation.offered == ["a/mend"])
        try simulation.finish("a/mend")
        #expect(simulation.run.status.outcome == .failed)
        #expect(simulation.run.status.failedStep == "a/s")
        #expect(simulation.run.status.message == "exit code 3")
    }

    @Test func `continue_on_error lets the job go on and succeed`() throws {
        var simulation = try Simulation(
            """
            jobs:
              a: { steps: [ { id: s, continue_on_error: true, run: "1" }, { id: t, run: "${{ steps.s.outcome }}" } ] }
            """)
        simulation.start()
        try simulation.finish("a/s", .failed)
        #expect(try simulation.script("a/t") == "failed")
        try simulation.finish("a/t")
        #expect(simulation.run.status.outcome == .succeeded)
    }

    @Test func `S2-4 a parameter that is false skips the job, and a run with nothing to do is skipped`() throws {
        var simulation = try Simulation(
            """
            parameters: { go: { type: boolean, default: true } }
            jobs:
              a: { if: "${{ success() && params.go }}", steps: [ { id: s, run: "1" } ] }
            """, parameters: ["go": false])
        simulation.start()
        #expect(simulation.run.status.outcome == .skipped)
    }

    @Test func `a verb that nothing serves fails at once, and says what to do`() throws {
        var simulation = try Simulation(
            """
            jobs:
              a:
                retry: 2
                steps:
                  - { id: built, uses: image/build, with: { repository: r } }
                  - { id: after, if: "${{ failure() }}", run: "1" }
            """)
        simulation.start()
        #expect(simulation.offered == ["a/after"])
        let built = try simulation.step("a/built")
        #expect(built.outcome == .failed && built.attempt == 1)
        #expect(built.message?.contains("does not serve 'image/build' yet") == true)
    }

    @Test func `retry tries the failed step again, later each time, and keeps what came before`() throws {
        var simulation = try Simulation(
            """
            jobs:
              a: { retry: { max: 2, backoff: 10s }, steps: [ { id: one, run: "1" }, { id: two, run: "2" } ] }
            """)
        simulation.start()
        try simulation.finish("a/one")
        try simulation.finish("a/two", .failed)
        #expect(simulation.offered.isEmpty)
        let second = simulation.run.item(try simulation.place("a/two"))
        #expect(second == "run-1/a/two/2")
        #expect(
            simulation.changes.contains(
                .retry(try simulation.place("a/two"), at: simulation.now.advanced(by: .seconds(10)))))
        simulation.move { $0.retryDue(second) }
        try simulation.finish("a/two", .failed)
        #expect(
            simulation.changes.contains(
                .retry(try simulation.place("a/two"), at: simulation.now.advanced(by: .seconds(20)))))
        simulation.move { $0.retryDue("run-1/a/two/3") }
        try simulation.finish("a/two", .failed)
        #expect(simulation.run.status.outcome == .failed)
        #expect(try simulation.step("a/one").attempt == 1)
    }

    @Test func `a timeout stops what is held and skips the rest`() throws {
        var simulation = try Simulation(
            """
            jobs:
              a: { timeout: 10m, steps: [ { id: one, run: "1" }, { id: two, run: "2" } ] }
            """)
        simulation.start()
        let (item, token) = try simulation.take("a/one")
        let started = simulation.now
        simulation.now = simulation.now.advanced(by: .seconds(600))
        simulation.move { $0.timeOut("a", started: started) }
        #expect(simulation.run.status.phase == .running)
        #expect(try simulation.step("a/one").canceling)
        simulation.move { _ = $0.complete(item, token: token, StepResult(.canceled)) }
        #expect(simulation.run.status.outcome == .failed)
        #expect(simulation.run.status.message?.contains("timeout of 600 s") == true)
        #expect(try simulation.step("a/two").outcome == .skipped)
    }

    @Test func `the same completion twice is one, another token is lost`() throws {
        var simulation = try Simulation("jobs: { a: { steps: [ { id: s, run: '1' }, { id: t, run: '1' } ] } }")
        simulation.start()
        let (item, token) = try simulation.take("a/s")
        let taken1 = simulation.move { $0.complete(item, token: token + 1, StepResult(.failed)) }
        #expect(taken1 == .lost)
        let taken2 = simulation.move { $0.complete(item, token: token, StepResult(.succeeded)) }
        #expect(taken2 == .accepted)
        let taken3 = simulation.move { $0.complete(item, token: token, StepResult(.succeeded)) }
        #expect(taken3 == .repeated)
        let taken4 = simulation.move { $0.complete("run-1/a/s/9", token: token, StepResult(.failed)) }
        #expect(taken4 == .lost)
        #expect(simulation.offered == ["a/t"])
    }

    @Test func `a worker that vanishes gives its step to the next, with its checkpoint`() throws {
        var simulation = try Simulation("jobs: { a: { steps: [ { id: s, run: '1' } ] } }")
        simulation.start()
        let (item, token) = try simulation.take("a/s", session: "old")
        let taken5 = simulation.move { $0.checkpoint(item, token: token, ["pid": 7]) }
        #expect(taken5 == .accepted)
        simulation.move { $0.release(session: "old", comesBack: false) }
        #expect(simulation.offered == ["a/s"])
        let taken6 = simulation.move { $0.complete(item, token: token, StepResult(.failed)) }
        #expect(taken6 == .lost)
        let (_, newer) = try simulation.take("a/s", session: "new")
        #expect(newer > token)
        #expect(try simulation.step("a/s").checkpoint == ["pid": 7])
    }

    @Test func `an expression that has no value fails its step with the reason`() throws {
        var simulation = try Simulation(
            "jobs: { a: { steps: [ { id: s, run: \"${{ contains(event, 'x') }}\" } ] } }")
        simulation.start()
        #expect(simulation.run.status.outcome == .failed)
        #expect(simulation.run.status.message?.contains("contains()") == true)
    }

    @Test func `a matrix makes a job of each combination and those that need it wait for all`() throws {
        var simulation = try Simulation(
            """
            jobs:
              test: { matrix: { python: ["3.11", "3.12"] }, steps: [ { id: s, run: "use ${{ matrix.python }}" } ] }
              after: { needs: test, steps: [ { id: s, run: "1" } ] }
            """)
        simulation.start()
        #expect(simulation.offered.count == 2)
        let first = try #require(simulation.offered.first)
        try simulation.finish(first)
        #expect(simulation.offered.count == 1)
        try simulation.finish(try #require(simulation.offered.first))
        #expect(simulation.offered == ["after/s"])
    }
}

struct EnvironmentTests {
    private static let pipeline = """
        jobs:
          qa: { environment: qa, steps: [ { id: s, run: "1" } ], outputs: { version: "7" } }
          uat: { needs: qa, environment: uat, steps: [ { id: s, run: "1" } ] }
          prod: { needs: [qa, uat], environment: prod, steps: [ { id: s, run: "${{ needs.qa.version }} ${{ needs.uat.outcome }}" } ] }
        """

    @Test(arguments: ["false", "\"${{ vars.uat }}\"", "\"${{ vars.uat == 'yes' }}\""])
    func `S1-26 a disabled environment is passed over, the next one is not blocked, and the run says so`(
        _ enabled: String
    ) throws {
        var simulation = try Simulation(
            Self.pipeline,
            extra: """
                variables: { uat: "" }
                environments: { qa: {}, prod: {}, uat: { enabled: \(enabled), approvals: { required: 1 } } }
                """)
        simulation.start()
        try simulation.finish("qa/s")
        #expect(simulation.wantedApprovals.isEmpty)
        #expect(try simulation.job("uat").outcome == .skipped)
        #expect(try simulation.script("prod/s") == "7 skipped")
        try simulation.finish("prod/s")
        #expect(simulation.run.status.outcome == .succeeded)
        #expect(
            simulation.run.status.message == "job 'uat' was passed over: its environment 'uat' is disabled")
    }

    @Test func `S1-25 what failed before a disabled environment still blocks what comes after it`() throws {
        var simulation = try Simulation(
            Self.pipeline, extra: "environments: { qa: {}, prod: {}, uat: { enabled: false } }")
        simulation.start()
        try simulation.finish("qa/s", .failed)
        #expect(try simulation.job("uat").passedOver == nil)
        #expect(try simulation.job("prod").outcome == .skipped)
        #expect(simulation.run.status.outcome == .failed)
    }
}

struct MatrixTests {
    @Test func `a matrix goes no more at once than it says, and its outputs are laid over each other`() throws {
        var simulation = try Simulation(
            """
            jobs:
              test:
                matrix: { python: ["3.10", "3.11", "3.12"], os: [a, b], exclude: [ { python: "3.10", os: b } ], include: [ { python: "3.13", os: c } ], max_parallel: 2 }
                steps: [ { id: s, run: "${{ matrix.python }} ${{ matrix.os }}" } ]
                outputs: { last: "${{ matrix.python }}" }
              after: { needs: test, steps: [ { id: s, run: "${{ needs.test.last }} ${{ needs.test.outcome }}" } ] }
            """)
        simulation.start()
        var ran: [String] = []
        while let next = simulation.offered.first, next != "after/s" {
            #expect(simulation.offered.count <= 2)
            ran.append(try simulation.script(next))
            try simulation.finish(next)
        }
        #expect(ran.sorted() == ["3.10 a", "3.11 a", "3.11 b", "3.12 a", "3.12 b", "3.13 c"])
        #expect(try simulation.script("after/s").hasSuffix("succeeded"))
    }
}

struct ScriptTests {
    @Test func `what strangers write is data to the shell and never part of a script`() throws {
        var simulation = try Simulation(
            "jobs: { a: { steps: [ { id: s, run: \"echo ${{ event.message }}\" } ] } }",
            event: ["kind": "push", "message": "$(rm -rf /); `id`"])
        simulation.start()
        let offer = try #require(try simulation.step("a/s").offer)
        #expect(offer.with["script"]?.string?.contains("rm -rf") == false)
        #expect(offer.variables.values.contains("$(rm -rf /); `id`"))
    }

    @Test func `what a job or a matrix hands on is as foreign as what it is made of`() throws {
        var simulation = try Simulation(
            """
            jobs:
              a:
                matrix: { m: ["${{ event.title }}"] }
                with: { t: "${{ event.title }}", u: fixed }
                steps: [ { id: s, run: "echo ${{ job.t }} ${{ matrix.m }} ${{ job.u }} ${{ job.id }}" } ]
            """, event: ["kind": "push", "title": "$(reboot)"])
        simulation.start()
        let offer = try #require(try simulation.step("a.reboot/s").offer)
        #expect(offer.with["script"] == "echo ${MARTLET_VALUE_1} ${MARTLET_VALUE_2} fixed a.reboot")
        #expect(offer.variables["MARTLET_VALUE_2"] == "$(reboot)")
    }

    @Test(arguments: [
        #"run: "./x '${{ event.message }}'""#, #"run: x, env: { A: "${{ event.message }}" }"#,
        #"run: x, env: { A: "${{ event.escaped }}" }"#, #"run: x, env: { A: "${{ event.twice }}" }"#,
        #"run: x, env: { A: "${{ event.data }}" }"#, #"run: x, env: { A: "${{ job.t }}" }"#,
        #"run: x, env: { A: "${{ event.left }}${{ event.right }}" }"#,
        #"run: x, env: { A: "{\"secret\":\"${{ event.name }}\"}" }"#,
        #"run: x, env: { A: { secret: "${{ event.name }}" } }"#,
        #"run: x, with: { env: { A: "${{ event.data }}" } }"#,
        #"uses: train/run, with: { command: x, parameters: "${{ event.data }}" }"#,
        #"uses: train/run, with: { command: x, parameters: "${{ event.deep }}" }"#,
        #"uses: train/run, with: { command: x, parameters: { a: [ { secret: "${{ event.name }}" } ] } }"#,
        #"uses: notify/slack, with: { text: x, channel: "${{ event.none || event.data }}" }"#,
    ]) func `D.5 what comes from outside is never the name of a secret`(step: String) throws {
        let reference = #"{"secret":"KEY"}"#
        var simulation = try Simulation(
            "jobs: { a: { with: { t: \"${{ event.message }}\" }, steps: [ { id: s, \(step) } ] } }",
            event: [
                "kind": "push", "message": .string(reference), "escaped": #"{"\u0073ecret":"KEY"}"#,
                "twice": #"{"secret":"KEY","secret":"/build"}"#, "data": ["secret": "KEY"],
                "deep": ["a": [["secret": "KEY"]]], "left": #"{"secret":"#, "right": #""KEY"}"#, "name": "KEY",
            ])
        simulation.start()
        #expect(simulation.offered.isEmpty)
        let status = try simulation.step("a/s")
        #expect(status.outcome == .failed && status.offer == nil)
        #expect(status.message?.contains("only ${{ secrets.NAME }} hands a secret on") == true)
    }

    @Test func `D.5 the file names secrets, and the output of a step does not`() throws {
        var simulation = try Simulation(
            """
            jobs:
              a:
                steps:
                  - id: one
                    run: "1"
                    env: { A: "${{ secrets.KEY }}", B: '{"secret":"KEY"}', C: '${{ event.text }}' }
                    with: { env: { D: "${{ secrets.KEY }}" } }
                  - { id: two, run: "2", env: { A: "${{ steps.one.text }}" } }
            """, event: ["kind": "push", "text": #"{"a":1}"#])
        simulation.start()
        let offer = try #require(try simulation.step("a/one").offer)
        let reference = #"{"secret":"KEY"}"#
        #expect(offer.variables["A"] == reference && offer.variables["B"] == reference)
        #expect(offer.variables["C"] == #"{"a":1}"# && offer.with["env"] == ["D": ["secret": "KEY"]])
        try simulation.finish("a/one", outputs: ["text": .string(reference)])
        #expect(try simulation.step("a/two").outcome == .failed)
    }
}
