import EventLog
import GRDB
import Messages
import Store
import Testing

@testable import RegistryService

@Suite struct HistoryTests {
    private func registry() async throws -> Registry {
        let registry = try Registry()
        try await registry.declare(trunk)
        try await registry.versions("a", "b")
        _ = try await registry.move(1, to: "staged")
        _ = try await registry.move(1, to: "production")
        _ = try await registry.move(2, to: "production")
        return registry
    }

    private func check(_ registry: Registry) async throws -> ModelHistoryChecked {
        try await registry.tell(HistoryCheckRequested(model: "churn"), actor: "user:kim")
        return try #require(try await registry.said(ModelHistoryChecked.self).last)
    }

    /// What somebody with the file in hand can do, whom no trigger stops.
    private func alter(_ registry: Registry, _ sql: String) async throws {
        try await registry.store.write { tx in
            try tx.db.execute(sql: "DROP TRIGGER stage_history_is_not_altered")
            try tx.db.execute(sql: "DROP TRIGGER stage_history_is_not_deleted")
            try tx.db.execute(sql: sql)
        }
    }

    @Test func `C-3 an untouched history is intact, and every change says how far it reaches`() async throws {
        let registry = try await registry()
        let found = try await check(registry)
        #expect(found.intact)
        // The third change moved two versions.
        #expect(found.history.moves == 4)
        let told = try await registry.said(ModelStageChanged.self).map(\.history)
        #expect(told.map { $0?.moves } == [1, 2, 4])
        #expect(told.last == found.history)
    }

    @Test(arguments: [
        ("UPDATE stage_history SET actor = 'user:mallory' WHERE id = 2", "move 2 (version 1 from staged to production"),
        ("UPDATE stage_history SET time = time - 86400000 WHERE id = 1", "move 1 "),
        ("UPDATE stage_history SET reason = 'because' WHERE id = 4", "move 4 "),
        ("DELETE FROM stage_history WHERE id = 2", "move 2 "),
        ("DELETE FROM stage_history WHERE id >= 3", "4 moves were told, and 2 are there"),
        (
            "UPDATE stage_history SET chain = NULL, actor = 'user:mallory'",
            "the first 1 moves are not those that were told"
        ),
        (
            "UPDATE version SET stage = 'production' WHERE version = 1",
            "version 1 is in stage production, and no move says so"
        ),
    ])
    func `C-3 whatever is altered shows, and where`(_ sql: String, _ expected: String) async throws {
        let registry = try await registry()
        try await alter(registry, sql)
        let found = try await check(registry)
        #expect(!found.intact)
        #expect(found.problem?.contains(expected) == true, "\(found.problem ?? "")")
    }

    @Test func `C-3 what was told of a history is found without reading the whole log`() async throws {
        let registry = try await registry()
        let plan = try await registry.store.read { db in
            var asked: [String] = []
            db.trace { if case .statement(let one) = $0 { asked.append(one.expandedSQL) } }
            _ = try StageQueries.toldMarks(of: "churn", db)
            db.trace(options: [])
            return try asked.flatMap { sql in
                try Row.fetchAll(db, sql: "EXPLAIN QUERY PLAN \(sql)").map { row -> String in row["detail"] }
            }
        }
        #expect(
            plan.filter { $0.hasPrefix("SEARCH") || $0.hasPrefix("SCAN") } == [
                "SEARCH kept USING INDEX kept_fact (source=? AND entity>? AND entity<?)",
                "SEARCH outbox USING INDEX outbox_stage_change (source=?)",
            ])
    }

    @Test func `C-3 a history from before there was a chain gets one, and is guarded as before`() async throws {
        let registry = try await registry()
        try await alter(registry, "UPDATE stage_history SET chain = NULL")
        try await registry.store.write { tx in try StageQueries.chainOlderHistory(tx.db) }
        #expect(try await check(registry).intact)
    }

    @Test func `G7 a person's wish is refused when another holds the stage meanwhile`() async throws {
        let registry = try await registry()
        func wish(_ holder: String) -> TransitionRequested {
            TransitionRequested(model: "churn", version: "1", to: "production", groups: [], expectHolder: holder)
        }
        try await registry.tell(wish("1"), actor: "user:kim")
        try await registry.tell(wish("nobody"), actor: "user:kim")
        #expect(try await registry.said(ModelCommandAnswered.self).map(\.accepted) == [false, false])
        try await registry.tell(wish("2"), actor: "user:kim")
        #expect(try await registry.said(ModelCommandAnswered.self).last?.accepted == true)
    }
}
