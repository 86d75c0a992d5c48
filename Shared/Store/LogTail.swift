import EventLog
import Messages
import Synchronization

/// The newest records of this service's logs, as they were committed here: the publisher sends them without reading them
/// back.
///
/// Only a shortcut: where it has a gap (another replica committed, or the reader is further behind) the database answers.
final class LogTail: Sendable {
    /// Records without a gap between them.
    private struct Run {
        /// At the place that its number has, counted from `origin`: once all places are taken, a new record takes that of
        /// the oldest, and nothing is ever moved.
        private var places: [LogRecord?] = []
        private let origin: Int64
        private(set) var first: Int64
        private(set) var last: Int64
        let epoch: Int64
        private var bytes = 0

        init(before record: LogRecord) {
            (origin, first, last, epoch) = (record.seq, record.seq, record.seq - 1, record.epoch)
        }

        func isFollowed(by record: LogRecord) -> Bool { record.epoch == epoch && record.seq == last + 1 }

        mutating func append(_ record: LogRecord) {
            last = record.seq
            bytes += record.body.count
            if last - first >= most { dropFirst() }
            let place = place(of: last)
            if place == places.count { places.append(record) } else { places[place] = record }
            while bytes > mostBytes, first < last { dropFirst() }
        }

        private mutating func dropFirst() {
            let place = place(of: first)
            bytes -= places[place]?.body.count ?? 0
            places[place] = nil
            first += 1
        }

        func record(_ seq: Int64) -> LogRecord? { places[place(of: seq)] }

        private func place(of seq: Int64) -> Int { Int((seq - origin) % Int64(most)) }
    }

    /// More than the publisher may fall behind before it skips ahead.
    private static let most = 1024
    private static let mostBytes = 2 << 20

    private let runs = Mutex<[Source: Run]>([:])

    /// What one commit appended, in the order of the log.
    func append(_ records: [LogRecord]) {
        if records.isEmpty { return }
        runs.withLock { runs in
            for record in records { Self.append(record, to: &runs) }
        }
    }

    /// Some of its records were deleted: what is left is read from the database.
    func forget(_ source: Source) { runs.withLock { $0[source] = nil } }

    private static func append(_ record: LogRecord, to runs: inout [Source: Run]) {
        if runs[record.source]?.isFollowed(by: record) != true { runs[record.source] = Run(before: record) }
        runs[record.source]?.append(record)
    }

    /// `nil`: the records from `after + 1` on are not all here.
    func records(of source: Source, epoch: Int64, after: Int64, limit: Int, maxBytes: Int) -> [LogRecord]? {
        runs.withLock { runs in
            guard let run = runs[source], run.epoch == epoch, run.first <= after + 1, run.last > after else {
                return nil
            }
            var found: [LogRecord] = []
            var bytes = 0
            for seq in (after + 1)...run.last {
                guard found.count < limit, let record = run.record(seq) else { break }
                bytes += record.body.count
                if bytes > maxBytes, !found.isEmpty { break }
                found.append(record)
            }
            return found
        }
    }
}
