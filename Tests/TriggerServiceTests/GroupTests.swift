import Messages
import Store
import Testing

@testable import TriggerService

struct GroupTests {
    private func started(_ concurrency: String, settings: Settings = Settings()) async throws -> Installation {
        let installation = try await Installation.watching(
            """
            martlet: 1
            project: demo
            environments: { prod: { approvals: { required: 1 } } }
            pipelines:
              p: { on: { manual: {} }, concurrency: \(concurrency), jobs: { a: { steps: [ { id: s, run: "1" } ] } } }
              gate: { on: { manual: {} }, jobs: { a: { environment: prod, steps: [ { id: s, run: "1" } ] } } }
            """, settings: settings)
        return installation
    }

    private func ask(_ installation: Installation, _ times: Int, _ pipeline: String = "p") async throws {
        for _ in 0..<times {
            try await installation.command(RunRequested(project: "demo", pipeline: pipeline, parameters: [:]))
        }
    }

    @Test
    func `T16 runs of a group go one after another in their order, also after a restart, and say what they wait for`()
        async throws
    {
        var installation: Installation? = try await started("g")
        let first = try #require(installation)
        try await ask(first, 4)
        let queued = try await first.published(RunQueued.self)
        #expect(queued.map { $0.concurrency?.ahead } == (0..<4).map { count in queued.prefix(count).map(\.run) })
        #expect(queued.last?.concurrency?.group == "demo/g" && queued.last?.attempt == 1)
        // Another process over the same database knows the line.
        let again = try Installation(in: first.folder)
        installation = nil
        let session = try await again.open()
        for number in 1...4 {
            let work = try #require(try await again.claim(session).first)
            #expect(work.run.number == number)
            #expect(try await again.claim(session).isEmpty)
            try await again.complete(work)
        }
        #expect(try await again.published(RunFinished.self).map(\.number) == [1, 2, 3, 4])
    }

    @Test func `T16 versions come to their group in the registry's order, though the first one's commit is read last`()
        async throws
    {
        let installation = try Installation()
        let file = """
            martlet: 1
            project: demo
            pipelines:
              cd:
                on: { model: { registered: true } }
                concurrency: cd
                jobs: { a: { steps: [ { id: s, run: "deploy ${{ event.model.version }}" } ] } }
            """
        let upstream = try await Upstream(in: installation, project: file)
        try await installation.command(RepositoryAddRequested(repository: "demo", url: upstream.path))
        try await installation.look()
        let known = try await upstream.git("rev-parse", "HEAD")
        let unknown = try await upstream.commit(["a": "1"], "more")
        let artifact = ModelArtifact(
            digest: try #require(Digest("sha256:" + String(repeating: "a", count: 64))), size: 1, files: [])
        func registered(_ version: Int, _ sha: String) -> ModelRegistered {
            ModelRegistered(
                model: "demo", version: version, project: "demo", artifact: artifact, metrics: [:], params: [:],
                tags: [:],
                git: GitReference(repository: "demo", url: upstream.path, branch: "main", sha: sha, message: ""))
        }
        // The second is told while the commit of the first is still to be read.
        for (version, sha) in [(1, unknown), (2, known), (3, known)] {
            try await installation.event(
                registered(version, sha), from: .registryService, actor: "pipeline:ci", settling: version == 3)
        }
        let session = try await installation.open()
        for version in 1...3 {
            let work = try #require(try await installation.claim(session).first)
            #expect(expanded(work.with, work.variables) == "deploy \(version)")
            try await installation.complete(work)
        }
    }

    @Test func `cancel-older cancels no more than make room`() async throws {
        let installation = try await started("{ group: g, max: 2, on_conflict: cancel-older }")
        try await ask(installation, 3)
        #expect(try await installation.published(RunFinished.self).map(\.number) == [1])
        #expect(try await installation.published(RunStarted.self).map(\.number) == [1, 2, 3])
    }

    @Test func `cancel-older waits for the worker of the older one`() async throws {
        let installation = try await started("{ group: g, on_conflict: cancel-older }")
        try await ask(installation, 1)
        let session = try await installation.open()
        let held = try #require(try await installation.claim(session).first)
        try await ask(installation, 1)
        #expect(try await installation.published(RunStarted.self).map(\.number) == [1])
        #expect(try await installation.published(RunCancelBegun.self).map(\.number) == [1])
        try await installation.complete(held, StepResult(.canceled))
        #expect(try await installation.published(RunStarted.self).map(\.number) == [1, 2])
    }

    @Test func `a queued run can be canceled, and those behind it move up`() async throws {
        let installation = try await started("g")
        try await ask(installation, 3)
        let second = try await installation.published(RunQueued.self)[1].run
        try await installation.command(RunCancelRequested(run: second, reason: "not needed"))
        #expect(try await installation.published(RunCancelBegun.self).isEmpty)
        let session = try await installation.open()
        for number in [1, 3] {
            let work = try #require(try await installation.claim(session).first)
            #expect(work.run.number == number)
            try await installation.complete(work)
        }
    }

    @Test func `runs that wait for people take nobody's place`() async throws {
        var settings = Settings()
        settings.runsAtOnce = 2
        let installation = try await started("g", settings: settings)
        try await ask(installation, 5, "gate")
        #expect(try await installation.published(ApprovalRequested.self).count == 5)
        try await ask(installation, 1)
        let session = try await installation.open()
        #expect(try await installation.claim(session).map(\.run.pipeline) == ["p"])
        let approval = try #require(try await installation.published(ApprovalRequested.self).first)
        try await installation.command(
            ApprovalAnswered(approval: approval.approval, approve: true, groups: []), by: "user:bob")
        #expect(try await installation.claim(session).map(\.run.pipeline) == ["gate"])
    }

    @Test func `a thousand runs that end at once end without a stack for each`() async throws {
        let installation = try await Installation.watching(
            """
            martlet: 1
            project: demo
            pipelines:
              held: { on: { manual: {} }, concurrency: g, jobs: { a: { steps: [ { id: s, run: "1" } ] } } }
              none: { on: { manual: {} }, concurrency: g, jobs: { a: { if: "${{ false }}", steps: [ { run: "1" } ] } } }
            """)
        try await ask(installation, 1, "held")
        try await ask(installation, 300, "none")
        let work = try #require(try await installation.claim(try await installation.open()).first)
        try await installation.complete(work)
        #expect(try await installation.published(RunFinished.self).count { $0.outcome == .skipped } == 300)
    }

    @Test func `claims go by the age of runs across verbs`() async throws {
        let installation = try await Installation.watching(
            """
            martlet: 1
            project: demo
            pipelines:
              b: { on: { manual: {} }, jobs: { a: { steps: [ { id: s, uses: acme/b } ] } } }
              a: { on: { manual: {} }, jobs: { a: { steps: [ { id: s, uses: acme/a } ] } } }
              z: { on: { manual: {} }, jobs: { a: { steps: [ { id: s, uses: other/z } ] } } }
            """)
        for pipeline in ["z", "b", "a", "b"] { try await ask(installation, 1, pipeline) }
        let session = try await installation.open(verbs: ["acme/*"])
        #expect(try await installation.claim(session, max: 2).map(\.verb) == ["acme/b", "acme/a"])
        #expect(try await installation.claim(session, max: 2).map(\.verb) == ["acme/b"])
        let both = try await installation.open("both", verbs: ["other/z", "acme/a"])
        #expect(try await installation.claim(both).map(\.verb) == ["other/z"])
    }
}
