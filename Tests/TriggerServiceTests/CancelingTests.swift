import Messages
import Testing

@testable import TriggerService

struct CancelingTests {
    private static let pipeline = """
        jobs:
          a: { steps: [ { id: one, run: "1" }, { id: two, if: "${{ always() }}", run: "2" } ] }
          b: { needs: a, if: "${{ always() }}", steps: [ { id: s, run: "1" } ] }
        """

    @Test func `a queued run that is canceled is over at once`() throws {
        var simulation = try Simulation(Self.pipeline)
        simulation.move { $0.cancel("canceled by user:ann") }
        #expect(simulation.run.status.outcome == .canceled)
        #expect(simulation.run.status.message == "canceled by user:ann")
    }

    @Test func `a held step is told to stop, and the run is canceled when its worker confirms`() throws {
        var simulation = try Simulation(Self.pipeline)
        simulation.start()
        let (item, token) = try simulation.take("a/one")
        simulation.move { $0.cancel("enough") }
        #expect(simulation.run.status.phase == .running)
        #expect(simulation.changes.contains(.cancelRequested(try simulation.place("a/one"), reason: "enough")))
        #expect(simulation.changes.contains(.cancelBegun([try simulation.place("a/one")], reason: "enough")))
        #expect(try simulation.job("b").outcome == .canceled)
        simulation.move { _ = $0.complete(item, token: token, StepResult(.canceled)) }
        #expect(simulation.run.status.outcome == .canceled)
        #expect(try simulation.step("a/two").outcome == .canceled)
    }

    @Test func `an offered step that nobody took is canceled without a worker`() throws {
        var simulation = try Simulation(Self.pipeline)
        simulation.start()
        simulation.move { $0.cancel("enough") }
        #expect(simulation.run.status.outcome == .canceled)
        #expect(simulation.offered.isEmpty)
    }

    @Test func `a worker that vanishes after it was told to stop has stopped, one that comes back confirms`() throws {
        for comesBack in [false, true] {
            var simulation = try Simulation(Self.pipeline)
            simulation.start()
            try simulation.take("a/one", session: "old")
            simulation.move { $0.cancel("enough") }
            simulation.move { $0.release(session: "old", comesBack: comesBack) }
            #expect((simulation.run.status.outcome == .canceled) == !comesBack)
            guard comesBack else { continue }
            let (item, token) = try simulation.take("a/one", session: "new")
            #expect(try simulation.step("a/one").canceling)
            simulation.move { _ = $0.complete(item, token: token, StepResult(.canceled)) }
            #expect(simulation.run.status.outcome == .canceled)
        }
    }

    @Test func `run again begins with the failed job and what builds on it, and keeps what succeeded`() throws {
        var simulation = try Simulation(
            """
            jobs:
              train: { steps: [ { id: s, run: "1" } ], outputs: { version: "${{ steps.s.version }}" } }
              deploy: { needs: train, steps: [ { id: s, run: "use ${{ needs.train.version }}" }, { id: t, run: "1" } ] }
              tell: { needs: deploy, if: "${{ always() }}", steps: [ { id: s, run: "1" } ] }
            """)
        simulation.start()
        try simulation.finish("train/s", outputs: ["version": 3])
        try simulation.finish("deploy/s")
        try simulation.finish("deploy/t", .failed)
        try simulation.finish("tell/s")
        #expect(simulation.run.status.outcome == .failed)
        simulation.run.retry(all: false, plan: simulation.plan)
        #expect(simulation.run.status.phase == .queued)
        simulation.start()
        #expect(simulation.offered == ["deploy/s"])
        #expect(simulation.run.item(try simulation.place("deploy/s")) == "run-1/deploy/s/2")
        #expect(try simulation.script("deploy/s") == "use 3")
        try simulation.finish("deploy/s")
        try simulation.finish("deploy/t")
        try simulation.finish("tell/s")
        #expect(simulation.run.status.outcome == .succeeded)
        simulation.run.retry(all: true, plan: simulation.plan)
        simulation.start()
        #expect(simulation.offered == ["train/s"])
    }
}
