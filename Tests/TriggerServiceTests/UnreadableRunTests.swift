import Bus
import GRDB
import Messages
import Store
import Testing

@testable import TriggerService

/// A run that cannot be read is over and told so: it holds up nobody else.
struct UnreadableRunTests {
    private static let second = "(SELECT id FROM run WHERE number = 2)"
    private static let noFile = file("''")

    private static func file(_ digest: String) -> String {
        "UPDATE run SET facts = CAST(json_set(CAST(facts AS TEXT), '$.fileDigest', \(digest)) AS BLOB)"
    }

    private func started(_ more: String = "") async throws -> Installation {
        var settings = Settings()
        settings.runsAtOnce = 1
        return try await Installation.watching(
            """
            martlet: 1
            project: demo
            model: { name: churn }
            environments: { prod: { approvals: { required: 1 } } }
            pipelines:
              p:
                on: { manual: {} }
                jobs: { a: { steps: [ { id: s, run: "1" } ] } }
                \(more)
              after:
                on: { pipeline: { name: p, conclusion: failed } }
                jobs: { a: { steps: [ { id: s, run: "1" } ] } }
              ask:
                on: { manual: {} }
                jobs: { a: { environment: prod, steps: [ { id: s, run: "1" } ] } }
              starts:
                on: { manual: {} }
                jobs: { a: { steps: [ { id: s, uses: pipeline/start, with: { pipeline: p, wait: true } } ] } }
            """, settings: settings)
    }

    private func ask(_ installation: Installation, _ pipeline: String, _ times: Int = 1) async throws {
        for _ in 0..<times {
            try await installation.command(RunRequested(project: "demo", pipeline: pipeline, parameters: [:]))
        }
    }

    private func damage(_ installation: Installation, _ sql: String, _ values: [String] = []) async throws {
        try await installation.store.write { try $0.db.execute(sql: sql, arguments: StatementArguments(values)) }
    }

    @Test(arguments: [
        ("UPDATE run SET facts = x'00' WHERE number = 2", "is damaged"),
        ("UPDATE step SET body = x'00' WHERE run = \(second)", "is damaged"),
        ("UPDATE step SET job = 7 WHERE run = \(second)", "is damaged"),
        ("\(noFile) WHERE number = 2", "not in the database any more"),
        ("UPDATE job SET id = 'b' WHERE run = \(second)", "reads other jobs"),
    ])
    func `a queued run that cannot be read fails, and those behind it go on`(sql: String, words: String) async throws {
        let installation = try await started("concurrency: g")
        try await ask(installation, "p", 3)
        let session = try await installation.open()
        let first = try #require(try await installation.claim(session).first)
        try await damage(installation, sql)
        #expect(try await installation.complete(first).status == 200)
        let ended = try await installation.published(RunFinished.self)
        #expect(ended.map(\.number) == [1, 2] && ended.map(\.outcome) == [.succeeded, .failed])
        let message = try #require(ended.last?.message)
        #expect(message.hasPrefix("the run cannot go on: ") && message.contains(words))
        #expect(try await installation.claim(session).map(\.run.number) == [3])
    }

    @Test func `what waits for a run that cannot be read hears of its end, and it can be run again later`()
        async throws
    {
        let installation = try await started()
        try await ask(installation, "p", 2)
        let digest = try await installation.store.write { transaction in
            try #require(try String.fetchOne(transaction.db, sql: "SELECT digest FROM project_file"))
        }
        try await damage(installation, "\(Self.noFile) WHERE number = 2")
        let session = try await installation.open()
        try await installation.complete(try #require(try await installation.claim(session).first))
        let lost = try #require(try await installation.published(RunFinished.self).last)
        #expect(lost.outcome == .failed)
        #expect(try await installation.published(JobFinished.self).last?.outcome == .canceled)
        let next = try #require(try await installation.claim(session).first)
        #expect(next.run.pipeline == "after")
        try await installation.complete(next)
        // Still not to be read: the wish is refused, with the reason.
        let refused = try await installation.command(RunRetryRequested(run: lost.run, all: false))
        #expect(try await installation.answer(to: refused).reason?.contains("not in the database any more") == true)
        try await damage(installation, "\(Self.file("?")) WHERE id = ?", [digest, lost.run])
        try await installation.command(RunRetryRequested(run: lost.run, all: false))
        try await installation.complete(try #require(try await installation.claim(session).first))
        #expect(try await installation.published(RunFinished.self).last?.outcome == .succeeded)
    }

    @Test func `a step of a run that cannot be read keeps no worker from the others`() async throws {
        let installation = try await started()
        try await ask(installation, "p")
        let session = try await installation.open()
        try await damage(installation, "UPDATE run SET facts = x'00'")
        try await ask(installation, "p")
        let works = try await installation.claim(session) + installation.claim(session)
        let work = try #require(works.first)
        #expect(work.run.number == 2)
        let lost = try #require(try await installation.published(RunFinished.self).first?.run)
        let refused = try await installation.command(RunRetryRequested(run: lost, all: false))
        #expect(try await installation.answer(to: refused).reason?.contains("is damaged: start another") == true)
        // One that a worker holds is over when its session is.
        try await damage(installation, "\(Self.noFile) WHERE number = 2")
        let next = try Installation(in: installation.folder)
        try await next.store.write { try next.dispatcher.end(session, comesBack: false, $0) }
        #expect(try await next.published(RunFinished.self).map(\.outcome) == [.failed, .failed])
        #expect(try await next.published(StepCancelRequested.self).map(\.item) == [work.item])
        #expect(try await next.published(StepFinished.self).map(\.outcome) == [.canceled])
    }

    @Test func `what a worker says of a damaged run ends the run, and the worker has room for another`() async throws {
        let installation = try await started()
        try await ask(installation, "p", 2)
        let session = try await installation.open()
        let work = try #require(try await installation.claim(session).first)
        try await damage(installation, "UPDATE run SET facts = x'00' WHERE number = 1")
        #expect(try await installation.complete(work).status == 409)
        #expect(try await installation.published(RunFinished.self).map(\.outcome) == [.failed])
        #expect(try await installation.claim(session).map(\.run.number) == [2])
    }

    @Test func `an approval that nobody answered expires, also of a damaged run`() async throws {
        let installation = try await started()
        try await ask(installation, "ask")
        try await damage(installation, "UPDATE run SET facts = x'00'")
        installation.advance(.seconds(31 * 86_400))
        try await installation.settle()
        #expect(try await installation.published(ApprovalFinished.self).map(\.result) == [.expired])
        #expect(try await installation.published(RunFinished.self).map(\.outcome) == [.failed])
    }

    @Test func `an approval of a run that cannot be read is closed, and the event that concerns others is handled`()
        async throws
    {
        let installation = try await started()
        try await ask(installation, "ask")
        let asked = try #require(try await installation.published(ApprovalRequested.self).first)
        // As where the job has a `recheck`.
        try await damage(installation, "UPDATE approval SET model = 'churn'")
        try await damage(installation, "UPDATE run SET facts = x'00'")
        try await installation.event(
            ModelStageChanged(model: "churn", version: 2, to: "production", replaced: [], reason: "r"),
            from: .registryService, actor: "user:ann")
        let ended = try #require(try await installation.published(ApprovalFinished.self).first)
        #expect(ended.approval == asked.approval && ended.result == .canceled)
        #expect(try await installation.published(RunFinished.self).map(\.outcome) == [.failed])
        let late = try await installation.command(
            ApprovalAnswered(approval: asked.approval, approve: true, groups: []), by: "user:bob")
        #expect(try await installation.answer(to: late).accepted == false)
    }

    @Test(arguments: ["UPDATE run SET facts = x'00' WHERE pipeline = 'p'", "\(noFile) WHERE pipeline = 'p'"])
    func `a step that waits for a run that cannot be read has failed`(sql: String) async throws {
        let installation = try await started()
        try await ask(installation, "starts")
        #expect(try await installation.published(RunStarted.self).count == 2)
        try await damage(installation, sql)
        let next = try Installation(in: installation.folder)
        _ = try await next.claim(try await next.open())
        let ended = try await next.published(RunFinished.self)
        #expect(ended.map(\.pipeline) == ["p", "starts"] && ended.map(\.outcome) == [.failed, .failed])
        #expect(ended.last?.message?.contains("the run cannot go on") == true)
    }
}
