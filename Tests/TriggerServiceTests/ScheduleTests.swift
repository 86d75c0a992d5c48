import GRDB
import Messages
import Store
import Testing

@testable import TriggerService

private func project(_ schedule: String, pipeline: String = "nightly") -> String {
    """
    martlet: 1
    project: demo
    pipelines:
      \(pipeline):
        on: { schedule: \(schedule), manual: {} }
        jobs: { a: { steps: [ { id: s, run: "echo ${{ event.due }} ${{ event.kind }}" } ] } }
    """
}

/// The test's clock begins on 15 January 2027, a Friday, at 8:00 UTC.
struct ScheduleTests {
    private func started(_ text: String) async throws -> (Installation, Upstream) {
        let installation = try Installation()
        let upstream = try await Upstream(in: installation, project: text)
        try await installation.command(RepositoryAddRequested(repository: "demo", url: upstream.path))
        try await installation.look()
        return (installation, upstream)
    }

    private func dues(_ installation: Installation) async throws -> [String] {
        try await installation.published(ScheduleTicked.self).map { String($0.due.text.dropFirst(8).prefix(8)) }
    }

    @Test func `a schedule that cannot be read is not looked at for ever, and the others fire`() async throws {
        let (installation, _) = try await started(project("'30 9 * * *'"))
        try await installation.store.write { transaction in
            try transaction.db.execute(
                sql: """
                    INSERT INTO schedule (project, pipeline, cron, time_zone, catch_up, next)
                    VALUES ('demo', 'nightly', 'whenever', 'UTC', 'last', 0)
                    """)
        }
        installation.advance(.seconds(5400))
        for _ in 0..<2 { try await installation.tick() }
        let now = try await installation.store.write { $0.now }
        let next = try await installation.store.read { try ScheduleQueries.next(at: now, in: $0) }
        #expect(try await dues(installation) == ["15T09:30"] && (next ?? now) > now)
        // The file is asked again at the next start.
        let older = try await installation.store.write { try $0.projectsOfOlderSchedules().map(\.name) }
        #expect(older == ["demo"])
    }

    @Test func `a schedule that a wrong clock sent ahead is put right also while nobody watches its repository`()
        async throws
    {
        let (installation, _) = try await started(project("'30 9 * * *'"))
        try await installation.command(RepositoryRemoveRequested(repository: "demo"))
        let now = try await installation.store.write { $0.now }
        let wrong = now.advanced(by: .seconds(3 * 86_400)).milliseconds
        try await installation.store.write { transaction in
            try transaction.db.execute(sql: "UPDATE schedule SET last = ?, next = ?", arguments: [wrong, wrong])
            #expect(transaction.db.changesCount == 1)
        }
        try await installation.tick()
        let next = try await installation.store.read { try ScheduleQueries.next(at: now, in: $0) }
        #expect(next == now.advanced(by: .seconds(5400)))
    }

    @Test func `T5 a schedule starts its pipeline at the commit of the default branch, once a tick`() async throws {
        let (installation, upstream) = try await started(project("'30 9 * * *'"))
        try await installation.tick()
        #expect(try await installation.published(ScheduleTicked.self).isEmpty)
        installation.advance(.seconds(5400))
        for _ in 0..<3 { try await installation.tick() }
        let ticked = try #require(try await installation.published(ScheduleTicked.self).first)
        #expect(try await dues(installation) == ["15T09:30"] && ticked.missed == 0)
        #expect(try await ticked.sha == upstream.git("rev-parse", "HEAD"))
        #expect(ticked.branch == "main")
        let queued = try await installation.published(RunQueued.self)
        #expect(queued.map(\.pipeline) == ["nightly"])
        let work = try #require(try await installation.claim(try await installation.open()).first)
        #expect(expanded(work.with, work.variables) == "echo 2027-01-15T09:30:00.000Z schedule")
        #expect(work.causation.actor == "pipeline:nightly")
    }

    @Test(arguments: [
        ("none", [String]()), ("last", ["16T07:15"]), ("all", ["15T20:15", "16T02:15", "16T07:15"]),
    ])
    func `T6 what was missed while the service was away`(_ catchUp: String, _ expected: [String]) async throws {
        let (installation, _) = try await started(project("{ cron: '15 2,7,14,20 * * *', catch_up: \(catchUp) }"))
        // 14:15 was in time; then nobody was there.
        installation.advance(.seconds(22_510))
        try await installation.tick()
        installation.advance(.seconds(66_600))
        try await installation.tick()
        #expect(try await dues(installation) == ["15T14:15"] + expected)
        let missed = try await installation.published(ScheduleMissed.self)
        #expect(missed.map(\.count) == (catchUp == "none" ? [3] : []))
        if catchUp == "none" {
            let verdict = try await installation.published(TriggerIgnored.self).last
            #expect(verdict?.code == "missed_tick" && verdict?.pipeline == "nightly")
        }
        // The clock goes back an hour: nothing comes again.
        installation.advance(.seconds(-3600))
        try await installation.tick()
        installation.advance(.seconds(3600))
        try await installation.tick()
        #expect(try await dues(installation) == ["15T14:15"] + expected)
    }

    @Test(arguments: [("none", [String]()), ("last", ["17T09:30"])])
    func `T6 a clock that was three days ahead is not waited for, whether or not what it missed fired`(
        _ catchUp: String, _ early: [String]
    ) async throws {
        let (installation, _) = try await started(project("{ cron: '30 9 * * *', catch_up: \(catchUp) }"))
        installation.jump(.seconds(3 * 86_400))
        try await installation.tick()
        #expect(try await dues(installation) == early)
        installation.jump(.seconds(-3 * 86_400))
        try await installation.tick()
        installation.advance(.seconds(5400))
        try await installation.tick()
        #expect(try await dues(installation) == early + ["15T09:30"])
    }

    @Test func `a changed file takes its schedules with it, and one that stays keeps its next tick`() async throws {
        let (installation, upstream) = try await started(project("[ { cron: '0 9 * * *' }, { cron: '0 10 * * *' } ]"))
        installation.advance(.seconds(3000))
        try await upstream.commit(
            ["martlet.yml": project("[ { cron: '0 9 * * *', catch_up: all }, { cron: '0 11 * * *' } ]")], "second")
        try await installation.look()
        installation.advance(.seconds(4 * 3600))
        try await installation.tick()
        #expect(try await dues(installation).sorted() == ["15T09:00", "15T11:00"])
    }

    @Test func `schedules of another branch do not fire`() async throws {
        let (installation, upstream) = try await started(project("'0 9 * * *'"))
        try await upstream.git("checkout", "-q", "-b", "topic")
        try await upstream.commit(["martlet.yml": project("'0 10 * * *'")], "on a branch")
        try await installation.look()
        installation.advance(.seconds(3 * 3600))
        try await installation.tick()
        #expect(try await dues(installation) == ["15T09:00"])
    }

    @Test func `a repository that is not watched has no ticks, and goes on when it is watched again`() async throws {
        let (installation, upstream) = try await started(project("{ cron: '0 * * * *', catch_up: all }"))
        try await installation.command(RepositoryRemoveRequested(repository: "demo"))
        installation.advance(.seconds(3 * 3600))
        try await installation.tick()
        #expect(try await dues(installation).isEmpty)
        try await installation.command(RepositoryAddRequested(repository: "demo", url: upstream.path))
        installation.advance(.seconds(3600))
        try await installation.tick()
        #expect(try await dues(installation) == ["15T12:00"])
    }

    @Test func `more ticks than fit into one transaction all come, in order`() async throws {
        let (installation, _) = try await started(project("{ cron: '* * * * *', catch_up: all }"))
        installation.advance(.seconds(120 * 60))
        try await installation.tick()
        let due = try await installation.published(ScheduleTicked.self).map(\.due)
        #expect(due.count == 120 && due == due.sorted() && Set(due).count == 120)
    }

    @Test func `a database from before takes the schedules of its projects up, once`() async throws {
        let (installation, _) = try await started(project("'0 9 * * *'"))
        let dispatcher = installation.dispatcher
        func follow(form: Int) async throws -> Int? {
            try await installation.store.write { transaction in
                try transaction.db.execute(sql: "DELETE FROM schedule")
                try transaction.db.execute(sql: "UPDATE project SET schedules_form = ?", arguments: [form])
                try dispatcher.followStored(transaction)
                return try Int.fetchOne(transaction.db, sql: "SELECT count(*) FROM schedule")
            }
        }
        #expect(try await follow(form: StoredSchedule.form) == 0)
        #expect(try await follow(form: 0) == 1)
        installation.advance(.seconds(3600))
        try await installation.tick()
        #expect(try await dues(installation) == ["15T09:00"])
    }
}
