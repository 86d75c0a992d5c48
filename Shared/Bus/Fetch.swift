import EventLog
import Foundation
import Messages

/// What a follower asks a log's owner for (bus.md 6). Epoch 0: from the very beginning.
package struct FetchRequest: Sendable, Hashable, Codable {
    package var epoch: Int64
    package var after: Int64
    package var limit: Int
    package var maxBytes: Int

    package init(
        epoch: Int64, after: Int64, limit: Int = BusLimits.fetchRecords, maxBytes: Int = BusLimits.fetchBytes
    ) {
        self.epoch = epoch
        self.after = after
        self.limit = limit
        self.maxBytes = maxBytes
    }
}

/// What the owner answers: records, and where its log stands now.
package enum FetchAnswer: Sendable, Hashable {
    /// Also when the owner refuses the place asked for: the head then shows why (a fork, another epoch).
    case records([LogRecord], head: LogHead)
    /// The records asked for have been deleted: what they came to is in a snapshot at the head's base.
    case compacted(head: LogHead)
    case failed(String)
}

extension FetchAnswer {
    /// Events travel as on the feed, three frames each, so that one parser judges both.
    static func frames(of records: [LogRecord]) -> [Data] { messages(of: records).flatMap(\.self) }

    static func messages(of records: [LogRecord]) -> [[Data]] {
        records.map { record in
            let header = LiveHeader(kind: .event, epoch: record.epoch, seq: record.seq, chain: record.prev)
            var topic = record.topic
            return [topic.withUTF8 { Data(buffer: $0) }, header.bytes, record.body]
        }
    }

    /// Reads a reply of `source`'s owner.
    package init(_ reply: BusReply, of source: Source) {
        guard [200, 404, 409, 410].contains(reply.status) else {
            self = .failed("answer \(reply.status)\(reply.error.map { ": \($0)" } ?? "")")
            return
        }
        guard let head = LogHead(reply, of: source) else {
            self = .failed("an answer without the log's head (status \(reply.status))")
            return
        }
        switch reply.status {
        case 200:
            if let records = Self.records(in: reply.body, of: source) {
                self = .records(records, head: head)
            } else {
                self = .failed("an answer with malformed events")
            }
        case 410: self = .compacted(head: head)
        default: self = .records([], head: head)
        }
    }

    static func records(in frames: [Data], of source: Source) -> [LogRecord]? {
        guard frames.count % 3 == 0 else { return nil }
        var records: [LogRecord] = []
        records.reserveCapacity(frames.count / 3)
        for start in stride(from: 0, to: frames.count, by: 3) {
            guard let record = LogRecord(frames: frames[start..<(start + 3)]), record.source == source else {
                return nil
            }
            records.append(record)
        }
        return records
    }
}

extension LogHead {
    /// `nil` unless the reply says where the log of `source` stands.
    init?(_ reply: BusReply, of source: Source) {
        guard let encoded = try? Wire.encode(reply.params),
            let head = try? Wire.decode(LogHead.self, from: encoded), head.source == source
        else { return nil }
        self = head
    }
}

extension LogRecord {
    fileprivate init?(frames: ArraySlice<Data>) {
        let first = frames.startIndex
        let checked = frames[first].withUnsafeBytes { topic in
            frames[first + 1].withUnsafeBytes { header in
                frames[first + 2].withUnsafeBytes { body in
                    // What is in the log counts, also where it is too large for the feed.
                    try? LiveCheck.check(topic: topic, header: header, body: body, limit: BusLimits.requestBytes)
                }
            }
        }
        guard let (topic, header) = checked else { return nil }
        self.init(topic: topic, header: header, body: frames[first + 2])
    }

    /// `nil` unless it is an event.
    init?(topic: LiveTopic, header: LiveHeader, body: Data) {
        guard header.kind == .event, let source = Source(checking: topic.name) else { return nil }
        self.init(
            source: source, epoch: header.epoch, seq: header.seq, prev: header.chain, topic: topic.text, body: body)
    }
}
