import GRDB
import Messages
import Store
import Testing

@testable import Console

struct WhyNotTests {
    @Test func `P8 what no verdict is stored for has its answer all the same`() async throws {
        let chronicle = try Chronicle()
        for (project, pipelines) in [("churn", ["train", "deploy"]), ("iris", ["deploy", "other"])] {
            try await chronicle.say(
                ProjectLoaded(
                    project: project, repository: project, sha: git.sha, digest: "d", pipelines: pipelines, models: [],
                    notifications: [], targets: [:]),
                id: "loaded-\(project)", key: project)
        }
        let tagged = try await chronicle.say(
            ModelTagged(model: "churn", version: 1, set: ["a": "b"], removed: []), id: "tagged", key: "churn")
        let finished = try await chronicle.say(
            RunFinished(
                run: "r", number: 1, project: "churn", pipeline: "train", branch: nil, sha: nil, outcome: .succeeded,
                message: nil, failedStep: nil, seconds: 1, outputs: [:]),
            id: "finished")
        let push = try await chronicle.say(RunCancelRequested(run: "r"), id: "cancel")
        try await chronicle.store.read { db in
            let silent = try SilentVerdicts.verdict(on: tagged, pipeline: "deploy", db)
            #expect(silent?["code"] == "no_trigger" && silent?["project"] == "churn")
            #expect(silent?["reason"] == "'deploy' has nothing under 'on:' that listens to model.tagged")
            #expect(try SilentVerdicts.verdict(on: finished, pipeline: "deploy", db)?["code"] == "no_trigger")
            let other = try SilentVerdicts.verdict(on: finished, pipeline: "other", db)
            #expect(other?["code"] == "other_project" && other?["reason"] == "the event is of project 'churn'")
            #expect(try SilentVerdicts.verdict(on: push, pipeline: "deploy", db) == nil)
        }
    }

    @Test(arguments: [
        "change.commented", "change.pull_request_merged", "change.pull_request_closed", "change.release_published",
        "change.branch_created", "change.branch_deleted",
    ])
    func `P8 what a forge tells of is held against a pipeline of its repository, whether or not it listens`(
        _ name: String
    ) async throws {
        let chronicle = try await twoProjects()
        let told = Self.event("dev.martlet.\(name).v1", ["repository": "iris-code"])
        try await chronicle.store.read { db in
            let verdict = try SilentVerdicts.verdict(on: told, pipeline: "deploy", db)
            #expect(verdict?["code"] == "no_trigger" && verdict?["project"] == "iris")
            #expect(verdict?["reason"]?.string?.contains("listens to \(name)") == true)
            let other = try SilentVerdicts.verdict(on: told, pipeline: "train", db)
            #expect(other?["code"] == "other_project")
            #expect(other?["reason"] == "the event is of repository 'iris-code'")
        }
    }

    @Test func `P8 so is what another program tells of, whatever its data call a project`() async throws {
        let chronicle = try await twoProjects()
        let told = Self.event("com.acme.data.arrived", ["project": "theirs", "repository": "theirs"])
        try await chronicle.store.read { db in
            let verdict = try SilentVerdicts.verdict(on: told, pipeline: "train", db)
            #expect(verdict?["code"] == "no_trigger" && verdict?["project"] == "churn")
            #expect(try SilentVerdicts.verdict(on: told, pipeline: "none", db) == nil)
        }
    }

    private func twoProjects() async throws -> Chronicle {
        let chronicle = try Chronicle()
        for (project, pipelines) in [("churn", ["train", "deploy"]), ("iris", ["deploy", "other"])] {
            try await chronicle.say(
                ProjectLoaded(
                    project: project, repository: "\(project)-code", sha: git.sha, digest: "d", pipelines: pipelines,
                    models: [], notifications: [], targets: [:]),
                id: "loaded-\(project)", key: project)
        }
        return chronicle
    }

    private static func event(_ type: String, _ data: JSONValue) -> Envelope {
        Envelope(
            id: "told", source: "/acme", type: type, subject: "x", time: Timestamp(milliseconds: 1_800_000_000_000),
            partitionkey: "x", causation: .first(actor: "user:ann"), data: data)
    }

    @Test func `T12 what waited for others has the verdict that came after, and the run tells of all its causes`()
        async throws
    {
        let chronicle = try Chronicle()
        try await chronicle.pushToProduction()
        let data = try await chronicle.say(ModelTagged(model: "churn", version: 1, set: [:], removed: []), id: "data")
        let waiting = TriggerIgnored(
            cause: "data", causeType: ModelTagged.eventType, project: "churn", pipeline: "train", code: "waiting",
            reason: "labels is still missing")
        try await chronicle.say(waiting, id: "waiting", because: data)
        func verdict() async throws -> JSONValue? {
            try await chronicle.store.read { db in
                try ListQueries.verdicts(pipeline: "train", cause: "data", Page(), db)["items"]?[0]
            }
        }
        #expect(try await verdict()?["code"] == "waiting")
        try await chronicle.say(
            TriggerMatched(
                cause: "data", causeType: ModelTagged.eventType, project: "churn", pipeline: "train", run: "run-1",
                reason: "all that it waits for has come"),
            id: "complete", because: data)
        #expect(try await verdict()?["run"] == "run-1")
        // Nothing comes after that.
        try await chronicle.say(waiting, id: "again", because: data)
        #expect(try await verdict()?["code"] == "matched")
        let answer = try await chronicle.store.read { db in try WhyQueries.answer("run-1", db) }
        let path = (answer["lines"]?.array ?? []).filter { $0["onPath"] == true }.compactMap { $0["event"]?.string }
        #expect(Set(path).isSuperset(of: ["push", "matched", "data", "complete", "queued"]))
    }

    @Test func `P8 an event's verdicts and a delivery's events are found by their indexes`() async throws {
        let chronicle = try Chronicle()
        let plan = try await chronicle.store.read { db in
            var asked: [String] = []
            db.trace { if case .statement(let one) = $0 { asked.append(one.expandedSQL) } }
            _ = try ListQueries.verdicts(pipeline: "train", cause: "push", Page(), db)
            _ = try EventQueries.told(byDelivery: "d-1", db)
            db.trace(options: [])
            return try asked.flatMap { sql in
                try Row.fetchAll(db, sql: "EXPLAIN QUERY PLAN \(sql)").map { row -> String in row["detail"] }
            }
        }
        let searched = Set(
            plan.filter { $0.hasPrefix("SEARCH") || $0.contains("SCAN verdicts") || $0.contains("SCAN events") })
        #expect(
            searched == [
                "SEARCH verdicts USING INDEX sqlite_autoindex_verdicts_1 (cause>? AND cause<?)",
                "SEARCH events USING INDEX events_delivery (<expr>=?)",
            ])
    }

    @Test(arguments: [
        ("9223372036854775807", 0), ("-9223372036854775808", 1), ("-999", 1), ("9223372036854775808", 1), ("x", 1),
    ])
    func `a place in a listing that nobody was given ends nothing`(after: String, listed: Int) async throws {
        try await Desk.open { desk in
            try await desk.chronicle.pushToProduction()
            try await desk.chronicle.say(
                TriggerIgnored(
                    cause: "push", causeType: ChangePushed.eventType, project: "churn", pipeline: "nightly",
                    code: "branch_filter", reason: "main is not in release/*"), id: "ignored")
            let token = try await desk.newToken("viewer")
            func ask(_ path: String) async throws -> (status: Int, json: JSONValue) {
                try await desk.ask("GET", "/api/v1" + path, token: token)
            }
            let verdicts = try await ask("/why-not?pipeline=nightly&event=push&after=\(after)")
            if listed == 1 {
                #expect(verdicts.json["items"]?[0]?["code"] == "branch_filter")
            } else {
                // Beyond the last: what no verdict is stored for is answered, or said to be no cause.
                #expect([200, 404].contains(verdicts.status))
            }
            let models = try await ask("/models?after=\(after)")
            #expect(models.status == 200 && models.json["items"]?.array?.count == listed)
        }
    }

    @Test func `C-21 what was taken once more has the story of what it repeats`() async throws {
        let chronicle = try Chronicle()
        let tick = try await chronicle.say(
            ScheduleTicked(
                project: "churn", pipeline: "train", cron: "0 9 * * *", timeZone: "UTC", due: chronicle.now, missed: 2,
                repository: "churn", branch: "main", sha: git.sha),
            id: "tick")
        var again = Envelope(
            id: "again", source: "/martlet/console", type: ReplayRequested.eventType, subject: "event/tick",
            time: chronicle.now, partitionkey: "tick", causation: .first(actor: "user:Lee"), replayof: tick.id,
            data: ["event": "tick"])
        again.time = Timestamp(milliseconds: tick.time.milliseconds + 1000)
        try await chronicle.take(again, at: LogPosition(source: .console, epoch: 1, seq: 1))
        let answer = try await chronicle.store.read { db in try WhyQueries.answer("again", db) }
        let lines = (answer["lines"]?.array ?? []).compactMap { $0["text"]?.string }
        #expect(lines.count == 2 && lines.first?.hasPrefix("schedule '0 9 * * *' (UTC) of train ticked") == true)
        #expect(lines.last == "user:Lee asked to take event tick once more")
    }
}
