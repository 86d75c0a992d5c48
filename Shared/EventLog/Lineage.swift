import Foundation
import Messages

/// A record's place within a log that may have several epochs.
package struct LogPlace: Sendable, Hashable, Codable, Comparable {
    package var epoch: Int64
    package var seq: Int64

    package init(epoch: Int64, seq: Int64) {
        self.epoch = epoch
        self.seq = seq
    }

    package static func < (left: LogPlace, right: LogPlace) -> Bool {
        (left.epoch, left.seq) < (right.epoch, right.seq)
    }
}

extension LogRecord {
    package var place: LogPlace { LogPlace(epoch: epoch, seq: seq) }
}

extension LogCursor {
    package var place: LogPlace { LogPlace(epoch: epoch, seq: seq) }
}

/// How somebody's place in a log relates to what its owner says of it.
package enum LineageRelation: Sendable, Hashable {
    /// The owner's log has that place, and goes on from it within the same epoch or ends there.
    case within
    /// It is where an epoch ended: the next one begins here.
    case crossing(to: LogCursor)
    /// The owner's log ends, or went on with another epoch, before that place, or has other records up to it.
    case contradicted(LogCursor)
    /// The owner knows nothing of that epoch.
    case unknown
}

extension LogHead {
    package var parent: LogParent? { lineage.last }

    /// Where an epoch of this log ends; `nil` when it never had that epoch.
    package func end(of epoch: Int64) -> LogCursor? {
        if epoch == self.epoch { return LogCursor(epoch: epoch, seq: last, chain: chain) }
        return lineage.first { $0.epoch == epoch }.map { LogCursor(epoch: $0.epoch, seq: $0.seq, chain: $0.chain) }
    }

    /// The place before the first record of the epoch that went on from `parent`.
    package func start(after parent: LogParent) -> LogCursor {
        let index = lineage.firstIndex(of: parent).map { $0 + 1 } ?? lineage.count
        let epoch = index < lineage.count ? lineage[index].epoch : self.epoch
        return LogCursor(epoch: epoch, seq: 0, chain: .start(of: source, epoch: epoch, parent: parent))
    }

    /// The place before the very first record that this log ever had, as far as its owner remembers.
    package var beginning: LogCursor {
        let epoch = lineage.first?.epoch ?? self.epoch
        return LogCursor(epoch: epoch, seq: 0, chain: .start(of: source, epoch: epoch, parent: nil))
    }

    package func relation(to cursor: LogCursor) -> LineageRelation {
        guard let end = end(of: cursor.epoch) else { return .unknown }
        if cursor.seq > end.seq { return .contradicted(end) }
        guard cursor.seq == end.seq else { return .within }
        if cursor.chain != end.chain, cursor.chain != .unknown { return .contradicted(end) }
        if let parent = lineage.first(where: { $0.epoch == cursor.epoch }) {
            return .crossing(to: start(after: parent))
        }
        return .within
    }
}

/// Where a follower goes on after a fork was released, and what that means for what it knows.
package struct Landing: Sendable, Hashable {
    package var source: Source
    package var from: LogCursor?
    /// `nil`: as if it had never read the log, which is another one altogether.
    package var to: LogCursor?
    /// Records applied here that the owner no longer has, where their number is known.
    package var forgotten: Int64?
    /// What an operator has to know of it.
    package var note: String

    /// The last place that both may have in common: what was read here behind it, the owner's log no longer has. `nil`:
    /// there is none.
    package var common: LogPlace? {
        guard let to else { return nil }
        guard let from, let forgotten else { return to.place }
        // `to` may be the start of the epoch that went on from there.
        return LogPlace(epoch: from.epoch, seq: from.seq - forgotten)
    }

    /// Takes the owner's word: reads everything that its log has after the last place that both may have in common.
    package init(of source: Source, from cursor: LogCursor?, on head: LogHead) {
        self.source = source
        from = cursor
        guard let cursor, let end = head.end(of: cursor.epoch) else {
            to = nil
            forgotten = cursor?.seq
            note =
                "\(source) has begun anew: its log is read from its beginning; what was told before stays as it was"
            return
        }
        let isEnded = end.epoch != head.epoch
        if cursor.seq > end.seq {
            forgotten = cursor.seq - end.seq
            let parent = LogParent(epoch: end.epoch, seq: end.seq, chain: end.chain)
            to = isEnded ? head.start(after: parent) : end
            note =
                "\(source) no longer has its events \(end.seq + 1) to \(cursor.seq) of epoch \(cursor.epoch);"
                + " what they changed here stays; everything \(source) says from now on is read"
        } else {
            // Its own records up to here may differ; the next one's word is taken for it.
            to = LogCursor(epoch: cursor.epoch, seq: cursor.seq, chain: .unknown)
            note =
                "the events of \(source) up to \(cursor.seq) of epoch \(cursor.epoch) differ from what was applied here;"
                + " what it says after that is read"
        }
    }
}
