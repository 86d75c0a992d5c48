import EventLog
import Foundation
import Messages

/// Follows logs in memory and prints what it applies.
actor TailFollower: LogFollower {
    private var cursors: [Source: LogCursor]
    private var halts: [Source: Halt] = [:]
    private let after: Timestamp?
    private let filter: EventFilter
    private let limit: Int?
    private let json: Bool
    private var shown = 0
    private var waiting: CheckedContinuation<Void, Never>?
    private(set) var problem: Failure?

    init(cursors: [Source: LogCursor], after: Timestamp?, filter: EventFilter, limit: Int?, json: Bool) {
        self.cursors = cursors
        self.after = after
        self.filter = filter
        self.limit = limit
        self.json = json
    }

    func cursor(for source: Source) -> LogCursor? { cursors[source] }

    func apply(_ records: [LogRecord]) throws {
        for record in records {
            cursors[record.source] = LogCursor(epoch: record.epoch, seq: record.seq, chain: record.chain)
            try show(record)
        }
    }

    /// What is gone cannot be shown; what it came to is, and then what followed.
    func apply(_ part: SnapshotPart) throws {
        let done = cursors[part.source]?.place
        for record in part.records where done.map({ $0 < record.place }) ?? true { try show(record) }
        if part.isLast { cursors[part.source] = part.at }
    }

    func halt(of source: Source) -> Halt? { halts[source] }

    func goOn(_ landing: Landing) {}

    func quarantine(_ fork: Fork) {
        halts[fork.source] = Halt(fork: fork, isReleased: false)
        problem = Failure(
            "the log \(fork.source) contradicts itself at \(fork.epoch)/\(fork.seq)",
            hint: "it was restored or runs twice; begin again with --since start")
        finish()
    }

    /// Returns when the limit is reached or nothing more can be shown.
    func ended() async {
        if problem != nil || limit.map({ shown >= $0 }) == true { return }
        await withTaskCancellationHandler {
            await withCheckedContinuation { waiting = $0 }
        } onCancel: {
            Task { await self.finish() }
        }
    }

    private func finish() {
        waiting?.resume()
        waiting = nil
    }

    private func show(_ record: LogRecord) throws {
        if let limit, shown >= limit { return }
        guard let event = try? Wire.decode(Envelope.self, from: record.body) else { return }
        if let after, event.time < after { return }
        guard filter.passes(event) else { return }
        if json {
            let line: JSONValue = [
                "source": .string(record.source.name), "epoch": .int(Int(record.epoch)), "seq": .int(Int(record.seq)),
                "event": try Wire.decode(JSONValue.self, from: record.body),
            ]
            Terminal.say(String(decoding: try Wire.encode(line), as: UTF8.self))
        } else {
            Terminal.say("\(record.source):\(record.seq)  \(EventLine.text(event))")
        }
        shown += 1
        if limit == shown { finish() }
    }
}
