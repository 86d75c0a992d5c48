import Bus
import Messages
import Store
import Testing

@testable import TriggerService

struct CountdownTests {
    private struct World {
        let installation: Installation
        let session: String
        let work: StepWork

        /// A worker holds the step of a job.
        init(_ job: String) async throws {
            installation = try await Installation.watching(
                "martlet: 1\nproject: demo\npipelines: { p: { on: { push: {} }, jobs: { a: { \(job) } } } }")
            session = try await installation.open(verbs: ["acme/*"])
            work = try #require(try await installation.claim(session).first)
        }

        /// Whether its worker was told to stop the step.
        var isStopped: Bool {
            get async throws {
                try await installation.settle()
                return try await installation.published(StepCancelRequested.self).contains { $0.item == work.item }
            }
        }
    }

    static let timeouts = [
        ("timeout: 10m, steps: [ { uses: acme/x } ]", 600), ("steps: [ { uses: acme/x, timeout: 570s } ]", 600),
    ]

    @Test(arguments: timeouts)
    func `a clock that is set an hour forward ends nothing, and the time goes on`(
        _ job: String, _ seconds: Int
    ) async throws {
        let world = try await World(job)
        world.installation.jump(.seconds(3600))
        #expect(try await !world.isStopped)
        world.installation.advance(.seconds(seconds - 10))
        #expect(try await !world.isStopped)
        world.installation.advance(.seconds(10))
        #expect(try await world.isStopped)
    }

    @Test(arguments: timeouts)
    func `a clock that is set an hour back puts nothing off`(_ job: String, _ seconds: Int) async throws {
        let world = try await World(job)
        world.installation.jump(.seconds(-3600))
        world.installation.advance(.seconds(seconds - 10))
        await world.installation.reminders.hasten()
        #expect(try await !world.isStopped)
        world.installation.advance(.seconds(12))
        await world.installation.reminders.hasten()
        #expect(try await world.isStopped)
    }

    @Test func `a wait before the next attempt is as long as it was said`() async throws {
        let world = try await World("retry: { max: 1, backoff: 60s }, steps: [ { uses: acme/x } ]")
        try await world.installation.complete(world.work, StepResult(.failed))
        world.installation.jump(.seconds(3600))
        try await world.installation.settle()
        #expect(try await world.installation.claim(world.session).isEmpty)
        world.installation.advance(.seconds(60))
        try await world.installation.settle()
        let session = try await world.installation.open(verbs: ["acme/*"])
        #expect(try await world.installation.claim(session).map(\.attempt) == [2])
    }

    @Test func `a worker that was told to stop has five minutes of the time that passes`() async throws {
        let world = try await World("steps: [ { uses: acme/x } ]")
        try await world.installation.command(RunCancelRequested(run: world.work.run.id))
        #expect(try await world.isStopped)
        world.installation.jump(.seconds(3600))
        world.installation.advance(.seconds(290))
        try await world.installation.settle()
        #expect(try await world.installation.published(RunFinished.self).isEmpty)
        world.installation.advance(.seconds(10))
        try await world.installation.settle()
        #expect(try await world.installation.published(RunFinished.self).map(\.outcome) == [.canceled])
        #expect(try await world.installation.complete(world.work).status == 409)
    }

    @Test func `a worker that confirms is not counted for any more`() async throws {
        let world = try await World("steps: [ { uses: acme/x } ]")
        try await world.installation.command(RunCancelRequested(run: world.work.run.id))
        try await world.installation.complete(world.work, StepResult(.canceled))
        world.installation.advance(.seconds(3600))
        #expect(world.installation.dispatcher.countdowns.over.isEmpty)
        let left = try await world.installation.store.dueIntents(
            at: Timestamp(milliseconds: .max), kinds: [IntentKind.stepConfirmation], limit: 1)
        #expect(left.due.isEmpty)
    }

    @Test func `after a restart the wall clock counts`() async throws {
        let world = try await World("timeout: 10m, steps: [ { uses: acme/x } ]")
        let again = try Installation(in: world.installation.folder)
        again.jump(.seconds(3600))
        try await again.settle()
        #expect(try await again.published(StepCancelRequested.self).map(\.item) == [world.work.item])
    }

    @Test func `an approval does not expire before the date that people were told`() async throws {
        let installation = try await Installation.watching(
            """
            martlet: 1
            project: demo
            environments: { prod: { approvals: { required: 1, timeout: 2h } } }
            pipelines: { p: { on: { push: {} }, jobs: { a: { environment: prod, steps: [ { run: x } ] } } } }
            """)
        let approval = try #require(try await installation.published(ApprovalRequested.self).first).approval
        installation.jump(.seconds(-3600))
        installation.advance(.seconds(7200))
        // As when the wait for it began anew with the new time.
        try await installation.store.write { transaction in
            try transaction.hasten(IntentKind.expiry, id: approval)
        }
        try await installation.settle()
        #expect(try await installation.published(ApprovalFinished.self).isEmpty)
        installation.advance(.seconds(3600))
        try await installation.settle()
        #expect(try await installation.published(ApprovalFinished.self).map(\.result) == [.expired])
    }

    @Test func `what ended in time is not counted any more`() async throws {
        let world = try await World("timeout: 10m, steps: [ { uses: acme/x, timeout: 5m } ]")
        try await world.installation.complete(world.work)
        world.installation.advance(.seconds(3600))
        #expect(world.installation.dispatcher.countdowns.over.isEmpty)
        #expect(try await !world.isStopped)
    }
}
