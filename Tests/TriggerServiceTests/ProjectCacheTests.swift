import Bus
import Foundation
import GRDB
import Messages
import ProjectFile
import Store
import Testing

@testable import TriggerService

private let project = """
    martlet: 1
    project: demo
    pipelines:
      p:
        on: { push: {}, manual: {} }
        jobs: { a: { steps: [ { id: s, run: "true" } ] } }
    """

struct ProjectCacheTests {
    private func started() async throws -> Installation {
        let installation = try Installation()
        let upstream = try await Upstream(in: installation, project: project)
        try await installation.command(RepositoryAddRequested(repository: "demo", url: upstream.path))
        try await installation.look()
        return installation
    }

    private func plan() throws -> RunPlan {
        let read = ProjectReader.read(
            [ProjectDocument(path: "martlet.yml", text: project)], repositoryName: "demo")
        let project = try read.get()
        let scope = try project.baseScope()
        return try RunPlan(project, pipeline: "p", in: { _ in scope })
    }

    @Test func `a run's plan is made once`() async throws {
        let installation = try await started()
        let run = try #require(try await installation.published(RunQueued.self).first?.run)
        let session = try await installation.open()
        let work = try #require(try await installation.claim(session).first)
        #expect(installation.dispatcher.projects.plan(run) != nil)
        // From spoiled texts no plan can be made again: the run goes on with the one it has.
        try await installation.store.write { try $0.db.execute(sql: "UPDATE project_file SET files = x'00'") }
        #expect(try await installation.complete(work).status == 200)
        #expect(try await installation.published(RunFinished.self).last?.outcome == .succeeded)
    }

    @Test func `a project file is read once`() async throws {
        let installation = try await started()
        let digest = try await installation.store.write { transaction in
            try #require(try String.fetchOne(transaction.db, sql: "SELECT digest FROM project_file"))
        }
        let cache = ProjectCache()
        _ = try await installation.store.write { try cache.project(digest, repository: "demo", in: $0).get() }
        try await installation.store.write { try $0.db.execute(sql: "UPDATE project_file SET files = x'00'") }
        let again = try await installation.store.write { try cache.project(digest, repository: "demo", in: $0).get() }
        #expect(again.name == "demo")
        await #expect(throws: (any Error).self) {
            try await installation.store.write { _ = try cache.project(digest, repository: "other", in: $0) }
        }
    }

    @Test func `what goes by a file that only younger rules refuse goes on`() async throws {
        let first = try await started()
        let triggers = "push: {}, event: [ { type: run.finished }, { type: com.acme.x } ]"
        let older = try Wire.encode(["martlet.yml": project.replacing("push: {}", with: triggers)])
        try await first.store.write { transaction in
            try transaction.db.execute(sql: "UPDATE project_file SET files = ?", arguments: [older])
        }
        // The next version has read nothing yet.
        let next = try Installation(in: first.folder)
        let work = try #require(try await next.claim(try await next.open()).first)
        try await next.complete(work)
        #expect(try await next.published(RunFinished.self).last?.outcome == .succeeded)
        let event: JSONValue = [
            "specversion": "1.0", "id": "x1", "source": "/acme", "type": "com.acme.x", "data": ["n": 1],
        ]
        let reply = try await next.request("publish", body: [try Wire.encode(event)], user: "acme")
        #expect(reply.status == 200)
        try await next.settle()
        #expect(try await next.published(RunQueued.self).map(\.cause).last == "x1")
    }

    @Test func `plans are kept within bounds, and the one not asked for longest goes first`() throws {
        let (cache, plan) = (ProjectCache(), try plan())
        for number in 1...ProjectCache.most { cache.keep(plan, of: "r\(number)") }
        #expect(cache.plan("r1") != nil)
        cache.keep(plan, of: "new")
        #expect(cache.plan("r2") == nil && cache.plan("r1") != nil && cache.plan("new") != nil)
    }
}
