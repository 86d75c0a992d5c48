import Messages
import ServiceKit
import Store
import Testing

@testable import Console

/// What is known of a version that was deleted.
struct ModelDeletionTests {
    /// Version 1 was in production until 2 came, and was deleted then.
    private func replacedAndDeleted() async throws -> (Chronicle, whileFirst: Timestamp) {
        let chronicle = try Chronicle()
        for version in 1...2 {
            try await chronicle.say(
                ModelRegistered(
                    model: "churn", version: version, run: "run-\(version)", artifact: artifact, metrics: [:],
                    params: [:], tags: [:]), id: "registered-\(version)", key: "churn")
        }
        let first = try await chronicle.say(
            ModelStageChanged(model: "churn", version: 1, to: "production", replaced: [], reason: "first"),
            id: "first", key: "churn")
        try await chronicle.say(
            ModelStageChanged(
                model: "churn", version: 2, to: "production",
                replaced: [StageMove(version: 1, from: "production", to: "surpassed")], reason: "better"),
            id: "second", key: "churn")
        try await chronicle.say(ModelVersionDeleted(model: "churn", version: 1), id: "deleted-1", key: "churn")
        return (chronicle, first.time)
    }

    /// `version stage` of each.
    private func at(_ time: Timestamp, _ chronicle: Chronicle) async throws -> [String] {
        try await chronicle.store.read { db in
            try ModelQueries.at("churn", time.text, db).map {
                "\($0["version"]?.int ?? 0) \($0["stage"]?.string ?? "-")"
            }
        }
    }

    @Test func `C-3 G9 what was in production at a time does not change when it is deleted later`() async throws {
        let (chronicle, whileFirst) = try await replacedAndDeleted()
        #expect(try await at(whileFirst, chronicle) == ["1 production", "2 -"])
        #expect(try await at(chronicle.now, chronicle) == ["2 production"])
    }

    @Test func `what is listed is what there is`() async throws {
        let (chronicle, _) = try await replacedAndDeleted()
        let models = try await chronicle.store.read { db in try ModelQueries.list(Page(), db) }
        #expect(models["items"]?[0]?["versions"] == 1)
        let versions = try await chronicle.store.read { db in try ModelQueries.versions("churn", Page(), db) }
        #expect(versions["items"]?.array?.compactMap { $0["version"]?.int } == [2])
    }

    @Test func `where all were deleted, their history and reasons are still told`() async throws {
        let (chronicle, whileFirst) = try await replacedAndDeleted()
        try await chronicle.say(
            ModelStageChanged(model: "churn", version: 2, from: "production", to: nil, replaced: [], reason: "deleted"),
            id: "left", key: "churn")
        try await chronicle.say(ModelVersionDeleted(model: "churn", version: 2), id: "deleted-2", key: "churn")
        try await chronicle.store.read { db in try ModelQueries.check("churn", db) }
        let models = try await chronicle.store.read { db in try ModelQueries.list(Page(), db) }
        #expect(models["items"] == [])
        let all = try await chronicle.store.read { db in try ModelQueries.list(Page(), withDeleted: true, db) }
        #expect(all["items"]?.array?.compactMap { $0["model"]?.string } == ["churn"])
        #expect(all["items"]?[0]?["versions"] == 0 && all["items"]?[0]?["latest"] == .null)
        let number = try await chronicle.store.read { db in try ModelQueries.known("1", of: "churn", db) }
        let history = try await chronicle.store.read { db in
            try ModelQueries.history("churn", version: number, Page(), db)
        }
        #expect(history["items"]?.array?.compactMap { $0["toStage"]?.string } == ["surpassed", "production"])
        let why = try await chronicle.store.read { db in try WhyQueries.answer("churn/1", db) }
        #expect(why["lines"]?.array?.isEmpty == false)
        #expect(try await at(whileFirst, chronicle) == ["1 production", "2 -"])
        #expect(try await chronicle.store.read { db in try ModelQueries.resolve("churn", "latest", db) } == nil)
        #expect(try await chronicle.store.read { db in try ModelQueries.resolve("churn", "production", db) } == nil)
    }

    @Test func `its run shows that it is no more`() async throws {
        let (chronicle, _) = try await replacedAndDeleted()
        try await chronicle.say(
            RunQueued(
                run: "run-1", number: 1, project: "churn", pipeline: "train", cause: "x", reason: "y", jobs: plan,
                parameters: [:]), id: "queued")
        let run = try #require(try await chronicle.store.read { db in try RunQueries.show("run-1", db) })
        #expect(run["versions"]?[0]?["deleted"]?.string != nil)
    }

    @Test func `a number that is given again is that of a version that is there`() async throws {
        let (chronicle, _) = try await replacedAndDeleted()
        try await chronicle.say(
            ModelRegistered(model: "churn", version: 1, artifact: artifact, metrics: [:], params: [:], tags: [:]),
            id: "again", key: "churn")
        #expect(try await chronicle.store.read { db in try ModelQueries.resolve("churn", "latest", db) } == 2)
        try await chronicle.store.read { db in _ = try ModelQueries.present("1", of: "churn", db) }
    }

    @Test func `nobody moves it any more`() async throws {
        let (chronicle, _) = try await replacedAndDeleted()
        let refusal = await #expect(throws: Refusal.self) {
            try await chronicle.store.read { db in _ = try ModelQueries.present("1", of: "churn", db) }
        }
        #expect(refusal?.status == 409)
    }
}
