import EventLog
import Foundation
import GRDB
import Logging
import Messages
import Synchronization

/// One service's SQLite file: its state, its log, its cursors and what it still has to do (bus.md 7).
///
/// Everything that must exist together is written by one `write`: a change, its events and its intents commit or fail
/// as one.
package final class StateStore: Sendable {
    package let path: String
    package let source: Source
    let pool: DatabasePool
    let clock: WallClock
    private let ids: UUIDv7
    private let commits: GroupCommit
    let tail = LogTail()
    private let diskTrouble = Mutex<String?>(nil)
    private let observer = Mutex<CommitObserver?>(nil)
    let wal: WriteAheadLog

    private init(
        path: String, source: Source, pool: DatabasePool, wal: WriteAheadLog, clock: WallClock, ids: UUIDv7
    ) {
        self.path = path
        self.source = source
        self.pool = pool
        self.wal = wal
        self.clock = clock
        self.ids = ids
        self.commits = GroupCommit(pool: pool)
    }

    /// Opens or makes the database, migrates it and begins the logs that are missing.
    ///
    /// - Parameter logs: further logs that this service owns; trigger-service owns `ingest`.
    /// - Throws: `StoreError` with the path and what an operator can do.
    package static func open(
        path: String, source: Source, logs: [Source] = [], clock: WallClock = .system, ids: UUIDv7? = nil,
        wal: WriteAheadLog = WriteAheadLog(), migrate: (inout DatabaseMigrator) -> Void
    ) throws -> StateStore {
        do {
            let pool = try DatabasePool(path: path, configuration: configuration())
            // GRDB lowers this to NORMAL when it turns WAL on: a published number could come back with another body
            // after a loss of power (bus.md fact 9).
            try pool.writeWithoutTransaction { db in
                try db.execute(sql: "PRAGMA synchronous = FULL")
                wal.watch(db)
            }
            try check(pool)
            var migrator = DatabaseMigrator()
            migrateShared(&migrator)
            migrate(&migrator)
            if try pool.read({ db in try migrator.hasBeenSuperseded(db) }) {
                throw StoreError(
                    path: path, problem: "was written by a newer Martlet", hint: "use that version or newer")
            }
            try migrator.migrate(pool)
            let store = StateStore(
                path: path, source: source, pool: pool, wal: wal, clock: clock, ids: ids ?? batched())
            try pool.write { db in
                for log in [source] + logs { try Outbox.begin(log, now: clock.now(), in: db) }
            }
            return store
        } catch let error as DatabaseError {
            throw StoreError(path: path, error)
        }
    }

    private static func batched() -> UUIDv7 {
        let words = RandomWords()
        return UUIDv7(random: { words.next() })
    }

    static func configuration() -> Configuration {
        var configuration = Configuration()
        configuration.foreignKeysEnabled = true
        configuration.busyMode = .timeout(5)
        configuration.maximumReaderCount = 3
        configuration.prepareDatabase { db in
            // 0 pages: only the leader checkpoints (bus.md fact 10).
            try db.execute(sql: "PRAGMA wal_autocheckpoint = 0")
            // Each connection's page cache; six small services share a small machine.
            try db.execute(sql: "PRAGMA cache_size = -1024")
        }
        return configuration
    }

    private static func check(_ pool: DatabasePool) throws {
        let verdict = try pool.read { db in try String.fetchOne(db, sql: "PRAGMA quick_check(1)") }
        guard verdict == "ok" else {
            throw StoreError(
                path: pool.path, problem: "is damaged: \(verdict ?? "no answer")",
                hint: "stop the suite and restore this file from a backup"
            )
        }
    }

    /// Told after each commit, in their order, on a thread that must not be blocked; at most one, set before the first
    /// write.
    package func onCommit(_ body: @escaping @Sendable (CommitSummary) -> Void) {
        observer.withLock { $0 = CommitObserver(told: body) }
    }

    /// Runs `body` in a transaction that is on disk when this returns.
    ///
    /// Concurrent calls share a commit; each runs in a savepoint of its own, so an error takes back only its own work.
    package func write<Value: Sendable>(
        _ body: @escaping @Sendable (Transaction) throws -> Value
    ) async throws -> Value {
        let (clock, ids, source) = (clock, ids, source)
        return try await noting {
            try await commits.run { db, logs in
                let transaction = Transaction(db: db, logs: logs, now: clock.now(), source: source, ids: ids)
                let value = try body(transaction)
                return Committed(value: value, records: transaction.finish(), summary: transaction.summary)
            } committed: { [self] in
                tail.append($0.records)
                if $0.summary != CommitSummary() { observer.withLock { $0 }?.told($0.summary) }
            }
        }.value
    }

    private struct Committed<Value: Sendable>: Sendable {
        var value: Value
        var records: [LogRecord]
        var summary: CommitSummary
    }

    /// Why nothing can be written at the moment, for operators; `nil` when the last write got through.
    package var trouble: String? { diskTrouble.withLock { $0 } }

    private func noting<Value>(_ write: () async throws -> Value) async throws -> Value {
        do {
            let value = try await write()
            diskTrouble.withLock { $0 = nil }
            return value
        } catch let error as DatabaseError where [.SQLITE_FULL, .SQLITE_IOERR].contains(error.resultCode) {
            diskTrouble.withLock { $0 = StoreError(path: path, error).description }
            throw error
        }
    }

    /// Writes without changing anything: shows whether there is room again.
    package func probe() async throws {
        try await noting { try await pool.writeWithoutTransaction { db in try Self.touch(db) } }
    }

    /// Reads a consistent snapshot, off the cooperative pool; also for a cancelled task, which may have to tidy up.
    package func read<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            pool.asyncRead { connection in
                continuation.resume(with: Result { try body(connection.get()) })
            }
        }
    }

    package func close() throws { try pool.close() }
}

/// A bare closure in a `Mutex` would be wrapped once more each time that it is read: after a million commits, a call
/// goes through a million layers.
private struct CommitObserver: Sendable {
    var told: @Sendable (CommitSummary) -> Void
}

/// What a commit brought, for those who act on it.
package struct CommitSummary: Sendable, Hashable {
    package var published = false
    package var intended = false
}

/// A database that cannot be used, for an operator.
package struct StoreError: Error, CustomStringConvertible, Hashable, Sendable {
    package var path: String
    package var problem: String
    package var hint: String

    package init(path: String, problem: String, hint: String) {
        self.path = path
        self.problem = problem
        self.hint = hint
    }

    init(path: String, _ error: DatabaseError) {
        self.path = path
        switch error.resultCode {
        case .SQLITE_NOTADB, .SQLITE_CORRUPT:
            problem = "is damaged (\(error.message ?? "not a database"))"
            hint = "stop the suite and restore this file from a backup"
        case .SQLITE_FULL:
            problem = "cannot grow: the disk is full"
            hint = "make room; the service goes on by itself"
        case .SQLITE_CANTOPEN, .SQLITE_READONLY, .SQLITE_PERM:
            problem = "cannot be opened for writing (\(error.message ?? "no permission"))"
            hint = "check the folder and its owner"
        default:
            problem = "failed: \(error.message ?? "SQLite error \(error.resultCode.rawValue)")"
            hint = "see the service's log"
        }
    }

    package var description: String { "database \(path) \(problem); \(hint)" }
}
