import EventLog
import Foundation
import Logging
import Messages
import Store

/// Applies what the bus brings: effects, own events and the cursor in one transaction (bus.md 5).
///
/// An event whose handler fails is parked by its key; later events of that key park behind it, other keys flow.
struct Inbox: LogFollower {
    /// Seconds before the tries of a parked event (bus.md 5).
    static let backOff: [Int64] = [1, 5, 30, 120, 600]

    let source: Source
    /// The logs that this service owns.
    var owned: [Source] = []
    var onFork = ForkPolicy.halt
    var halted = HaltBoard()
    let store: StateStore
    let handle: @Sendable (ReceivedEvent, Transaction) throws -> Void
    let positions: PositionTracker
    let retries: WakeSignal
    let metrics: MetricsRegistry
    let logger: Logger
    /// Told after the commit, for what is not a matter of state: a step that is worked here is to stop.
    let canceled: @concurrent @Sendable (StepCancelRequested) async -> Void

    func cursor(for source: Source) async throws -> LogCursor? {
        let cursor = try await store.cursor(for: source)
        if let cursor { await positions.reached(source, epoch: cursor.epoch, seq: cursor.seq) }
        return cursor
    }

    func apply(_ records: [LogRecord]) async throws {
        guard let last = records.last else { return }
        let (envelopes, parked) = try await store.write { transaction in
            let envelopes = try takeAll(records, transaction)
            try transaction.move(to: LogCursor(epoch: last.epoch, seq: last.seq, chain: last.chain), of: last.source)
            return (envelopes, envelopes.count < records.count)
        }
        await positions.reached(last.source, epoch: last.epoch, seq: last.seq)
        await tell(envelopes, parked: parked, of: last.source)
    }

    func apply(_ part: SnapshotPart) async throws {
        let (envelopes, parked) = try await store.write { transaction in
            if part.isLast { try announce(part, transaction) }
            var envelopes: [Envelope] = []
            var parked = false
            try transaction.apply(part) { records in
                envelopes = try takeAll(records, transaction)
                parked = envelopes.count < records.count
            }
            return (envelopes, parked)
        }
        if part.isLast { await positions.reached(part.source, epoch: part.at.epoch, seq: part.at.seq) }
        await tell(envelopes, parked: parked, of: part.source)
    }

    private func announce(_ part: SnapshotPart, _ transaction: Transaction) throws {
        let before = try transaction.cursor(for: part.source)
        if let before, before.place >= part.at.place { return }
        try transaction.publish(
            SnapshotTaken(
                service: source.name, source: part.source.name, fromEpoch: before?.epoch, fromSeq: before?.seq,
                toEpoch: part.at.epoch, toSeq: part.at.seq),
            subject: "source/\(part.source)", key: part.source.name, because: .first(actor: "service:\(source)"))
    }

    private func tell(_ envelopes: [Envelope], parked: Bool, of source: Source) async {
        metrics.count(
            "martlet_events_applied_total", "Events applied.", labels: [("source", source.name)],
            by: Double(envelopes.count))
        let unknown = envelopes.count { !EventOwner.knows($0.type) }
        if unknown > 0 {
            metrics.count(
                "martlet_events_unknown_total", "Events passed over because this version does not know their type.",
                labels: [("source", source.name)], by: Double(unknown))
        }
        if parked { retries.wake() }
        for envelope in envelopes { await tell(envelope) }
    }

    private func tell(_ envelope: Envelope) async {
        if let request = try? envelope.body(StepCancelRequested.self) { await canceled(request) }
    }

    /// Those that were handled; the others are parked, dead, or not their log's to say.
    ///
    /// All in one savepoint at first: a savepoint for each costs as much as a small event, and nearly always nothing
    /// fails. When something does, all of it is taken back and each event has a savepoint of its own.
    private func takeAll(_ records: [LogRecord], _ transaction: Transaction) throws -> [Envelope] {
        if try !transaction.hasParked() {
            do {
                var envelopes: [Envelope] = []
                try transaction.attempt { transaction in
                    for record in records {
                        let envelope = try Wire.decode(Envelope.self, from: record.body)
                        if try run(envelope, record.topic, record.position, transaction) { envelopes.append(envelope) }
                    }
                }
                return envelopes
            } catch {
                // A full disk takes back everything by itself: nothing may be written outside of a transaction now.
                guard transaction.isOpen else { throw error }
            }
        }
        return try records.compactMap { try take($0, transaction) }
    }

    /// `nil`: parked, dead, or not its log's to say.
    private func take(_ record: LogRecord, _ transaction: Transaction) throws -> Envelope? {
        let envelope: Envelope
        do {
            envelope = try Wire.decode(Envelope.self, from: record.body)
        } catch {
            try bury(record, key: "invalid", envelope: nil, reason: "not an event: \(error)", transaction)
            return nil
        }
        if try transaction.isParked(key: envelope.partitionkey) {
            _ = try transaction.park(
                record, key: envelope.partitionkey, attempts: 0, due: transaction.now,
                reason: "behind another of its key", dead: false)
            return nil
        }
        do {
            var isGenuine = false
            try transaction.attempt { isGenuine = try run(envelope, record.topic, record.position, $0) }
            return isGenuine ? envelope : nil
        } catch let dead as DeadAtOnce {
            try bury(record, key: envelope.partitionkey, envelope: envelope, reason: dead.description, transaction)
        } catch let error as EventTooLarge {
            try bury(record, key: envelope.partitionkey, envelope: envelope, reason: "\(error)", transaction)
        } catch let error as DecodingError {
            try bury(record, key: envelope.partitionkey, envelope: envelope, reason: "\(error)", transaction)
        } catch {
            WorkContext.$current.withValue(.event(envelope)) {
                logger.warning("event \(envelope.id) (\(envelope.type)) could not be handled: \(error)")
            }
            _ = try transaction.park(
                record, key: envelope.partitionkey, attempts: 1,
                due: transaction.now.advanced(by: .seconds(Self.backOff[0])), reason: "\(error)", dead: false)
        }
        return nil
    }

    /// - Returns: whether it was handled; `false`: it is not that log's to say.
    private func run(
        _ envelope: Envelope, _ topic: String, _ position: LogPosition, _ transaction: Transaction
    ) throws -> Bool {
        guard isGenuine(envelope, topic, in: position.source) else {
            logger.error(
                "\(position) has an event of type '\(envelope.type)' from '\(envelope.source)' under the topic '\(topic)', which is not that log's to write; ignored"
            )
            metrics.count(
                "martlet_events_foreign_total", "Events ignored because they are not that log's to write.",
                labels: [("source", position.source.name)])
            return false
        }
        try deliver(envelope, position, transaction)
        return true
    }

    /// The bus has looked at the topic only; here the event itself counts, also one that was fetched.
    private func isGenuine(_ envelope: Envelope, _ topic: String, in log: Source) -> Bool {
        guard EventOwner.may(log.name, write: envelope.type) else { return false }
        guard topic == "e/\(log)/\(envelope.type)" else { return false }
        // Outsiders have sources of their own. In the log of their events the bus tells what it denied.
        let service = log == .ingest ? Source.eventBus : log
        let source = envelope.source.lowercased()
        return !source.hasPrefix("/martlet/") || source == "/martlet/\(service)"
    }

    private func deliver(_ envelope: Envelope, _ position: LogPosition, _ transaction: Transaction) throws {
        if let answer = try envelope.body(DeadLetterAnswered.self) {
            if answer.service == source.name { try settle(answer, envelope, transaction) }
            return
        }
        if let wish = try envelope.body(LogReleaseRequested.self) {
            if wish.service == source.name { try release(wish, envelope, transaction) }
            return
        }
        if let wish = try envelope.body(LogEpochRequested.self) {
            if wish.service == source.name { try beginEpoch(wish, envelope, transaction) }
            return
        }
        if let created = try envelope.body(TokenCreated.self) { try transaction.apply(created) }
        if let revoked = try envelope.body(TokenRevoked.self) { try transaction.apply(revoked) }
        try WorkContext.$current.withValue(.event(envelope)) {
            try handle(ReceivedEvent(envelope: envelope, position: position), transaction)
        }
    }

    private func bury(
        _ record: LogRecord, key: String, envelope: Envelope?, reason: String, _ transaction: Transaction
    ) throws {
        logger.error("event \(record.position) is a dead letter: \(reason)")
        let letter = try transaction.park(
            record, key: key, attempts: 1, due: transaction.now, reason: reason, dead: true)
        try announce(letter, record.position, key, envelope, reason, attempts: 1, transaction)
    }

    private func announce(
        _ letter: String, _ position: LogPosition, _ key: String, _ envelope: Envelope?, _ reason: String,
        attempts: Int, _ transaction: Transaction
    ) throws {
        try transaction.publish(
            DeadLetterCreated(
                letter: letter, service: source.name, source: position.source.name, epoch: position.epoch,
                seq: position.seq, event: envelope?.id, type: envelope?.type, key: key, reason: reason,
                attempts: attempts),
            subject: "deadletter/\(letter)", key: key,
            because: envelope?.consequence ?? .first(actor: "service:\(source)"))
    }

    private func settle(_ answer: DeadLetterAnswered, _ envelope: Envelope, _ transaction: Transaction) throws {
        guard let letter = try transaction.deadLetter(answer.letter) else {
            return try self.answer(
                envelope, refused: "\(source) has no dead letter '\(answer.letter)' any more", transaction)
        }
        if answer.retry {
            var event: Envelope?
            do {
                let again = try Wire.decode(Envelope.self, from: letter.body)
                event = again
                try transaction.attempt { _ = try run(again, letter.topic, letter.position, $0) }
            } catch {
                // A full disk takes back everything by itself: nothing may be written outside of a transaction now.
                guard transaction.isOpen else { throw error }
                try transaction.declareDead(letter, reason: "\(error)")
                try announce(
                    letter.id, letter.position, letter.key, event, "\(error)", attempts: letter.attempts + 1,
                    transaction)
                return try self.answer(envelope, refused: "it failed again: \(error)", transaction)
            }
        }
        try transaction.unpark(letter.id)
        try transaction.publish(
            DeadLetterClosed(
                letter: letter.id, service: source.name, result: answer.retry ? "retried" : "dropped",
                by: envelope.actor),
            subject: "deadletter/\(letter.id)", key: letter.key, because: envelope.consequence)
    }

    /// Tries a parked event again; after the last try it is dead and its key flows on.
    func retry(_ parked: ParkedEvent) async throws {
        let envelope = try await store.write { transaction -> Envelope? in
            guard try transaction.isWaiting(parked) else { return nil }
            let envelope = try Wire.decode(Envelope.self, from: parked.body)
            do {
                var isGenuine = false
                try transaction.attempt { isGenuine = try run(envelope, parked.topic, parked.position, $0) }
                try transaction.unpark(parked.id)
                return isGenuine ? envelope : nil
            } catch {
                let attempts = parked.attempts + 1
                if error is DeadAtOnce || error is DecodingError || attempts > Self.backOff.count {
                    try transaction.declareDead(parked, reason: "\(error)")
                    try announce(
                        parked.id, parked.position, parked.key, envelope, "\(error)", attempts: attempts, transaction)
                } else {
                    let delay = Self.backOff[min(attempts, Self.backOff.count) - 1]
                    let due = transaction.now.advanced(by: .seconds(delay))
                    try transaction.postpone(parked, until: due, reason: "\(error)")
                }
                return nil
            }
        }
        if let envelope { await tell(envelope) }
    }

    /// The bus is heard, this source is not.
    func noteSilence(_ silent: Source, _ duration: Duration) async {
        let seconds = Double(duration.components.seconds)
        logger.warning("\(silent) was not heard for \(Int(seconds)) s; is it running?")
        let source = source
        do {
            try await store.write { transaction in
                _ = try transaction.publish(
                    SourceSilent(service: source.name, source: silent.name, seconds: seconds),
                    subject: "source/\(silent)", key: silent.name, because: .first(actor: "service:\(source)"))
            }
        } catch {
            // The warning above stands in the log; the next silence is told anew.
            logger.warning("the silence of \(silent) could not be told of: \(error)")
        }
    }
}
