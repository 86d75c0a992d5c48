import Messages
import Testing

@testable import TriggerService

private let project = """
    martlet: 1
    project: demo
    pipelines:
      ci:
        on: { push: { branches: [main] }, manual: { parameters: { word: { type: string } } } }
        jobs: { a: { steps: [ { id: s, run: "echo ${{ event.replayof }}" } ] } }
      cd:
        on: { pipeline: ci }
        jobs: { a: { steps: [ { id: s, run: "echo ${{ upstream.run.number }}" } ] } }
    """

struct ReplayTests {
    private func started() async throws -> (Installation, session: String, work: StepWork) {
        let installation = try Installation()
        let upstream = try await Upstream(in: installation, project: project)
        try await installation.command(RepositoryAddRequested(repository: "demo", url: upstream.path))
        try await installation.look()
        let session = try await installation.open()
        let work = try #require(try await installation.claim(session).first)
        return (installation, session, work)
    }

    @Test func `C-21 T23 a replayed push is another cause about the same commit, and says so`() async throws {
        let (installation, session, first) = try await started()
        try await installation.complete(first)
        let push = try #require(try await installation.envelopes().first { $0.type == ChangePushed.eventType })
        let id = try await installation.command(
            ReplayRequested(event: push.id, email: "bob@example.org"), by: "user:bob")
        let queued = try await installation.published(RunQueued.self).filter { $0.pipeline == "ci" }
        #expect(queued.count == 2 && queued[1].cause == id && queued[0].git?.sha == queued[1].git?.sha)
        #expect(try await installation.answer(to: id).run == queued[1].run)
        let works = try await installation.claim(session)
        let work = try #require(works.first { $0.run.id == queued[1].run })
        #expect(expanded(work.with, work.variables) == "echo \(push.id)")
        // Asked for again it is a third one.
        try await installation.command(ReplayRequested(event: push.id))
        #expect(try await installation.published(RunQueued.self).count { $0.pipeline == "ci" } == 3)
    }

    @Test func `C-21 a finished run that is replayed starts what follows it once more`() async throws {
        let (installation, _, first) = try await started()
        try await installation.complete(first)
        let finished = try #require(try await installation.envelopes().first { $0.type == RunFinished.eventType })
        #expect(try await installation.published(RunQueued.self).count { $0.pipeline == "cd" } == 1)
        let id = try await installation.command(ReplayRequested(event: finished.id))
        #expect(try await installation.answer(to: id).accepted)
        #expect(try await installation.published(RunQueued.self).count { $0.pipeline == "cd" } == 2)
    }

    @Test func `a replayed command keeps its parameters`() async throws {
        let (installation, _, _) = try await started()
        let asked = try await installation.command(
            RunRequested(project: "demo", pipeline: "ci", parameters: ["word": "x"]))
        let id = try await installation.command(ReplayRequested(event: asked), by: "user:bob")
        let run = try #require(try await installation.published(RunQueued.self).last)
        #expect(run.cause == id && run.parameters == ["word": "x"])
        #expect(try await installation.answer(to: id).run == run.run)
    }

    @Test func `what is no cause cannot be replayed`() async throws {
        let (installation, _, _) = try await started()
        let queued = try #require(try await installation.envelopes().first { $0.type == RunQueued.eventType })
        let answer = try await installation.answer(
            to: try await installation.command(ReplayRequested(event: queued.id)))
        #expect(!answer.accepted && answer.reason?.contains("there is no cause '\(queued.id)'") == true)
    }
}
