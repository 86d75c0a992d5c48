import EventLog
import Foundation
import GRDB
import Messages

/// Where a service's logs stood, kept beside its database and not in it: a database put back from a backup is behind it,
/// or is another file (bus.md 3).
///
/// It is written after what it says is on disk, so an untouched database is never behind it, whatever crashed.
package struct LogMark: Sendable, Hashable, Codable {
    /// The number of the database's file: a copy has another one, as a rule.
    package var file: UInt64
    package var logs: [String: LogCursor]

    package init(file: UInt64, logs: [String: LogCursor]) {
        self.file = file
        self.logs = logs
    }

    /// What a log was like when the mark was read, as far as the database still tells.
    package struct Found: Sendable, Hashable {
        package var head: LogHead
        /// The chain at the mark's place; `nil` where that was deleted meanwhile.
        package var chain: Chain?

        package init(head: LogHead, chain: Chain?) {
            self.head = head
            self.chain = chain
        }
    }

    /// Why these logs must go on under a new epoch; `nil`: this is the database that the mark was written for.
    ///
    /// - Parameter mark: `nil` where there is none.
    package static func contradiction(
        _ mark: LogMark?, file: UInt64, logs: [Source: Found]
    ) -> String? {
        let isNew = logs.values.allSatisfy { $0.head.last == 0 && $0.head.lineage.isEmpty }
        guard let mark else { return isNew ? nil : "the database is a copy: the mark beside it is missing" }
        for (source, found) in logs.sorted(by: { $0.key.name < $1.key.name }) {
            guard let marked = mark.logs[source.name] else { continue }
            let place = "\(marked.epoch)/\(marked.seq)"
            guard let end = found.head.end(of: marked.epoch), marked.seq <= end.seq else {
                return "the log \(source) had come to \(place) before: an older copy of the database was put back"
            }
            if let chain = found.chain, chain != marked.chain {
                return "the log \(source) had other events up to \(place): another database was put here"
            }
        }
        if mark.file != file { return "the database is a copy: another file than the one used before" }
        return nil
    }
}

extension LogMark {
    /// `nil` when there is none, or it cannot be read: then it is as good as missing.
    package static func read(_ path: String) -> LogMark? {
        guard let text = try? Data(contentsOf: URL(fileURLWithPath: path)) else { return nil }
        return try? Wire.decode(LogMark.self, from: text)
    }

    package func write(_ path: String) throws {
        try Wire.encode(self).write(to: URL(fileURLWithPath: path), options: .atomic)
    }

    /// 0 where the file system tells none: then only what the logs say is compared.
    package static func fileNumber(_ path: String) -> UInt64 {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        return (attributes?[.systemFileNumber] as? NSNumber)?.uint64Value ?? 0
    }
}

extension StateStore {
    /// Compares these logs with the mark beside the database, and begins a new epoch where it was restored; the leader
    /// does so before it publishes anything.
    ///
    /// - Returns: why there is a new epoch, if there is.
    package func settleEpoch(of logs: [Source], mark path: String) async throws -> String? {
        // In this order: what the mark says was on disk before it was written.
        let mark = LogMark.read(path)
        let file = LogMark.fileNumber(self.path)
        let found = try await read { db in
            try Dictionary(
                uniqueKeysWithValues: logs.map { log in (log, try Self.look(at: log, mark?.logs[log.name], in: db)) })
        }
        guard let reason = LogMark.contradiction(mark, file: file, logs: found) else {
            try await writeMark(of: logs, path)
            return nil
        }
        let source = source
        try await write { transaction in
            for log in logs {
                let tip = try transaction.beginEpoch(of: log)
                try transaction.publish(
                    EpochBegun(service: source.name, source: log.name, epoch: tip.epoch, reason: reason),
                    subject: "source/\(log)", key: log.name, because: .first(actor: "service:\(source)"))
            }
        }
        try await writeMark(of: logs, path)
        return reason
    }

    /// Before anything is appended: a database without a mark that has events is taken for a copy.
    package func markIfNew(_ logs: [Source], _ path: String) async throws {
        for log in logs {
            let head = try await head(of: log)
            guard head.last == 0, head.lineage.isEmpty else { return }
        }
        try await writeMark(of: logs, path)
    }

    /// Notes beside the database how far its logs have come.
    package func writeMark(of logs: [Source], _ path: String) async throws {
        let tips = try await read { db in
            try Dictionary(uniqueKeysWithValues: logs.map { ($0.name, try Outbox.tip(of: $0, in: db)) })
        }
        let mark = LogMark(file: LogMark.fileNumber(self.path), logs: tips)
        if LogMark.read(path) != mark { try mark.write(path) }
    }

    private static func look(at log: Source, _ marked: LogCursor?, in db: Database) throws -> LogMark.Found {
        let head = try Outbox.head(of: log, in: db)
        guard let marked else { return LogMark.Found(head: head, chain: nil) }
        if let end = head.end(of: marked.epoch), end.seq == marked.seq {
            return LogMark.Found(head: head, chain: end.chain)
        }
        if head.base.place == marked.place { return LogMark.Found(head: head, chain: head.base.chain) }
        let next = try String.fetchOne(
            db.cachedStatement(sql: "SELECT prev FROM outbox WHERE source = ? AND epoch = ? AND seq = ?"),
            arguments: [log.name, marked.epoch, marked.seq + 1])
        return LogMark.Found(head: head, chain: next.flatMap { Chain(hex: $0) })
    }
}
