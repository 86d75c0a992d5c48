import EventLog
import Foundation
import GRDB
import Messages

/// Looks at all databases when everything is over, and says which promise was broken.
struct Checker {
    private let world: World
    private let sources: [Source]
    private let outside: Outside
    private(set) var problems: [String] = []
    private(set) var events = 0

    init(_ world: World, sources: [Source], outside: Outside) {
        self.world = world
        self.sources = sources
        self.outside = outside
    }

    private struct Log {
        var head: LogCursor
        /// Keys in order of their numbers.
        var events: [(seq: Int64, id: String, key: String)]
    }

    private func log(of source: Source) throws -> Log {
        try world.read(source) { db in
            let row = try Row.fetchOne(db, sql: "SELECT * FROM log WHERE source = ?", arguments: [source.name])
            guard let row, let chain = Chain(hex: row["chain"]) else { throw DatabaseError(message: "no log") }
            let events = try Row.fetchAll(
                db, sql: "SELECT seq, id, body FROM outbox WHERE source = ? ORDER BY seq", arguments: [source.name])
            return Log(
                head: LogCursor(epoch: row["epoch"], seq: row["last"], chain: chain),
                events: try events.map {
                    let envelope = try Wire.decode(Envelope.self, from: $0["body"])
                    return ($0["seq"], $0["id"], envelope.partitionkey)
                })
        }
    }

    /// Everything was heard by everybody, nothing waits for another try, every bell was rung.
    func isSettled() -> Bool {
        // A service that is only starting has no tables yet.
        (try? hasSettled()) ?? false
    }

    private func hasSettled() throws -> Bool {
        var heads: [Source: Int64] = [:]
        for source in sources {
            heads[source] = try world.read(source) { db in
                try Int64.fetchOne(db, sql: "SELECT last FROM log WHERE source = ?", arguments: [source.name])
            }
        }
        for source in sources {
            let isDone = try world.read(source) { db in
                if try Int.fetchOne(db, sql: "SELECT count(*) FROM parked WHERE state = 'waiting'") != 0 {
                    return false
                }
                if try Int.fetchOne(db, sql: "SELECT count(*) FROM intent") != 0 { return false }
                return try sources.filter { $0 != source }.allSatisfy { other in
                    try Int64.fetchOne(db, sql: "SELECT seq FROM cursor WHERE source = ?", arguments: [other.name])
                        ?? 0 >= heads[other] ?? 0
                }
            }
            if !isDone { return false }
        }
        return true
    }

    mutating func check(settled: Bool) throws {
        if !settled { problems.append("I8 not everything was heard, tried and rung 40 s after healing") }
        var logs: [Source: Log] = [:]
        for source in sources {
            let log = try log(of: source)
            logs[source] = log
            events += log.events.count
            try checkOutbox(source, log)
        }
        for source in sources {
            for other in sources where other != source {
                if let log = logs[other] { try checkHearing(source, of: other, log, settled) }
            }
            try checkBells(source, settled)
        }
    }

    /// I4: a business row for each event and the other way round; numbers are dense, the chain holds.
    private mutating func checkOutbox(_ source: Source, _ log: Log) throws {
        let said = try world.read(source) { try String.fetchSet($0, sql: "SELECT event FROM said") }
        let remarks = try world.read(source) { db in
            try String.fetchSet(db, sql: "SELECT id FROM outbox WHERE topic LIKE '%remark.made%'")
        }
        if said != remarks { problems.append("I4 \(source): \(said.count) remarks said, \(remarks.count) in the log") }
        if log.events.map(\.seq) != Array(1...max(1, log.head.seq)).prefix(log.events.count).map(\.self)
            || log.events.count != log.head.seq
        {
            problems.append("I4 \(source): the log's numbers are not dense up to \(log.head.seq)")
        }
        var chain: Chain?
        try world.read(source) { db in
            for row in try Row.fetchAll(db, sql: "SELECT prev, topic, body FROM outbox ORDER BY seq") {
                guard let prev = Chain(hex: row["prev"]), chain == nil || prev == chain else {
                    return problems.append("I4 \(source): the chain is broken")
                }
                chain = prev.next(topic: row["topic"], body: row["body"])
            }
        }
        if let chain, chain != log.head.chain { problems.append("I4 \(source): the head is not the chain's end") }
    }

    /// I1, I2, I3, I5: every event heard once, in order, and the cursor at the head.
    private mutating func checkHearing(_ source: Source, of other: Source, _ log: Log, _ settled: Bool) throws {
        let (rows, dead, cursor, fork) = try world.read(source) { db in
            (
                try Row.fetchAll(
                    db, sql: "SELECT seq, key, event FROM heard WHERE source = ? ORDER BY rowid",
                    arguments: [other.name]),
                try String.fetchAll(
                    db, sql: "SELECT seq FROM parked WHERE source = ? AND state = 'dead'", arguments: [other.name]
                ).count,
                try Row.fetchOne(db, sql: "SELECT * FROM cursor WHERE source = ?", arguments: [other.name]),
                try String.fetchOne(
                    db, sql: "SELECT fork FROM halt WHERE source = ?", arguments: [other.name])
            )
        }
        let name = "\(source) of \(other)"
        if let fork { problems.append("I5 \(name): a fork was found, though nothing was restored: \(fork)") }
        let heard: [String] = rows.map { $0["event"] }
        if Set(heard).count != heard.count {
            problems.append("I2 \(name): \(heard.count - Set(heard).count) heard twice")
        }
        let ids = Dictionary(uniqueKeysWithValues: log.events.map { ($0.id, $0) })
        for id in heard where ids[id] == nil { problems.append("I5 \(name): \(id) was heard and is not in the log") }
        if settled, heard.count + dead != log.events.count {
            problems.append("I1 \(name): \(heard.count) heard and \(dead) dead of \(log.events.count)")
        }
        var last: [String: Int64] = [:]
        for row in rows {
            let (key, seq): (String, Int64) = (row["key"], row["seq"])
            if seq <= last[key, default: 0] { problems.append("I3 \(name): \(seq) after \(last[key] ?? 0) of \(key)") }
            last[key] = seq
        }
        if settled, let cursor, log.head.seq > 0 {
            let (seq, chain): (Int64, String) = (cursor["seq"], cursor["chain"])
            if seq != log.head.seq || chain != log.head.chain.hex {
                problems.append("I1 \(name): the cursor is \(seq) \(chain), the head \(log.head)")
            }
        }
    }

    /// Effects outside: at least once, settled once.
    private mutating func checkBells(_ source: Source, _ settled: Bool) throws {
        let (heard, rung) = try world.read(source) { db in
            (
                try String.fetchAll(db, sql: "SELECT source || '/' || epoch || '/' || seq FROM heard"),
                try String.fetchAll(db, sql: "SELECT id FROM rung")
            )
        }
        if Set(rung).count != rung.count { problems.append("I2 \(source): an intent was settled twice") }
        let rings = outside.with { $0.rings }
        for id in rung where rings["\(source) \(id)"] == nil { problems.append("I2 \(source): \(id) never rang") }
        if settled, Set(heard) != Set(rung) {
            problems.append("I4 \(source): \(heard.count) heard, \(rung.count) bells")
        }
    }
}
