import Messages
import Testing

@testable import TriggerService

private let project = """
    martlet: 1
    project: demo
    environments: { prod: { approvals: { required: 1 } } }
    pipelines:
      release:
        on: { manual: {} }
        parameters: { wait: { type: boolean, default: false }, pipeline: { type: string, default: image } }
        jobs:
          a:
            steps:
              - { id: before, run: "1" }
              - id: start
                uses: pipeline/start
                with: { pipeline: "${{ params.pipeline }}", wait: "${{ params.wait }}", parameters: { model: "m-${{ steps.before.n }}" } }
              - { id: after, run: "${{ steps.start.number }} ${{ steps.start.run_outcome }}" }
      image:
        on: { manual: {} }
        parameters: { model: { type: string, required: true } }
        jobs:
          build: { steps: [ { id: s, run: "build ${{ params.model }}" } ], outputs: { tag: "${{ steps.s.tag }}" } }
      strict:
        on: { manual: {} }
        parameters: { model: { type: number, required: true } }
        jobs: { a: { steps: [ { run: "1" } ] } }
      loop:
        on: { manual: {} }
        parameters: { model: { type: string } }
        jobs: { a: { steps: [ { uses: pipeline/start, with: { pipeline: loop } } ] } }
      chain:
        on: { manual: {} }
        jobs: { a: { steps: [ { uses: pipeline/start, with: { pipeline: chain, wait: true } } ] } }
      circle:
        on: { manual: {} }
        concurrency: one
        parameters: { model: { type: string } }
        jobs: { a: { steps: [ { uses: pipeline/start, with: { pipeline: circle, wait: true } } ] } }
      slow:
        on: { manual: {} }
        jobs: { a: { steps: [ { id: s, uses: pipeline/start, timeout: 60s, with: { pipeline: image, wait: true, parameters: { model: m } } } ] } }
    """

struct PipelineStartTests {
    private struct World {
        let installation: Installation
        let session: String

        init() async throws {
            installation = try await Installation.watching(project)
            session = try await installation.open()
        }

        /// The first step of `release` is done: its `pipeline/start` has its turn.
        func release(_ parameters: [String: JSONValue] = [:]) async throws -> String {
            let command = try await installation.command(
                RunRequested(project: "demo", pipeline: "release", parameters: parameters))
            let run = try #require(try await installation.answer(to: command).run)
            let work = try #require(try await installation.claim(session).first)
            try await installation.complete(work, StepResult(.succeeded, outputs: ["n": 7]))
            return run
        }

        func queued(_ pipeline: String) async throws -> [RunQueued] {
            try await installation.published(RunQueued.self).filter { $0.pipeline == pipeline }
        }

        func finished(_ run: String) async throws -> RunFinished? {
            try await installation.published(RunFinished.self).last { $0.run == run }
        }

        func start() async throws -> StepFinished? {
            try await installation.published(StepFinished.self).last { $0.verb == "pipeline/start" }
        }
    }

    @Test func `a step starts another pipeline with parameters, in the name of who began, and goes on`() async throws {
        let world = try await World()
        let run = try await world.release()
        let image = try #require(try await world.queued("image").first)
        #expect(image.parameters["model"] == "m-7")
        #expect(try await world.start()?.outputs["run"]?.string == image.run)
        let works = try await world.installation.claim(world.session)
        #expect(works.map { expanded($0.with, $0.variables) } == ["1 ", "build m-7"])
        #expect(works.allSatisfy { $0.run.git?.sha == works.first?.run.git?.sha })
        try await world.installation.complete(try #require(works.first))
        #expect(try await world.finished(run)?.outcome == .succeeded)
        let matched = try #require(
            try await world.installation.published(TriggerMatched.self).last { $0.pipeline == "image" })
        let causes = try await world.installation.envelopes().filter { $0.id == matched.cause }
        #expect(causes.map(\.type) == [StepStarted.eventType])
    }

    @Test func `the start taken once more is a run of its own, and no step hears of it`() async throws {
        let world = try await World()
        let run = try await world.release(["wait": true])
        let cause = try #require(
            try await world.installation.published(TriggerMatched.self).last { $0.pipeline == "image" }
        ).cause
        let wish = try await world.installation.command(ReplayRequested(event: cause))
        #expect(try await world.installation.answer(to: wish).accepted)
        #expect(try await world.queued("image").count == 2)
        for build in try await world.installation.claim(world.session) {
            try await world.installation.complete(build, StepResult(.succeeded, outputs: ["tag": "v1"]))
        }
        #expect(try await world.installation.published(StepFinished.self).count { $0.verb == "pipeline/start" } == 1)
        #expect(try await world.finished(run) == nil)
    }

    @Test(arguments: [Outcome.succeeded, .failed, .notPromoted])
    func `with wait it ends when the other run ends, and as that does`(_ outcome: Outcome) async throws {
        let world = try await World()
        let run = try await world.release(["wait": true])
        let build = try #require(try await world.installation.claim(world.session).first)
        #expect(build.run.pipeline == "image")
        #expect(try await world.start() == nil)
        try await world.installation.complete(build, StepResult(outcome, outputs: ["tag": "v1"], message: "so"))
        let start = try #require(try await world.start())
        #expect(start.outcome == outcome && start.outputs["outputs"]?["build"]?["tag"] == "v1")
        #expect(start.message?.contains("ended \(outcome.rawValue)") == true)
        guard outcome == .succeeded else {
            #expect(try await world.finished(run)?.outcome == outcome)
            return
        }
        let after = try #require(try await world.installation.claim(world.session).first)
        #expect(expanded(after.with, after.variables) == "1 succeeded")
    }

    @Test(arguments: [("strict", "'m-7' is not a number"), ("none", "no pipeline 'none'")])
    func `S4-14 a start that fails fails its step, with the reason`(_ pipeline: String, _ reason: String) async throws {
        let world = try await World()
        let run = try await world.release(["pipeline": .string(pipeline)])
        let start = try #require(try await world.start())
        #expect(start.outcome == .failed)
        #expect(start.message?.hasPrefix("starting the pipeline '\(pipeline)' failed: ") == true)
        #expect(start.message?.contains(reason) == true, "\(start.message ?? "")")
        #expect(try await world.finished(run)?.failedStep == "a/start")
    }

    @Test func `T22 a pipeline that starts itself is stopped`() async throws {
        let world = try await World()
        try await world.installation.command(RunRequested(project: "demo", pipeline: "loop", parameters: [:]))
        let verdict = try await world.installation.published(TriggerIgnored.self).last
        #expect(verdict?.code == "loop_detected")
        let runs = try await world.queued("loop").count
        #expect(runs > 2 && runs < 20)
        #expect(try await world.installation.published(RunFinished.self).count == runs)
    }

    @Test func `T22 a chain as long as may be, each run waiting for the next, ends from the innermost outwards`()
        async throws
    {
        let world = try await World()
        try await world.installation.command(RunRequested(project: "demo", pipeline: "chain", parameters: [:]))
        let verdict = try await world.installation.published(TriggerIgnored.self).last
        #expect(verdict?.code == "loop_detected")
        let ended = try await world.installation.published(RunFinished.self)
        #expect(ended.count == (try await world.queued("chain").count) && ended.count > 2)
        #expect(ended.map(\.number) == (1...ended.count).reversed() && ended.allSatisfy { $0.outcome == .failed })
    }

    @Test func `many starts in one job begin one after another, each once`() async throws {
        let starts = Array(repeating: "{ uses: pipeline/start, with: { pipeline: q } }", count: 40)
        let installation = try await Installation.watching(
            """
            martlet: 1
            project: demo
            pipelines:
              p: { on: { manual: {} }, jobs: { a: { steps: [ \(starts.joined(separator: ", ")) ] } } }
              q: { on: { manual: {} }, jobs: { a: { steps: [ { run: "1" } ] } } }
            """)
        try await installation.command(RunRequested(project: "demo", pipeline: "p", parameters: [:]))
        #expect(try await installation.published(RunFinished.self).map(\.outcome) == [.succeeded])
        let queued = try await installation.published(RunQueued.self).filter { $0.pipeline == "q" }
        #expect(queued.map(\.number) == Array(1...40))
    }

    @Test func `a run is not started that would wait for the one that waits for it`() async throws {
        let world = try await World()
        try await world.installation.command(RunRequested(project: "demo", pipeline: "circle", parameters: [:]))
        #expect(try await world.start()?.message?.contains("would wait for it") == true)
        #expect(try await world.installation.published(RunFinished.self).map(\.outcome) == [.failed])
    }

    @Test func `canceling reaches the run that is waited for, and both end when its worker has confirmed`() async throws
    {
        let world = try await World()
        let run = try await world.release(["wait": true])
        let build = try #require(try await world.installation.claim(world.session).first)
        try await world.installation.command(RunCancelRequested(run: run, reason: "enough"))
        #expect(
            try await world.installation.published(RunCancelBegun.self).map(\.waitsFor) == [["a/start"], ["build/s"]])
        #expect(try await world.installation.published(StepCancelRequested.self).contains { $0.item == build.item })
        #expect(try await world.finished(run) == nil)
        try await world.installation.complete(build, StepResult(.canceled))
        #expect(try await world.finished(build.run.id)?.outcome == .canceled)
        #expect(try await world.finished(run)?.outcome == .canceled)
    }

    @Test func `a timeout ends the wait and cancels what was waited for`() async throws {
        let world = try await World()
        try await world.installation.command(RunRequested(project: "demo", pipeline: "slow", parameters: [:]))
        let build = try #require(try await world.installation.claim(world.session).first)
        world.installation.advance(.seconds(61))
        try await world.installation.settle()
        #expect(try await world.start()?.message == "it took longer than its timeout of 60 s")
        #expect(try await world.installation.published(StepCancelRequested.self).contains { $0.item == build.item })
        #expect(try await world.installation.published(RunFinished.self).map(\.pipeline) == ["slow"])
    }

    @Test func `a run that waits for another takes nobody's place`() async throws {
        var settings = Settings()
        settings.runsAtOnce = 1
        let installation = try await Installation.watching(project, settings: settings)
        try await installation.command(RunRequested(project: "demo", pipeline: "slow", parameters: [:]))
        let build = try #require(try await installation.claim(try await installation.open()).first)
        try await installation.complete(build)
        #expect(try await installation.published(RunFinished.self).map(\.pipeline) == ["image", "slow"])
    }

    @Test func `a commit that has to be read first is read, and the step waits for it`() async throws {
        let installation = try Installation()
        let upstream = try await Upstream(
            in: installation,
            project: """
                martlet: 1
                project: demo
                pipelines:
                  p:
                    on: { manual: {} }
                    jobs: { a: { steps: [ { uses: pipeline/start, with: { pipeline: q, branch: next } } ] } }
                  q: { on: { manual: {} }, jobs: { a: { steps: [ { run: "old" } ] } } }
                """)
        try await upstream.git("checkout", "-q", "-b", "next")
        let sha = try await upstream.commit(
            [
                "martlet.yml": """
                martlet: 1
                project: demo
                pipelines: { q: { on: { manual: {} }, jobs: { a: { steps: [ { run: "1" } ] } } }, p: { on: { manual: {} }, jobs: { a: { steps: [ { run: "1" } ] } } } }
                """
            ], "next")
        try await upstream.git("checkout", "-q", "main")
        try await installation.command(RepositoryAddRequested(repository: "demo", url: upstream.path))
        try await installation.look()
        try await installation.command(RunRequested(project: "demo", pipeline: "p", parameters: [:]))
        let queued = try #require(try await installation.published(RunQueued.self).last)
        #expect(queued.pipeline == "q" && queued.git?.sha == sha && queued.git?.branch == "next")
        #expect(try await installation.published(RunFinished.self).map(\.outcome) == [.succeeded])
    }
}
