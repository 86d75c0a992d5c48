import Messages
import ServiceKit
import Testing

@testable import TriggerService

struct FigureTests {
    private let project = """
        martlet: 1
        project: demo
        pipelines:
          p:
            on: { push: { branches: [release] }, manual: {} }
            jobs: { a: { steps: [ { run: "1" } ] } }
        """

    @Test func `how long a step waits is told while it waits, and once it is taken`() async throws {
        let installation = try Installation()
        let upstream = try await Upstream(in: installation, project: project)
        try await installation.command(RepositoryAddRequested(repository: "demo", url: upstream.path))
        try await installation.look()
        #expect(await installation.metrics.render().contains("martlet_steps_offered 0.0\n"))
        try await installation.command(RunRequested(project: "demo", pipeline: "p", parameters: [:]))
        installation.advance(.seconds(40))
        let waiting = await installation.metrics.render()
        #expect(waiting.contains("martlet_steps_offered 1.0\n"))
        #expect(waiting.contains("martlet_steps_offered_oldest_seconds 40.0\n"))
        let worker = try await installation.open("trainer")
        #expect(try await installation.claim(worker).count == 1)
        let taken = await installation.metrics.render()
        #expect(taken.contains("martlet_steps_offered 0.0\n"))
        #expect(taken.contains("martlet_steps_offered_oldest_seconds 0.0\n"))
        #expect(taken.contains(#"martlet_step_queue_duration_seconds_sum{verb="run"} 40.0"#))
        #expect(taken.contains(#"martlet_step_queue_duration_seconds_count{verb="run"} 1.0"#))
        #expect(taken.contains(#"martlet_trigger_verdicts_total{verdict="matched"} 1.0"#))
        #expect(taken.contains(#"martlet_trigger_verdicts_total{verdict="branch_filter"} 1.0"#))
    }
}
