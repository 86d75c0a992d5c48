import Foundation
import GRDB
import Messages

@testable import Console
@testable import Deployer
@testable import Evaluator
@testable import Notifier
@testable import RegistryService
@testable import Store
@testable import TrainerProxy
@testable import TriggerService

/// Databases with all their tables and nothing in them: making those took longer than all else that a seed does.
///
/// Some seeds do without, so that services also die while they make them.
enum Blank {
    typealias Migrate = @Sendable (inout DatabaseMigrator) -> Void

    /// What each service adds to the tables that all have.
    static let suite: [Source: Migrate] = [
        .triggerService: TriggerStore.migrate, .trainerProxy: TrainerStore.migrate, .evaluator: EvaluatorStore.migrate,
        .registryService: RegistryStore.migrate, .deployer: DeployerStore.migrate, .notifier: NotifierStore.migrate,
        .console: ConsoleStore.migrate,
    ]

    struct Files {
        var chatter: Data
        var suite: [Source: Data]
    }

    static let all = Result {
        try Files(chatter: file(Chatter.migrate), suite: suite.mapValues { try file($0) })
    }

    private static func file(_ migrate: Migrate) throws -> Data {
        let folder = NSTemporaryDirectory() + "martlet-blank-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let pool = try DatabasePool(path: folder + "/blank.sqlite")
        var migrator = DatabaseMigrator()
        migrateShared(&migrator)
        migrate(&migrator)
        try migrator.migrate(pool)
        try pool.writeWithoutTransaction { db in _ = try db.checkpoint(.truncate) }
        try pool.close()
        return try Data(contentsOf: URL(fileURLWithPath: folder + "/blank.sqlite"))
    }
}
