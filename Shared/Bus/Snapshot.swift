import EventLog
import Foundation
import Messages

/// What a follower whose next records are gone asks a log's owner for, a part at a time (bus.md 6).
package struct SnapshotRequest: Sendable, Hashable, Codable {
    /// The snapshot that the part belongs to; `nil` for the first part of any.
    package var at: LogPlace?
    /// The last record of the part before.
    package var after: LogPlace?
    package var limit: Int
    package var maxBytes: Int

    package init(
        at: LogPlace? = nil, after: LogPlace? = nil, limit: Int = BusLimits.fetchRecords,
        maxBytes: Int = BusLimits.fetchBytes
    ) {
        self.at = at
        self.after = after
        self.limit = limit
        self.maxBytes = maxBytes
    }
}

package enum SnapshotAnswer: Sendable, Hashable {
    case part(SnapshotPart, head: LogHead)
    /// More of the log was deleted meanwhile: the parts so far belong to a snapshot that nobody can complete.
    case movedOn
    case failed(String)

    /// Reads a reply of `source`'s owner.
    package init(_ reply: BusReply, of source: Source) {
        if reply.status == 409 {
            self = .movedOn
            return
        }
        guard reply.status == 200 else {
            self = .failed("answer \(reply.status)\(reply.error.map { ": \($0)" } ?? "")")
            return
        }
        guard let head = LogHead(reply, of: source), let more = reply.params["more"]?.bool,
            let records = FetchAnswer.records(in: reply.body, of: source),
            zip(records, records.dropFirst()).allSatisfy({ $0.place < $1.place }),
            records.last.map({ $0.place <= head.base.place }) ?? !more
        else {
            self = .failed("a malformed snapshot")
            return
        }
        self = .part(SnapshotPart(source: source, records: records, at: head.base, isLast: !more), head: head)
    }
}
