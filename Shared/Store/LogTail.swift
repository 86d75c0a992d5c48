import EventLog
import Messages
import Synchronization

/// The newest records of this service's logs, as they were committed here: the publisher sends them without reading them
/// back.
///
/// Only a shortcut: where it has a gap (another replica committed, or the reader is further behind) the database answers.
final class LogTail: Sendable {
    private struct Run {
        var records: ArraySlice<LogRecord> = []
        var bytes = 0
    }

    /// More than the publisher may fall behind before it skips ahead.
    private static let most = 1024
    private static let mostBytes = 2 << 20

    private let runs = Mutex<[Source: Run]>([:])

    /// What one commit appended, in the order of the log.
    func append(_ records: [LogRecord]) {
        if records.isEmpty { return }
        runs.withLock { runs in
            for record in records { Self.append(record, to: &runs[record.source, default: Run()]) }
        }
    }

    /// Some of its records were deleted: what is left is read from the database.
    func forget(_ source: Source) { runs.withLock { $0[source] = nil } }

    private static func append(_ record: LogRecord, to run: inout Run) {
        if let last = run.records.last, last.epoch != record.epoch || last.seq + 1 != record.seq { run = Run() }
        run.records.append(record)
        run.bytes += record.body.count
        while run.records.count > most || run.bytes > mostBytes, let first = run.records.popFirst() {
            run.bytes -= first.body.count
        }
        // A slice keeps what was dropped from its front until it is copied.
        if run.records.startIndex > most { run.records = ArraySlice(Array(run.records)) }
    }

    /// `nil`: the records from `after + 1` on are not all here.
    func records(of source: Source, epoch: Int64, after: Int64, limit: Int, maxBytes: Int) -> [LogRecord]? {
        runs.withLock { runs in
            guard let run = runs[source], let first = run.records.first, first.epoch == epoch, first.seq <= after + 1,
                let last = run.records.last, last.seq > after
            else { return nil }
            var found: [LogRecord] = []
            var bytes = 0
            for record in run.records.dropFirst(Int(after + 1 - first.seq)).prefix(limit) {
                bytes += record.body.count
                if bytes > maxBytes, !found.isEmpty { break }
                found.append(record)
            }
            return found
        }
    }
}
