import EventLog
import Foundation
import GRDB
import Messages

@testable import Store

/// The log of a chatting service as its database has it: whether it is one, and what was to be heard of it.
struct ChatterLog {
    struct Event {
        var place: LogPlace
        var id: String
        var topic: String
    }

    var head: LogHead
    var events: [Event]
    /// How it is no chain of dense numbers through all its epochs, and where it and what was done differ.
    var problems: [String] = []

    init(of source: Source, in db: Database) throws {
        head = try Outbox.head(of: source, in: db)
        events = []
        var place = head.beginning
        for row in try Row.fetchAll(
            db, sql: "SELECT * FROM outbox WHERE source = ? ORDER BY epoch, seq", arguments: [source.name])
        {
            guard let record = Outbox.record(row, of: source) else { continue }
            place = cross(from: place)
            if record.place != LogPlace(epoch: place.epoch, seq: place.seq + 1) {
                problems.append("I4 \(source): \(record.place) comes after \(place.place)")
            }
            if record.prev != place.chain { problems.append("I4 \(source): the chain is broken at \(record.place)") }
            place = LogCursor(epoch: record.epoch, seq: record.seq, chain: record.chain)
            events.append(Event(place: record.place, id: row["id"], topic: record.topic))
        }
        place = cross(from: place)
        if place != LogCursor(epoch: head.epoch, seq: head.last, chain: head.chain) {
            problems.append("I4 \(source): the log ends at \(place), its head is \(head)")
        }
        let said = try String.fetchSet(db, sql: "SELECT event FROM said")
        let remarks = Set(events.filter { $0.topic.contains(Remark.name) }.map(\.id))
        if said != remarks { problems.append("I4 \(source): \(said.count) remarks said, \(remarks.count) in the log") }
    }

    /// Where an epoch ends, the next one begins.
    private func cross(from place: LogCursor) -> LogCursor {
        var place = place
        while case .crossing(let start) = head.relation(to: place) { place = start }
        return place
    }

    /// What handlers are given: a wish about logs is carried out before them.
    var heard: [Event] { events.filter { !$0.topic.contains("command.log_") } }
}
