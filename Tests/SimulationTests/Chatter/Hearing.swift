import EventLog
import Foundation
import GRDB
import Messages

/// What one chatting service has heard of another one's log, in the order in which it heard it.
struct Hearing {
    struct Event {
        var place: LogPlace
        var key: String
        var id: String
    }

    let name: String
    var events: [Event]
    var dead: [LogPlace]
    var cursor: LogCursor?
    /// Why it does not follow that log.
    var fork: String?
    /// Where it stood when it was released from a fork, and where it went on.
    var landings: [(from: LogPlace?, to: LogPlace?)]

    init(of other: Source, by source: Source, in db: Database) throws {
        name = "\(source) of \(other)"
        events = try Row.fetchAll(
            db, sql: "SELECT * FROM heard WHERE source = ? ORDER BY rowid", arguments: [other.name]
        ).map { Event(place: LogPlace(epoch: $0["epoch"], seq: $0["seq"]), key: $0["key"], id: $0["event"]) }
        dead = try Row.fetchAll(
            db, sql: "SELECT epoch, seq FROM parked WHERE source = ? AND state = 'dead'", arguments: [other.name]
        ).map { LogPlace(epoch: $0["epoch"], seq: $0["seq"]) }
        cursor = try Row.fetchOne(db, sql: "SELECT * FROM cursor WHERE source = ?", arguments: [other.name])
            .flatMap { row in
                Chain(hex: row["chain"]).map { LogCursor(epoch: row["epoch"], seq: row["seq"], chain: $0) }
            }
        fork = try String.fetchOne(db, sql: "SELECT fork FROM halt WHERE source = ?", arguments: [other.name])
        landings = try Data.fetchAll(
            db, sql: "SELECT body FROM outbox WHERE topic LIKE '%bus.fork_released%' ORDER BY epoch, seq"
        ).compactMap { body in
            guard let event = try Wire.decode(Envelope.self, from: body).body(ForkReleased.self),
                event.source == other.name
            else { return nil }
            return (Self.place(event.fromEpoch, event.fromSeq), Self.place(event.toEpoch, event.toSeq))
        }
    }

    private static func place(_ epoch: Int64?, _ seq: Int64?) -> LogPlace? {
        guard let epoch, let seq else { return nil }
        return LogPlace(epoch: epoch, seq: seq)
    }

    /// I1, I2, I3, I5, I6: every event once, in order, and none that is not in the log.
    ///
    /// - Parameter restored: the log was put back to an older state. Who had read more has stopped and was released: what
    ///   it had read stays, what was said before the place where it goes on is not told anew.
    func problems(with log: ChatterLog, settled: Bool, restored: Bool) -> [String] {
        var problems: [String] = []
        if let fork {
            problems.append(
                restored
                    ? "I6 \(name): not released: \(fork)" : "I5 \(name): a fork, though nothing was restored: \(fork)")
        }
        let ids = Set(events.map(\.id))
        if ids.count != events.count { problems.append("I2 \(name): \(events.count - ids.count) heard twice") }
        let known = Set(log.heard.map(\.id))
        for event in events where !known.contains(event.id) {
            if !restored { problems.append("I5 \(name): \(event.id) was heard and is not in the log") }
            // Nobody goes on by itself as if nothing had been.
            if restored, !landings.contains(where: { $0.from.map { event.place <= $0 } ?? true }) {
                problems.append("I6 \(name): \(event.place) is no longer in the log, and no fork was noticed")
            }
        }
        if settled {
            let missed = log.heard.filter { !ids.contains($0.id) && !dead.contains($0.place) }
            for event in missed where !landings.contains(where: { $0.to.map { event.place <= $0 } ?? false }) {
                problems.append("I1 \(name): \(event.place) was never heard")
            }
        }
        return problems + disorder(known)
    }

    /// Per key, also across tries.
    private func disorder(_ known: Set<String>) -> [String] {
        var last: [String: LogPlace] = [:]
        return events.filter { known.contains($0.id) }.compactMap { event in
            defer { last[event.key] = event.place }
            guard let before = last[event.key], event.place <= before else { return nil }
            return "I3 \(name): \(event.place) after \(before) of \(event.key)"
        }
    }
}
