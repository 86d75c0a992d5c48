import Foundation
import Messages
import ServiceKit
import Store
import Testing

@testable import Console

struct ProjectionTests {
    @Test func `a run shows its jobs and steps as they go`() async throws {
        let chronicle = try Chronicle()
        try await chronicle.pushToProduction()
        let run = try #require(try await chronicle.store.read { db in try RunQueries.show("run-1", db) })
        #expect(run["state"] == "finished")
        #expect(run["outcome"] == "succeeded")
        #expect(run["sha"] == .string(git.sha))
        let steps = run["jobs"]?[0]?["steps"]
        #expect(steps?[0]?["state"] == "finished", "nothing of a run outlives it")
        #expect(steps?[1]?["state"] == "waiting")
        #expect(run["decisions"]?[0]?["challengerValue"] == 3000.5)
        #expect(run["versions"]?[0]?["version"] == 2)
    }

    @Test func `the same position twice changes nothing`() async throws {
        let chronicle = try Chronicle()
        let event = try await chronicle.say(
            RepositoryAdded(repository: "churn", url: "/a", pollSeconds: 5), id: "one")
        try await chronicle.say(
            RepositoryUnreachable(repository: "churn", reason: "gone", attempts: 2, nextAttempt: chronicle.now),
            id: "two")
        try await chronicle.take(event, at: LogPosition(source: .triggerService, epoch: 1, seq: 1))
        #expect(try await chronicle.list("SELECT id FROM events").count == 2)
        #expect(try await chronicle.one("SELECT state FROM repositories")?["state"] == "unreachable")
    }

    @Test func `an unreachable repository is shown with its reason until it recovers`() async throws {
        let chronicle = try Chronicle()
        try await chronicle.say(RepositoryAdded(repository: "churn", url: "/a", pollSeconds: 5), id: "1")
        try await chronicle.say(
            RepositoryUnreachable(
                repository: "churn", reason: "no such folder", attempts: 3, nextAttempt: chronicle.now),
            id: "2")
        let sql = "SELECT state, reason FROM repositories"
        #expect(try await chronicle.one(sql) == ["state": "unreachable", "reason": "no such folder"])
        try await chronicle.say(RepositoryRecovered(repository: "churn"), id: "3")
        #expect(try await chronicle.one(sql) == ["state": "watched", "reason": nil])
    }

    @Test func `a rejected project file is shown with all its errors until one holds`() async throws {
        let chronicle = try Chronicle()
        try await chronicle.say(RepositoryAdded(repository: "churn", url: "/a", pollSeconds: 5), id: "1")
        let error = FileError(file: "martlet.yml", line: 3, column: 5, message: "unknown key 'stpes'")
        try await chronicle.say(ProjectRejected(repository: "churn", sha: "abc", errors: [error, error]), id: "2")
        let shown = try await chronicle.one("SELECT errors_json FROM repositories")
        #expect(shown?["errors"]?.array?.count == 2)
        #expect(shown?["errors"]?[0]?["line"] == 3)
        // What somebody proposes is not what the repository has.
        try await chronicle.say(
            ProjectRejected(repository: "churn", sha: "abe", errors: [error], pullRequest: 2), id: "proposed")
        #expect(try await chronicle.one("SELECT rejected_sha FROM repositories")?["rejectedSha"] == "abc")
        try await chronicle.say(
            ProjectLoaded(
                project: "churn", repository: "churn", sha: "abd", digest: "d", pipelines: ["train"], models: [],
                notifications: [], targets: [:]),
            id: "3")
        #expect(try await chronicle.one("SELECT errors_json FROM repositories")?["errors"] == .null)
    }

    @Test func `a project that is over is not listed any more`() async throws {
        let chronicle = try Chronicle()
        for name in ["churn", "renamed"] {
            try await chronicle.say(
                ProjectLoaded(
                    project: name, repository: "churn", sha: "abd", digest: "d", pipelines: ["train"], models: [],
                    notifications: [], targets: [:]),
                id: "loaded-\(name)")
        }
        try await chronicle.say(
            ProjectRetired(project: "churn", repository: "churn", sha: "abd", successor: "renamed"), id: "retired")
        let names = try await chronicle.store.read { db in try ListQueries.projectNames(db) }
        #expect(names == ["renamed"])
    }

    @Test func `C-3 the history says what was production at any time`() async throws {
        let chronicle = try Chronicle()
        for version in 1...2 {
            try await chronicle.say(
                ModelRegistered(
                    model: "churn", version: version, artifact: artifact, metrics: [:], params: [:], tags: [:]),
                id: "registered-\(version)", key: "churn")
        }
        let before = chronicle.now
        try await chronicle.say(
            ModelStageChanged(model: "churn", version: 1, to: "production", replaced: [], reason: "first"), id: "a")
        let first = chronicle.now
        try await chronicle.say(
            ModelStageChanged(
                model: "churn", version: 2, to: "production",
                replaced: [StageMove(version: 1, from: "production", to: "surpassed")], reason: "better"), id: "b")
        let later = chronicle.now
        func stages(_ time: Timestamp) async throws -> [JSONValue?] {
            try await chronicle.store.read { db in
                try ModelQueries.at("churn", time.advanced(by: .milliseconds(-1)).text, db).map { $0["stage"] }
            }
        }
        #expect(try await stages(before) == [nil, nil].map { _ in JSONValue.null })
        #expect(try await stages(first) == ["production", .null])
        #expect(try await stages(later) == ["surpassed", "production"])
        #expect(try await chronicle.store.read { db in try ModelQueries.resolve("churn", "Production", db) } == 2)
    }

    @Test func `an approval shows all who set off its run`() async throws {
        let chronicle = try Chronicle()
        for (id, others) in [("a-1", nil), ("a-2", ["user:ann", "user:lee"])] as [(String, [String]?)] {
            try await chronicle.say(
                ApprovalRequested(
                    approval: id, run: "run-1", job: "deploy", project: "churn", pipeline: "train",
                    environment: "production", required: 1, from: [], requester: "user:kim", otherRequesters: others,
                    requesterMayApprove: false, expires: chronicle.now), id: "asked-\(id)")
        }
        let shown = try await chronicle.list("SELECT * FROM approvals ORDER BY id")
        #expect(shown.map { $0["requester"] } == ["user:kim", "user:kim"])
        #expect(shown.map { $0["otherRequesters"] } == [.null, ["user:ann", "user:lee"]])
    }

    @Test func `S0-20 all versions of a stage are listed`() async throws {
        let chronicle = try Chronicle()
        for version in 1...3 {
            try await chronicle.say(
                ModelRegistered(
                    model: "churn", version: version, artifact: artifact, metrics: [:], params: [:], tags: [:]),
                id: "registered-\(version)", key: "churn")
            try await chronicle.say(
                ModelStageChanged(
                    model: "churn", version: version, to: version < 3 ? "Production" : "Staging", replaced: [],
                    reason: "r"), id: "moved-\(version)", key: "churn")
        }
        let models = try await chronicle.store.read { db in try ModelQueries.list(Page(), db) }
        #expect(models["items"]?[0]?["stages"] == ["Production": [1, 2], "Staging": [3]])
    }

    @Test func `S2-15 tags are merged, and removed ones are gone`() async throws {
        let chronicle = try Chronicle()
        try await chronicle.say(
            ModelRegistered(
                model: "churn", version: 1, artifact: artifact, metrics: [:], params: [:], tags: ["a": "1", "b": "2"]),
            id: "1")
        try await chronicle.say(ModelTagged(model: "churn", version: 1, set: ["c": "3"], removed: ["a"]), id: "2")
        #expect(try await chronicle.one("SELECT tags_json FROM versions")?["tags"] == ["b": "2", "c": "3"])
    }

    @Test func `a number that a restored registry gives again shows the new version`() async throws {
        let chronicle = try Chronicle()
        func register(_ run: String, tags: [String: String], id: String) async throws {
            try await chronicle.say(
                ModelRegistered(
                    model: "churn", version: 7, trainingRun: run, artifact: artifact, metrics: [:], params: [:],
                    tags: tags), id: id, key: "churn")
        }
        try await register("old", tags: ["owner": "ada"], id: "1")
        try await chronicle.say(
            ModelStageChanged(model: "churn", version: 7, to: "production", replaced: [], reason: "r"), id: "2")
        try await register("new", tags: [:], id: "3")
        let row = try await chronicle.one("SELECT training_run, stage, tags_json FROM versions")
        #expect(row?["trainingRun"] == "new")
        #expect(row?["stage"]?.string == nil)
        #expect(row?["tags"] == [:])
    }

    @Test func `steps that a finished job never came to are skipped`() async throws {
        let chronicle = try Chronicle()
        try await chronicle.say(
            RunQueued(
                run: "run-1", number: 1, project: "churn", pipeline: "train", cause: "x", reason: "y", jobs: plan,
                parameters: [:]), id: "1")
        try await chronicle.say(
            JobFinished(run: "run-1", job: "train", outcome: .failed, message: "boom", outputs: [:]), id: "2")
        let steps = try await chronicle.list("SELECT outcome FROM steps")
        #expect(steps == [["outcome": "skipped"], ["outcome": "skipped"]])
    }

    @Test func `old events are forgotten, the newest stay`() async throws {
        let chronicle = try Chronicle()
        for number in 1...10 {
            try await chronicle.say(RepositoryRecovered(repository: "churn"), id: "event-\(number)")
        }
        try await chronicle.store.write { try Projection.forget(keeping: 3, in: $0.db) }
        let ids = try await chronicle.list("SELECT id FROM events ORDER BY position").compactMap { $0["id"]?.string }
        #expect(ids == ["event-8", "event-9", "event-10"])
    }

    @Test(arguments: ["run-1", "1", "#1", "train#1", "churn/train#1"])
    func `a run is found by what people call it`(name: String) async throws {
        let chronicle = try Chronicle()
        try await chronicle.pushToProduction()
        #expect(try await chronicle.store.read { db in try RunQueries.resolve(name, db) } == "run-1")
    }

    @Test func `an unknown run is refused with a way out`() async throws {
        let chronicle = try Chronicle()
        await #expect(throws: Refusal(404, "no run '7'", hint: "'martlet runs list' shows what there is")) {
            _ = try await chronicle.store.read { db in try RunQueries.resolve("7", db) }
        }
    }
}
