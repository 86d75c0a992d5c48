import Messages
import ProjectFile
import Testing

@testable import TriggerService

/// A variable of a process for each name: `git_sha: "${{ git.sha }}"`.
private func asking(_ roots: [Expression.Root]) -> String {
    names(roots).map { root, name in "\(root)_\(name): \"${{ \(root).\(name) }}\"" }.joined(separator: ", ")
}

private func names(_ roots: [Expression.Root]) -> [(root: String, name: String)] {
    roots.flatMap { root in (root.members ?? []).map { (root: root.rawValue, name: $0) } }
}

private let project = """
    martlet: 1
    project: demo
    model: { name: demo-model, champion: latest }
    environments: { dev: {}, prod: {} }
    variables: { table: "${{ env.name }}_x" }
    pipelines:
      ci:
        on: { push: {} }
        environment: dev
        concurrency: "${{ run.pipeline }}-${{ env.name }}-${{ git.branch }}"
        jobs:
          a:
            matrix: { where: ["${{ run.pipeline }} ${{ env.name }} ${{ vars.table }}"] }
            steps: [ { id: s, run: "${{ vars.table }}", env: { \(asking([.git, .run, .env, .model])) } } ]
          b:
            needs: a
            environment: prod
            matrix: { where: ["${{ run.pipeline }} ${{ env.name }} ${{ vars.table }}"] }
            steps: [ { id: s, run: "${{ vars.table }}" } ]
      cd:
        on: { pipeline: { name: ci } }
        jobs: { c: { steps: [ { id: s, run: "1", env: { \(asking([.upstream])) } } ] } }
    """

struct ReferenceTests {
    private func started() async throws -> (installation: Installation, upstream: Upstream) {
        let installation = try Installation()
        let upstream = try await Upstream(in: installation, project: project)
        try await installation.command(RepositoryAddRequested(repository: "demo", url: upstream.path))
        try await installation.look()
        return (installation, upstream)
    }

    private func next(_ job: String, _ installation: Installation, _ session: String) async throws -> StepWork {
        let work = try #require(try await installation.claim(session, max: 1).first)
        #expect(work.job.hasPrefix(job))
        try await installation.complete(work)
        return work
    }

    private func empty(_ work: StepWork, _ roots: [Expression.Root]) -> [String] {
        names(roots).filter { work.variables["\($0.root)_\($0.name)"]?.isEmpty != false }.map(\.name)
    }

    @Test func `D.5 every name that the reader knows has a value in a run`() async throws {
        let (installation, upstream) = try await started()
        let session = try await installation.open()
        for job in ["a", "b"] { _ = try await next(job, installation, session) }
        let downstream = try await next("c", installation, session)
        #expect(empty(downstream, [.upstream]).isEmpty)
        try await upstream.commit(["x": "1"], "second")
        try await installation.look()
        let work = try await next("a", installation, session)
        // It is no tag's.
        #expect(empty(work, [.git, .run, .env, .model]) == ["tag"])
    }

    @Test func `D.5 the reader knows every name that a run has`() throws {
        let simulation = try Simulation("jobs: { a: { steps: [ { run: x } ] } }")
        #expect(Set(simulation.run.facts.reference.keys) == Set(Expression.Root.run.members ?? []))
        var git = try #require(simulation.run.facts.git)
        git.ref = "refs/tags/v1"
        let members = try #require(RunFacts.members(git).object)
        #expect(Set(members.keys) == Set(Expression.Root.git.members ?? []))
    }

    @Test func `a group and a matrix know run and environment, and a job the variables of its own`() async throws {
        let (installation, _) = try await started()
        let queued = try #require(try await installation.published(RunQueued.self).first)
        #expect(queued.concurrency?.group == "demo/ci-dev-main")
        #expect(queued.jobs.map(\.id) == ["a.ci-dev-dev_x", "b.ci-prod-prod_x"])
        let session = try await installation.open()
        #expect(try await next("a", installation, session).with["script"] == "dev_x")
        #expect(try await next("b", installation, session).with["script"] == "prod_x")
    }
}
