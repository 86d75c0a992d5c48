import Foundation
import GRDB
import Glibc
import Messages

/// Copies several services' databases as of one moment, while they are written to: no copy knows of an event that its
/// source's copy lacks.
///
/// For that moment nobody may write: all write locks are taken, a reader begins in each database, and the locks are given
/// back. What is copied then is what the readers see, however long it takes and whatever is written meanwhile.
package final class DatabaseCut {
    package struct Member: Sendable, Hashable {
        package var name: String
        package var path: String

        package init(name: String, path: String) {
            self.name = name
            self.path = path
        }
    }

    /// Writers wait no longer than this in one attempt.
    static let budget = Duration.milliseconds(35)
    private static let attempts = 200

    private var places: [Place]
    /// How long writers had to wait, at most.
    package private(set) var held = Duration.zero

    private struct Place {
        var member: Member
        var lock: DatabaseQueue
        var reader: DatabaseQueue
        /// Keeps the leader from waiting for this reader, and all writers with it. Another backup may hold it already.
        var noCheckpoint: LeaderLock?

        func tryLock() throws -> Bool {
            do {
                try lock.writeWithoutTransaction { try $0.execute(sql: "BEGIN IMMEDIATE") }
                return true
            } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
                return false
            }
        }

        func unlock() throws { try lock.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") } }

        /// Sees from now on what is there now.
        func begin() throws {
            try reader.writeWithoutTransaction { db in
                try db.execute(sql: "BEGIN")
                _ = try Int.fetchOne(db.cachedStatement(sql: "SELECT count(*) FROM log"))
            }
        }
    }

    /// Opens all of them and fixes the moment. Blocking, as everything here.
    package init(_ members: [Member]) throws {
        places = try members.map { member in
            do {
                return Place(
                    member: member, lock: try Self.open(member.path), reader: try Self.open(member.path),
                    noCheckpoint: try Self.checkpointsHeld(member.path))
            } catch let error as DatabaseError {
                throw StoreError(path: member.path, error)
            }
        }
        try fix()
    }

    private static func open(_ path: String) throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        configuration.busyMode = .immediateError
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        // Reading the schema now saves the time while others wait.
        try queue.writeWithoutTransaction { db in
            _ = try Int.fetchOne(db.cachedStatement(sql: "SELECT count(*) FROM sqlite_schema"))
        }
        return queue
    }

    private static func checkpointsHeld(_ path: String) throws -> LeaderLock? {
        let patience = ContinuousClock.now + .seconds(1)
        while ContinuousClock.now < patience {
            if let lock = try LeaderLock.acquire(path: StateStore.checkpointLock(path)) {
                giveAway(StateStore.checkpointLock(path), toOwnerOf: path)
                return lock
            }
            usleep(2000)
        }
        return nil
    }

    /// An administrator may take the backup; the service has to open the file as well.
    private static func giveAway(_ file: String, toOwnerOf path: String) {
        var status = stat()
        if geteuid() == 0, stat(path, &status) == 0 { _ = chown(file, status.st_uid, status.st_gid) }
    }

    private func fix() throws {
        for attempt in 1...Self.attempts {
            let locked = try lockAll()
            if locked == places.count {
                do {
                    for place in places { try place.begin() }
                } catch {
                    try unlock(locked)
                    throw error
                }
            }
            try unlock(locked)
            if locked == places.count { return }
            // Whoever is busiest comes first: waiting for the first one keeps nobody else waiting.
            places.insert(places.remove(at: locked), at: 0)
            Thread.sleep(forTimeInterval: Double.random(in: 0.005...0.03) * Double(min(attempt, 10)))
        }
        throw StoreError(
            path: places.first?.member.path ?? "", problem: "is written to without a pause",
            hint: "try again when there is less to do")
    }

    private var lockedSince: ContinuousClock.Instant?

    /// - Returns: how many could be locked in time; all of them, or those before the one that could not.
    private func lockAll() throws -> Int {
        lockedSince = nil
        for (index, place) in places.enumerated() {
            let patience = index == 0 ? Duration.seconds(5) : Self.budget
            let began = lockedSince ?? .now
            while try !place.tryLock() {
                guard ContinuousClock.now - began < patience else { return index }
                usleep(index == 0 ? 500 : 150)
            }
            if index == 0 { lockedSince = .now }
        }
        return places.count
    }

    private func unlock(_ count: Int) throws {
        for place in places.prefix(count) { try place.unlock() }
        if let lockedSince { held = max(held, .now - lockedSince) }
    }

    /// Writes one database's copy: a complete file, on the disk.
    package func copy(_ member: Member, to path: String) throws {
        guard let place = places.first(where: { $0.member == member }) else {
            preconditionFailure("\(member.name) is not part of this cut")
        }
        do {
            let target = try DatabaseQueue(path: path)
            try target.writeWithoutTransaction { target in
                // The file is synchronized once, at its end; a crash before leaves no copy anyhow.
                try target.execute(sql: "PRAGMA synchronous = OFF")
                try place.reader.writeWithoutTransaction { try $0.backup(to: target) }
            }
            try target.close()
            try Self.synchronize(path)
        } catch let error as DatabaseError {
            throw StoreError(path: path, error)
        }
    }

    private static func synchronize(_ path: String) throws {
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        defer { close(descriptor) }
        guard descriptor >= 0, fsync(descriptor) == 0 else {
            throw StoreError(
                path: path, problem: "cannot be written to the disk", hint: "make room, or look at the disk")
        }
    }
}

/// A database that nobody has open: a backup's.
package enum DatabaseCopy {
    /// How far its logs had come.
    ///
    /// - Throws: `StoreError` for what is damaged, or no service's database.
    package static func check(_ path: String) throws -> [String: LogPlaceText] {
        let verdict = try look(path) { db in try String.fetchOne(db, sql: "PRAGMA quick_check(1)") }
        guard verdict == "ok" else {
            throw StoreError(
                path: path, problem: "is damaged: \(verdict ?? "no answer")", hint: "take another backup")
        }
        return try logs(path)
    }

    /// Looks at a database that services may have open. Makes no file, and writes to none but SQLite's shared memory.
    ///
    /// - Throws: `StoreError` for what is damaged.
    package static func checkInUse(_ path: String) throws {
        // Without a write-ahead log nobody has it open, and whoever opens it in the usual way would make one.
        guard FileManager.default.fileExists(atPath: path + "-wal") else {
            _ = try check(path)
            return
        }
        do {
            var configuration = Configuration()
            configuration.readonly = true
            let verdict = try DatabaseQueue(path: path, configuration: configuration).read { db in
                try String.fetchOne(db, sql: "PRAGMA quick_check(1)")
            }
            guard verdict == "ok" else {
                throw StoreError(
                    path: path, problem: "is damaged: \(verdict ?? "no answer")", hint: "restore it from a backup")
            }
        } catch let error as DatabaseError {
            throw StoreError(path: path, error)
        }
    }

    package static func logs(_ path: String) throws -> [String: LogPlaceText] {
        try look(path) { db in
            let rows = try Row.fetchAll(db.cachedStatement(sql: "SELECT source, epoch, last FROM log"))
            return Dictionary(
                uniqueKeysWithValues: rows.map { ($0["source"], LogPlaceText(epoch: $0["epoch"], last: $0["last"])) })
        }
    }

    private static func look<Value>(_ path: String, _ body: (Database) throws -> Value) throws -> Value {
        do {
            var configuration = Configuration()
            configuration.readonly = true
            // It may be on a read-only disk, and nothing shall be written beside it.
            let queue = try DatabaseQueue(path: "file:\(path.uri)?immutable=1", configuration: configuration)
            return try queue.read(body)
        } catch let error as DatabaseError {
            throw StoreError(path: path, error)
        }
    }

    package struct LogPlaceText: Codable, Sendable, Hashable {
        package var epoch: Int64
        package var last: Int64
    }
}

extension String {
    fileprivate var uri: String { addingPercentEncoding(withAllowedCharacters: .urlPathAllowed) ?? self }
}
