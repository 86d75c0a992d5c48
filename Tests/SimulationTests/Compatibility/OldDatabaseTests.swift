import Foundation
import GRDB
import Messages
import Store
import Testing

@testable import Console
@testable import Deployer
@testable import Evaluator
@testable import Notifier
@testable import RegistryService
@testable import TrainerProxy
@testable import TriggerService

/// `Tests/Fixtures/databases`: what services had written before their newest migrations.
@Suite struct OldDatabaseTests {
    struct Kept: Sendable, CustomTestStringConvertible {
        var source: Source
        var migrate: @Sendable (inout DatabaseMigrator) -> Void
        var logs: [Source] = []

        var testDescription: String { source.name }

        func open(_ path: String) throws -> StateStore {
            try StateStore.open(path: path, source: source, logs: logs, migrate: migrate)
        }
    }

    static let console = Kept(source: .console, migrate: ConsoleStore.migrate)
    static let all = [
        console, Kept(source: .deployer, migrate: DeployerStore.migrate),
        Kept(source: .evaluator, migrate: EvaluatorStore.migrate),
        Kept(source: .notifier, migrate: NotifierStore.migrate),
        Kept(source: .registryService, migrate: RegistryStore.migrate),
        Kept(source: .trainerProxy, migrate: TrainerStore.migrate),
        Kept(source: .triggerService, migrate: TriggerStore.migrate, logs: [.ingest]),
    ]

    private func inFolder(_ body: (String) async throws -> Void) async throws {
        let folder = NSTemporaryDirectory() + "martlet-old-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await body(folder)
    }

    /// Makes the database that was kept.
    /// - Returns: how many rows each of its tables has.
    private func restore(_ source: Source, to path: String) throws -> [String: Int] {
        let file = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Fixtures/databases/\(source.name).sql")
        let text = try String(contentsOf: file, encoding: .utf8)
        var configuration = Configuration()
        // As a dump has them, tables come before those that they refer to.
        configuration.foreignKeysEnabled = false
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        defer { try? queue.close() }
        try queue.writeWithoutTransaction { db in try db.execute(sql: text) }
        return try queue.read { db in
            let tables = try String.fetchAll(
                db, sql: "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
            return try Dictionary(uniqueKeysWithValues: tables.map { ($0, try Self.rows(of: $0, db)) })
        }
    }

    private static func rows(of table: String, _ db: Database) throws -> Int {
        try Int.fetchOne(db, sql: "SELECT count(*) FROM \"\(table)\"") ?? 0
    }

    @Test(arguments: all)
    func `a database of an older version keeps its rows, and becomes what a new one is`(kept: Kept) async throws {
        try await inFolder { folder in
            let rows = try restore(kept.source, to: folder + "/old.sqlite")
            try #require(rows.values.reduce(0, +) > 10)
            let (old, new) = (try kept.open(folder + "/old.sqlite"), try kept.open(folder + "/new.sqlite"))
            let found = try await old.read { db in try Schema(db) }
            let fresh = try await new.read { db in try Schema(db) }
            #expect(found.columns == fresh.columns)
            #expect(found.rest == fresh.rest)
            // Migrations are noted in a table of their own.
            for (table, count) in rows where table != "grdb_migrations" {
                let now = try await old.read { db in try Self.rows(of: table, db) }
                #expect(now == count, "\(table)")
            }
            try old.close()
            try new.close()
        }
    }

    @Test func `what ran under an older version is shown`() async throws {
        try await inFolder { folder in
            _ = try restore(.console, to: folder + "/old.sqlite")
            let store = try Self.console.open(folder + "/old.sqlite")
            let id = try await store.read { db in try Console.RunQueries.resolve("check#1", db) }
            let run = try await store.read { db in try Console.RunQueries.show(id, db) }
            #expect(run?["outcome"] == "succeeded")
            #expect(run?["jobs"]?[0]?["steps"]?.array?.count == 2)
            try store.close()
        }
    }
}

/// What a database is made of, however it came to be so.
private struct Schema: Sendable {
    /// Of each table, with their kinds and defaults.
    var columns: [String: Set<String>] = [:]
    /// How each index and trigger is made.
    var rest: [String: String] = [:]

    init(_ db: Database) throws {
        let parts = try Row.fetchAll(
            db, sql: "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'")
        for part in parts {
            let (type, name): (String, String) = (part["type"], part["name"])
            if type == "table" {
                let rows = try Row.fetchAll(
                    db, sql: "SELECT name, type, \"notnull\", dflt_value, pk FROM pragma_table_info(?)",
                    arguments: [name])
                columns[name] = Set(rows.map(\.description))
            } else {
                let sql: String = part["sql"]
                rest[name] = sql.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            }
        }
    }
}
