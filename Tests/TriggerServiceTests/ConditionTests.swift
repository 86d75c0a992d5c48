import Messages
import Testing

@testable import TriggerService

struct ConditionTests {
    private static func chain(_ condition: String) -> String {
        """
        jobs:
          train: { steps: [ { id: s, run: "1" } ] }
          deploy: { needs: train, environment: prod, steps: [ { id: s, run: "1" } ] }
          check: { needs: deploy, steps: [ { id: s, run: "1" } ] }
          tell:
            needs: check
            if: ${{ \(condition) }}
            steps: [ { id: t, run: "1" }, { id: mend, if: "${{ failure() }}", run: "1" } ]
        """
    }

    private static let approvals = "environments: { prod: { approvals: { required: 1 } } }"

    @Test(arguments: [("failure()", true), ("always()", true), ("success()", false), ("rejected()", false)])
    func `C-18 failure() sees what failed before a job that was skipped`(condition: String, holds: Bool) throws {
        var simulation = try Simulation(Self.chain(condition), extra: Self.approvals)
        simulation.start()
        try simulation.finish("train/s", .failed)
        #expect(try simulation.job("check").outcome == .skipped)
        #expect(simulation.offered == (holds ? ["tell/t"] : []))
        if holds {
            try simulation.finish("tell/t")
            // Of the steps of its own job none failed.
            #expect(try simulation.step("tell/mend").outcome == .skipped)
        }
        #expect(simulation.run.status.outcome == .failed)
        #expect(simulation.run.status.failedStep == "train/s")
    }

    @Test(arguments: [("failure()", true), ("rejected()", true), ("success()", false)])
    func `A6 rejected() sees who said no before a job that was skipped`(condition: String, holds: Bool) throws {
        var simulation = try Simulation(Self.chain(condition), extra: Self.approvals)
        simulation.start()
        try simulation.finish("train/s")
        let approval = try #require(simulation.wantedApprovals.first)
        simulation.move { $0.approvalEnded(approval, .rejected, by: "user:bob", comment: nil) }
        #expect(try simulation.job("check").outcome == .skipped)
        #expect(simulation.offered == (holds ? ["tell/t"] : []))
    }

    @Test func `nothing failed where all went well or was not wanted`() throws {
        var simulation = try Simulation(Self.chain("failure()"), extra: Self.approvals)
        simulation.start()
        try simulation.finish("train/s", .notPromoted)
        #expect(try simulation.job("tell").outcome == .skipped)
        #expect(simulation.run.status.outcome == .notPromoted)
    }

    @Test func `a deployment is not passed over because nobody said whether it is wanted`() async throws {
        let installation = try await Installation.watching(
            """
            martlet: 1
            project: demo
            variable_groups: [shared]
            environments: { uat: { enabled: "${{ vars.UAT }}" } }
            pipelines:
              p: { on: { manual: {} }, jobs: { deploy: { environment: uat, steps: [ { run: "true" } ] } } }
            """)
        let wish = RunRequested(project: "demo", pipeline: "p", parameters: [:])
        let refused = try await installation.answer(to: try await installation.command(wish))
        #expect(!refused.accepted && refused.reason?.contains("no value for vars.UAT") == true)
        try installation.keep(group: "shared", "UAT=\n")
        let taken = try await installation.answer(to: try await installation.command(wish))
        #expect(taken.accepted)
        let finished = try #require(try await installation.published(RunFinished.self).last)
        #expect(finished.outcome == .skipped && finished.message?.contains("was passed over") == true)
    }
}
