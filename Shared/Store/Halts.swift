import EventLog
import Foundation
import GRDB
import Messages

/// A source that is not followed because its log contradicts what was read of it (bus.md 5).
package struct HaltRecord: Sendable, Hashable {
    package var fork: Fork
    package var since: Timestamp
    /// Set once it may go on: because of what, and by whom.
    package var release: Causation?

    init(row: Row) throws {
        let text: String = row["fork"]
        fork = try Wire.decode(Fork.self, from: Data(text.utf8))
        since = Timestamp(milliseconds: row["since"])
        release = try (row["released"] as Data?).map { try Wire.decode(Causation.self, from: $0) }
    }
}

extension Transaction {
    /// - Returns: whether it is news: the first fork of a source stands until it is released.
    package func halt(_ fork: Fork) throws -> Bool {
        try db.cachedStatement(sql: "INSERT INTO halt (source, fork, since) VALUES (?, ?, ?) ON CONFLICT DO NOTHING")
            .execute(arguments: [
                fork.source.name, String(decoding: try Wire.encode(fork), as: UTF8.self), now.milliseconds,
            ])
        return db.changesCount > 0
    }

    package func haltRecord(of source: Source) throws -> HaltRecord? {
        try HaltRecord.fetch(source, in: db)
    }

    /// Lets a halted source go on as soon as its owner says where it stands.
    package func release(_ source: Source, because: Causation) throws {
        try db.cachedStatement(sql: "UPDATE halt SET released = ? WHERE source = ?").execute(arguments: [
            try Wire.encode(because), source.name,
        ])
    }

    /// Ends a halt: the log is followed from another place.
    package func land(_ landing: Landing) throws {
        let source = landing.source
        try db.cachedStatement(sql: "DELETE FROM halt WHERE source = ?").execute(arguments: [source.name])
        try Cursors.forgetLoading(source, in: db)
        if let place = landing.to {
            try move(to: place, of: source)
        } else {
            try db.cachedStatement(sql: "DELETE FROM cursor WHERE source = ?").execute(arguments: [source.name])
        }
    }

    /// Forgets what waits or is dead of events that a log no longer has: within the same epoch its owner gives their
    /// numbers to others.
    ///
    /// - Returns: the dead ones, which were told of.
    package func dropParked(after landing: Landing) throws -> [ParkedEvent] {
        let (source, place) = (landing.source.name, landing.common ?? LogPlace(epoch: 0, seq: 0))
        let dead = try Row.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT * FROM parked WHERE source = ? AND (epoch, seq) > (?, ?) AND state = 'dead' ORDER BY epoch, seq
                    """), arguments: [source, place.epoch, place.seq]
        ).map(ParkedEvent.init(row:))
        try db.cachedStatement(sql: "DELETE FROM parked WHERE source = ? AND (epoch, seq) > (?, ?)").execute(
            arguments: [source, place.epoch, place.seq])
        return dead
    }
}

extension HaltRecord {
    fileprivate static func fetch(_ source: Source, in db: Database) throws -> HaltRecord? {
        try Row.fetchOne(db.cachedStatement(sql: "SELECT * FROM halt WHERE source = ?"), arguments: [source.name]).map(
            HaltRecord.init)
    }
}

extension StateStore {
    package func halt(of source: Source) async throws -> HaltRecord? {
        try await read { try HaltRecord.fetch(source, in: $0) }
    }

    /// Every source that is not followed at the moment.
    package func halts() async throws -> [HaltRecord] {
        try await read { try Row.fetchAll($0, sql: "SELECT * FROM halt ORDER BY source").map(HaltRecord.init) }
    }
}
