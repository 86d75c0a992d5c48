import GRDB
import GRDBSQLite
import Synchronization

/// How far the write-ahead log is filled, and the room that it has on disk ahead of that.
///
/// An fsync of a file that grows takes twice as long as one of a file that is written over: the file system has to write
/// down its new size as well. So the file is made longer a little ahead of need, and after a checkpoint it is written
/// from its start again instead of being cut off. A burst of commits may outrun that, which costs it nothing.
package final class WriteAheadLog: Sendable {
    private let most: Int
    private let longest: Int
    /// Room beyond what is written, made in pieces: whoever makes one keeps writers waiting for a millisecond.
    private static let ahead = 1 << 20
    private static let piece = 256 << 10
    private static let pause = Duration.milliseconds(50)
    /// Bytes in a pause beyond which it is a burst: the file grows by itself then, and making room would keep each
    /// twentieth commit waiting for longer than its growth does.
    private static let calm = 64 << 10
    /// SQLite's own writes are smaller than 128 KiB; it takes no larger ones.
    private static let writing = 64 << 10
    /// A page and the header before it.
    private static let frame = 4096 + 24

    private let filled = Atomic<Int>(0)
    private let length = Atomic<Int>(0)
    /// SQLite's count of other connections' commits when they were last asked for.
    private let others = Atomic<Int>(0)
    fileprivate let isTended = Atomic<Bool>(false)
    /// One element when there is something to do for it; for one loop only.
    let needs: AsyncStream<Void>
    private let need: AsyncStream<Void>.Continuation

    /// - Parameters:
    ///   - most: bytes after which a checkpoint does not wait for the next round of housekeeping.
    ///   - longest: bytes of a file beyond which a checkpoint cuts it off, once little of it is used.
    package init(most: Int = 128 << 20, longest: Int = 64 << 20) {
        (self.most, self.longest) = (most, longest)
        (needs, need) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Bytes that a crash would have to read again, as of this process's last commit.
    var bytes: Int { filled.load(ordering: .relaxed) }

    var isFull: Bool { bytes >= most }

    /// Longer than it is to stay, and little of that is used.
    var isTooLong: Bool { length.load(ordering: .relaxed) > longest && bytes < longest / 16 }

    private var wanted: Int { min(longest, bytes + Self.ahead) }

    /// The room is nearly used up.
    private var isShort: Bool { length.load(ordering: .relaxed) < min(longest, bytes + Self.ahead / 2) }

    /// Hears from now on of this connection's commits, and how many pages are in the log then, other processes' too.
    func watch(_ db: Database) {
        // Kept for good: the connection may commit once more while its store is being forgotten.
        let context = Unmanaged.passRetained(self).toOpaque()
        sqlite3_wal_hook(
            db.sqliteConnection,
            { context, _, _, pages in
                guard let context else { return SQLITE_OK }
                Unmanaged<WriteAheadLog>.fromOpaque(context).takeUnretainedValue().committed(pages: Int(pages))
                return SQLITE_OK
            }, context)
    }

    private func committed(pages: Int) {
        filled.store(pages * Self.frame, ordering: .relaxed)
        // A burst makes it longer by itself.
        if bytes > length.load(ordering: .relaxed) { length.store(bytes, ordering: .relaxed) }
        if isFull || isShort { need.yield() }
    }

    /// Learns what others have written, by a commit of this connection where there is anything.
    func measure(_ db: Database) throws {
        let commits = try Int.fetchOne(db, sql: "PRAGMA data_version") ?? 0
        guard others.load(ordering: .relaxed) != commits else { return }
        try StateStore.touch(db)
        others.store(commits, ordering: .relaxed)
    }

    /// Makes room; a piece at a time and with pauses, so that others get to write in between, and only while little is
    /// written.
    func makeRoom(_ pool: DatabasePool) async throws {
        while !isFull, length.load(ordering: .relaxed) < wanted {
            let before = bytes
            try await Task.sleep(for: Self.pause)
            guard bytes - before <= Self.calm else { continue }
            try await pool.writeWithoutTransaction { [self] db in
                try db.inTransaction(.immediate) {
                    // Nobody writes while the lock is held: what lies behind the end of the file is nobody's.
                    try extend(db)
                    return .rollback
                }
            }
        }
    }

    /// Zeros behind the end. SQLite takes them for the end of the log, also when it reads it again after a crash: no
    /// frame has a page number 0.
    private func extend(_ db: Database) throws {
        var file: UnsafeMutablePointer<sqlite3_file>?
        let code = withUnsafeMutablePointer(to: &file) {
            sqlite3_file_control(db.sqliteConnection, "main", SQLITE_FCNTL_JOURNAL_POINTER, $0)
        }
        guard code == SQLITE_OK, let file, let methods = file.pointee.pMethods?.pointee else {
            throw DatabaseError(resultCode: .SQLITE_MISUSE, message: "the write-ahead log is not open")
        }
        var size: sqlite3_int64 = 0
        try Self.check(methods.xFileSize(file, &size))
        length.store(Int(size), ordering: .relaxed)
        if size >= wanted { return }
        do {
            let zeros = [UInt8](repeating: 0, count: Self.writing)
            for offset in stride(from: 0, to: Self.piece, by: Self.writing) {
                try Self.check(methods.xWrite(file, zeros, Int32(zeros.count), size + Int64(offset)))
            }
            try Self.check(methods.xSync(file, SQLITE_SYNC_NORMAL))
        } catch {
            // A full disk: what little room there is belongs to commits.
            _ = methods.xTruncate(file, size)
            throw error
        }
        length.add(Self.piece, ordering: .relaxed)
    }

    /// The file was cut off: it has no room any more.
    func wasCut() { length.store(0, ordering: .relaxed) }

    private static func check(_ code: Int32) throws {
        guard code == SQLITE_OK else { throw DatabaseError(resultCode: ResultCode(rawValue: code)) }
    }
}

extension StateStore {
    /// Bytes of the write-ahead log that a crash would have to read again, as of this process's last commit.
    package var walBytes: Int { wal.bytes }

    /// A burst has made the write-ahead log longer than it is to stay; the next checkpoint cuts it off.
    package var logIsTooLong: Bool { wal.isTooLong }

    /// Whether this process keeps ``walBytes`` up to date: it leads.
    package var tendsLog: Bool { wal.isTended.load(ordering: .relaxed) }

    /// Brings ``walBytes`` up to date where other processes have written since: a leader that has nothing to write itself
    /// would never know that the log grows.
    package func measureLog() async throws {
        try await pool.writeWithoutTransaction { [wal] db in try wal.measure(db) }
    }

    /// Keeps room in the write-ahead log, and moves what it holds into the database when it holds very much; until the
    /// task is canceled. Only the leader does (bus.md fact 10).
    ///
    /// - Parameter failed: told why it could not be done; it is tried again after five seconds.
    package func tendLog(failed: @Sendable (any Error) -> Void) async {
        wal.isTended.store(true, ordering: .relaxed)
        defer { wal.isTended.store(false, ordering: .relaxed) }
        for await _ in wal.needs {
            do {
                try await wal.makeRoom(pool)
                if wal.isFull { try await checkpoint() }
                // Still full: somebody reads in it, or a backup is being taken. Each try keeps writers waiting.
                guard wal.isFull else { continue }
            } catch is CancellationError {
                return
            } catch {
                failed(error)
            }
            try? await Task.sleep(for: .seconds(5))
        }
    }

    /// Moves the write-ahead log into the database and begins it anew, unless somebody reads in it; only the leader does
    /// (bus.md fact 10). Whatever was committed before is on disk when this returns.
    package func checkpoint() async throws {
        // Who waits for a backup's readers keeps all writers waiting with it.
        let noBackup = try LeaderLock.acquire(path: Self.checkpointLock(path))
        if noBackup != nil { try await moveMost() }
        try await pool.writeWithoutTransaction { [wal] db in
            if noBackup != nil { try Self.moveRest(db, wal) }
            // This commit puts those before it on disk as well. And it is the one that writes at the log's start: were it
            // another connection's, and met a checkpoint, SQLite up to 3.51.2 could lose it.
            try Self.touch(db)
        }
        withExtendedLifetime(noBackup) {}
    }

    /// Most of the work, beside writers, and so on a connection of its own.
    private func moveMost() async throws {
        let beside = try DatabaseQueue(path: path, configuration: Self.configuration())
        defer { try? beside.close() }
        try await beside.writeWithoutTransaction { [pool] db in
            // While somebody reads, nobody can begin the log anew under the checkpoint.
            try pool.read { reader in
                _ = try Int.fetchOne(reader, sql: "SELECT count(*) FROM sqlite_schema")
                try Self.unlessBusy { _ = try db.checkpoint(.passive) }
            }
        }
    }

    private static func moveRest(_ db: Database, _ wal: WriteAheadLog) throws {
        // Waits for other processes' writers, then keeps all of them waiting for the readers.
        // Not by a PRAGMA: a canceled task's would not be carried out, and this connection would stay impatient.
        sqlite3_busy_timeout(db.sqliteConnection, 200)
        defer { sqlite3_busy_timeout(db.sqliteConnection, 5000) }
        try unlessBusy {
            // To cut off a long file takes 100 ms, in which nobody can write: not while somebody writes much.
            let cuts = wal.isTooLong
            _ = try db.checkpoint(cuts ? .truncate : .restart)
            if cuts { wal.wasCut() }
        }
    }

    private static func unlessBusy(_ body: () throws -> Void) throws {
        do {
            try body()
        } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
            return
        }
    }

    /// Writes a page as it is; an UPDATE that changes nothing writes nothing.
    static func touch(_ db: Database) throws {
        try db.inTransaction(.immediate) {
            try db.execute(sql: "PRAGMA user_version = 0")
            return .commit
        }
    }

    /// Held while a backup reads, and while the log is begun anew.
    static func checkpointLock(_ path: String) -> String { path + ".checkpoint" }
}
