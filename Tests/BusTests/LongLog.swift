import EventLog
import Foundation
import Messages

@testable import Bus

/// A log of several epochs that may be restored and pruned, answering through the real ``LogFetch``.
///
/// Each record sets a key to a value; what is pruned leaves the last value of each key.
struct LongLog: LogReader {
    static let source: Source = "registry-service"

    var head = LogHead(
        source: source, epoch: 1_700_000_000_000, last: 0,
        chain: .start(of: source, epoch: 1_700_000_000_000, parent: nil))
    /// Those that can be fetched, of all epochs.
    var records: [LogRecord] = []
    var kept: [String: LogRecord] = [:]
    /// Every record that belongs to this log's history, fetched or not.
    var history: [LogRecord] = []
    private var salt = 0

    static func key(_ record: LogRecord) -> String { value(record).key }

    static func value(_ record: LogRecord) -> (key: String, value: Int) {
        let body = try? Wire.decode(JSONValue.self, from: record.body)
        return (body?["k"]?.string ?? "", body?["v"]?.int ?? 0)
    }

    mutating func append(_ key: String) {
        salt += 1
        let record = LogRecord(
            source: Self.source, epoch: head.epoch, seq: head.last + 1, prev: head.chain, topic: "e/registry-service/t",
            body: Data(#"{"k":"\#(key)","v":\#(salt)}"#.utf8))
        records.append(record)
        history.append(record)
        head.last = record.seq
        head.chain = record.chain
    }

    mutating func beginEpoch() {
        let parent = LogParent(epoch: head.epoch, seq: head.last, chain: head.chain)
        head.epoch += 7
        head.lineage.append(parent)
        head.last = 0
        head.chain = .start(of: Self.source, epoch: head.epoch, parent: parent)
    }

    mutating func prune(_ count: Int) {
        for record in records.prefix(count) {
            kept[Self.key(record)] = record
            head.base = LogCursor(epoch: record.epoch, seq: record.seq, chain: record.chain)
        }
        records.removeFirst(min(count, records.count))
        head.first = head.base.epoch == head.epoch ? head.base.seq + 1 : 1
    }

    /// What the state of a whole reading is.
    var state: [String: Int] {
        Dictionary(history.map { Self.value($0) }.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
    }

    func head(of source: Source) async throws -> LogHead { head }

    func records(
        of source: Source, epoch: Int64, after: Int64, limit: Int, maxBytes: Int
    ) async throws -> [LogRecord] {
        Array(records.filter { $0.epoch == epoch && $0.seq > after }.prefix(limit))
    }

    func snapshot(
        of source: Source, after: LogPlace?, limit: Int, maxBytes: Int
    ) async throws -> (head: LogHead, records: [LogRecord], more: Bool) {
        let all = kept.values.sorted { $0.place < $1.place }.filter { record in after.map { $0 < record.place } ?? true
        }
        return (head, Array(all.prefix(limit)), all.count > limit)
    }

    func answer(_ request: FetchRequest) async throws -> FetchAnswer {
        let params = try Wire.decode(JSONValue.self, from: Wire.encode(request))
        let reply = await LogFetch(source: Self.source, reader: self).fetch(
            BusRequest(method: "fetch", user: "local", params: params, deadline: .seconds(1)))
        return FetchAnswer(reply, of: Self.source)
    }

    func answer(_ request: SnapshotRequest) async throws -> SnapshotAnswer {
        let params = try Wire.decode(JSONValue.self, from: Wire.encode(request))
        let reply = await LogFetch(source: Self.source, reader: self).snapshot(
            BusRequest(method: "snapshot", user: "local", params: params, deadline: .seconds(1)))
        return SnapshotAnswer(reply, of: Self.source)
    }
}

/// What a follower's database does with what it is given; survives its crashes.
struct FollowerTable {
    var cursor: LogCursor?
    var loading: LogPlace?
    var applied: [LogRecord] = []
    var state: [String: Int] = [:]

    mutating func apply(_ records: [LogRecord]) {
        for record in records {
            take(record)
            cursor = LogCursor(epoch: record.epoch, seq: record.seq, chain: record.chain)
        }
    }

    mutating func apply(_ part: SnapshotPart) {
        let done = [cursor?.place, loading].compactMap(\.self).max()
        for record in part.records where done.map({ $0 < record.place }) ?? true { take(record) }
        if part.isLast {
            cursor = part.at
            loading = nil
        } else if let last = part.records.last?.place, done.map({ $0 < last }) ?? true {
            loading = last
        }
    }

    private mutating func take(_ record: LogRecord) {
        applied.append(record)
        let (key, value) = LongLog.value(record)
        state[key] = value
    }
}
