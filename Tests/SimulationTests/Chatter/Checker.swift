import EventLog
import Foundation
import GRDB
import Messages

/// Looks at all databases when everything is over, and says which promise was broken.
struct Checker {
    private let world: World
    private let sources: [Source]
    private let outside: Outside
    private let restored: Source?
    private(set) var problems: [String] = []
    private(set) var events = 0

    /// - Parameter restored: the service whose database was put back to an older state on the way.
    init(_ world: World, sources: [Source], outside: Outside, restored: Source? = nil) {
        self.world = world
        self.sources = sources
        self.outside = outside
        self.restored = restored
    }

    /// Everything was heard by everybody, nothing waits for another try, every bell was rung.
    func isSettled() -> Bool {
        // A service that is only starting has no tables yet.
        (try? hasSettled()) ?? false
    }

    private func hasSettled() throws -> Bool {
        guard outside.with({ $0.wishes.isEmpty }), try hasCaughtUp() else { return false }
        return try sources.allSatisfy { source in
            try world.read(source) { db in
                try Int.fetchOne(
                    db,
                    sql: """
                        SELECT (SELECT count(*) FROM parked WHERE state = 'waiting') + (SELECT count(*) FROM intent)
                            + (SELECT count(*) FROM halt)
                        """) == 0
            }
        }
    }

    /// Everybody is at the end of every log, whatever waits for another try.
    func isCaughtUp() -> Bool { (try? hasCaughtUp()) ?? false }

    private func hasCaughtUp() throws -> Bool {
        var heads: [Source: LogPlace] = [:]
        for source in sources {
            heads[source] = try world.read(source) { db in
                try Row.fetchOne(db, sql: "SELECT epoch, last FROM log WHERE source = ?", arguments: [source.name])
                    .map { LogPlace(epoch: $0["epoch"], seq: $0["last"]) }
            }
        }
        return try sources.allSatisfy { source in
            try world.read(source) { db in
                let cursors = try Self.cursors(db)
                return sources.allSatisfy { other in
                    guard other != source, let head = heads[other], head.seq > 0 else { return true }
                    return cursors[other].map { $0.place >= head } ?? false
                }
            }
        }
    }

    private static func cursors(_ db: Database) throws -> [Source: LogCursor] {
        let rows = try Row.fetchAll(db, sql: "SELECT * FROM cursor")
        return try Dictionary(
            uniqueKeysWithValues: rows.map { row in
                guard let chain = Chain(hex: row["chain"]) else { throw DatabaseError(message: "no chain") }
                return (
                    Source(stringLiteral: row["source"]),
                    LogCursor(epoch: row["epoch"], seq: row["seq"], chain: chain)
                )
            })
    }

    /// Longer than it takes when a question was lost just before healing (5 s), the next one found nobody registered and
    /// what was fetched then waited for a disk (5 s).
    private static let promptly = Duration.seconds(15)

    /// - Parameter caughtUp: how long after healing everybody was at the end of every log for the first time.
    mutating func check(caughtUp: Duration?) {
        if let caughtUp, caughtUp <= Self.promptly { return }
        let time = caughtUp.map { "only after \($0)" } ?? "never"
        problems.append("I8 \(time) was everybody at the end of every log after healing")
    }

    mutating func check(settled: Bool) throws {
        if !settled { problems.append("I8 not everything was heard, tried and rung 40 s after healing") }
        var logs: [Source: ChatterLog] = [:]
        for source in sources {
            let log = try world.read(source) { try ChatterLog(of: source, in: $0) }
            logs[source] = log
            events += log.events.count
            problems += log.problems
        }
        for source in sources {
            for (other, log) in logs.sorted(by: { $0.key.name < $1.key.name }) where other != source {
                let hearing = try world.read(source) { try Hearing(of: other, by: source, in: $0) }
                problems += hearing.problems(with: log, settled: settled, restored: other == restored)
                if settled { checkCursor(hearing, log) }
            }
            try checkBells(source, settled)
        }
    }

    /// I1: everybody is at the end.
    private mutating func checkCursor(_ hearing: Hearing, _ log: ChatterLog) {
        guard let cursor = hearing.cursor, log.head.last > 0 || !log.head.lineage.isEmpty else { return }
        let end = LogCursor(epoch: log.head.epoch, seq: log.head.last, chain: log.head.chain)
        // Released from a fork, it may have heard nothing yet that proves the chain.
        if cursor == end || cursor.place == end.place && cursor.chain == .unknown && !hearing.landings.isEmpty {
            return
        }
        problems.append("I1 \(hearing.name): the cursor is \(cursor), the head \(log.head)")
    }

    /// Effects outside: at least once, settled once.
    private mutating func checkBells(_ source: Source, _ settled: Bool) throws {
        let (heard, rung) = try world.read(source) { db in
            (
                try String.fetchAll(db, sql: "SELECT source || '/' || epoch || '/' || seq FROM heard"),
                try String.fetchAll(db, sql: "SELECT id FROM rung")
            )
        }
        // A restored log may give a number twice, and then there were two events to ring for.
        let most = Dictionary(heard.map { ($0, 1) }, uniquingKeysWith: +)
        for (id, count) in Dictionary(rung.map { ($0, 1) }, uniquingKeysWith: +) where count > most[id] ?? 1 {
            problems.append("I2 \(source): the intent \(id) was settled \(count) times")
        }
        let rings = outside.with { $0.rings }
        for id in rung where rings["\(source) \(id)"] == nil { problems.append("I2 \(source): \(id) never rang") }
        if settled, Set(heard) != Set(rung) {
            problems.append("I4 \(source): \(heard.count) heard, \(rung.count) bells")
        }
    }
}
