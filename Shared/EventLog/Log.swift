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

/// Where a log stands.
package struct LogHead: Sendable, Hashable, Codable {
    package var source: Source
    package var epoch: Int64
    /// The oldest record that can still be fetched; `last + 1` when the log is empty.
    package var first: Int64
    /// 0: nothing written yet.
    package var last: Int64
    package var chain: Chain
    package var parent: LogParent?

    package init(source: Source, epoch: Int64, first: Int64, last: Int64, chain: Chain, parent: LogParent? = nil) {
        self.source = source
        self.epoch = epoch
        self.first = first
        self.last = last
        self.chain = chain
        self.parent = parent
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

/// The owner's side of a log: what the publisher sends and `fetch` answers from.
package protocol LogReader: Sendable {
    func head(of source: Source) async throws -> LogHead
    /// Consecutive records from `after + 1` on; fewer than `limit` where the log ends or `maxBytes` of bodies are reached.
    func records(of source: Source, epoch: Int64, after: Int64, limit: Int, maxBytes: Int) async throws -> [LogRecord]
}

/// A subscriber's side: applies records and its cursor in one transaction (bus.md 5).
package protocol LogFollower: Sendable {
    /// `nil`: nothing applied yet; following starts with the log's first record.
    func cursor(for source: Source) async throws -> LogCursor?
    /// All of one source, consecutive, the first exactly one past the cursor. Throws: nothing was applied.
    func apply(_ records: [LogRecord]) async throws
    /// The source is not followed any further until an operator releases it.
    func quarantine(_ fork: Fork) async throws
}
