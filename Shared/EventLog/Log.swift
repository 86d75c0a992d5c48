import Foundation
import Messages

/// The point of an older epoch from which a new one goes on.
package struct LogParent: Sendable, Hashable, Codable {
    package var epoch: Int64
    package var seq: Int64
    package var chain: Chain

    package init(epoch: Int64, seq: Int64, chain: Chain) {
        self.epoch = epoch
        self.seq = seq
        self.chain = chain
    }

    package var text: String { "\(epoch)/\(seq)/\(chain)" }
}

/// One sequenced event, as it stands in the log and on the wire.
package struct LogRecord: Sendable, Hashable {
    package var source: Source
    package var epoch: Int64
    package var seq: Int64
    /// The chain's value before this record.
    package var prev: Chain
    /// `e/<source>/<type>`.
    package var topic: String
    /// The CloudEvent's JSON bytes, never encoded twice: the chain is over them.
    package var body: Data

    package init(source: Source, epoch: Int64, seq: Int64, prev: Chain, topic: String, body: Data) {
        self.source = source
        self.epoch = epoch
        self.seq = seq
        self.prev = prev
        self.topic = topic
        self.body = body
    }

    /// The chain's value with this record.
    package var chain: Chain { prev.next(topic: topic, body: body) }

    package var position: LogPosition { LogPosition(source: source, epoch: epoch, seq: seq) }
}

/// Where a log stands, and how it came there.
package struct LogHead: Sendable, Hashable, Codable {
    package var source: Source
    package var epoch: Int64
    /// The oldest record of this epoch that can still be fetched; `last + 1` when there is none.
    package var first: Int64
    /// 0: nothing written yet.
    package var last: Int64
    package var chain: Chain
    /// The points of older epochs from which the next ones went on, the oldest first; the last is this epoch's parent.
    package var lineage: [LogParent]
    /// The place before the oldest record that can still be fetched, of whatever epoch: what a snapshot is valid at.
    package var base: LogCursor

    /// - Parameter base: the very beginning of the oldest epoch unless it is given.
    package init(
        source: Source, epoch: Int64, first: Int64 = 1, last: Int64, chain: Chain, lineage: [LogParent] = [],
        base: LogCursor? = nil
    ) {
        self.source = source
        self.epoch = epoch
        self.first = first
        self.last = last
        self.chain = chain
        self.lineage = lineage
        let oldest = lineage.first?.epoch ?? epoch
        self.base =
            base ?? LogCursor(epoch: oldest, seq: 0, chain: .start(of: source, epoch: oldest, parent: nil))
    }
}

/// How far a subscriber has applied a log.
package struct LogCursor: Sendable, Hashable, Codable {
    package var epoch: Int64
    package var seq: Int64
    package var chain: Chain

    package init(epoch: Int64, seq: Int64, chain: Chain) {
        self.epoch = epoch
        self.seq = seq
        self.chain = chain
    }
}

/// A log that contradicts what was read of it before (bus.md 5).
package struct Fork: Sendable, Hashable, Codable, Error {
    package var source: Source
    package var epoch: Int64
    package var seq: Int64
    package var expected: String
    package var found: String

    package init(source: Source, epoch: Int64, seq: Int64, expected: String, found: String) {
        self.source = source
        self.epoch = epoch
        self.seq = seq
        self.expected = expected
        self.found = found
    }
}

/// Some of the events that make the state of a log up to a place: the log without what no longer matters (bus.md 6).
///
/// They keep their own numbers, so whoever had applied some of them can tell which.
package struct SnapshotPart: Sendable, Hashable {
    package var source: Source
    /// In the order of the log, all up to `at`.
    package var records: [LogRecord]
    /// What the whole snapshot is valid at: after its last part, following goes on from here.
    package var at: LogCursor
    package var isLast: Bool

    package init(source: Source, records: [LogRecord], at: LogCursor, isLast: Bool) {
        self.source = source
        self.records = records
        self.at = at
        self.isLast = isLast
    }
}

/// A log that is not followed any further because of a fork.
package struct Halt: Sendable, Hashable {
    package var fork: Fork
    /// An operator, or the follower's own rule, has released it: it goes on as soon as the owner says where it stands.
    package var isReleased: Bool

    package init(fork: Fork, isReleased: Bool) {
        self.fork = fork
        self.isReleased = isReleased
    }
}

/// The owner's side of a log: what the publisher sends, and `fetch` and `snapshot` answer from.
package protocol LogReader: Sendable {
    func head(of source: Source) async throws -> LogHead
    /// Consecutive records from `after + 1` on; fewer than `limit` where the log ends or `maxBytes` of bodies are reached.
    func records(of source: Source, epoch: Int64, after: Int64, limit: Int, maxBytes: Int) async throws -> [LogRecord]
    /// What is left of the records up to the head's base, from `after` on, read together with that head.
    func snapshot(
        of source: Source, after: LogPlace?, limit: Int, maxBytes: Int
    ) async throws -> (head: LogHead, records: [LogRecord], more: Bool)
}

/// A subscriber's side: applies records and its cursor in one transaction (bus.md 5).
package protocol LogFollower: Sendable {
    /// `nil`: nothing applied yet; following starts with the log's first record.
    func cursor(for source: Source) async throws -> LogCursor?
    /// All of one source, consecutive, the first exactly one past the cursor. Throws: nothing was applied.
    func apply(_ records: [LogRecord]) async throws
    /// Applies those that it has not applied before; with the last part the cursor moves to the part's place.
    func apply(_ part: SnapshotPart) async throws
    /// The source is not followed any further until an operator releases it.
    func quarantine(_ fork: Fork) async throws
    /// `nil`: nothing is the matter.
    func halt(of source: Source) async throws -> Halt?
    /// Ends a halt that was released: from here on the log is followed from another place.
    func goOn(_ landing: Landing) async throws
}
