import EventLog
import Foundation
import GRDB
import Messages

extension Transaction {
    /// Moves past `record`, in the transaction that applied it.
    package func advance(past record: LogRecord, chain: Chain) throws {
        try db.execute(
            sql: """
                INSERT INTO cursor (source, epoch, seq, chain) VALUES (?, ?, ?, ?)
                ON CONFLICT (source) DO UPDATE SET epoch = excluded.epoch, seq = excluded.seq, chain = excluded.chain
                """,
            arguments: [record.source.name, record.epoch, record.seq, chain.hex]
        )
    }

    package func quarantine(_ fork: Fork) throws {
        try db.execute(
            sql: "UPDATE cursor SET quarantined = ? WHERE source = ?",
            arguments: [String(decoding: try Wire.encode(fork), as: UTF8.self), fork.source.name]
        )
    }
}

extension StateStore {
    /// - Throws: the `Fork` that was found in the source, until an operator releases it.
    package func cursor(for source: Source) async throws -> LogCursor? {
        try await read { db in
            let row = try Row.fetchOne(db, sql: "SELECT * FROM cursor WHERE source = ?", arguments: [source.name])
            guard let row, let chain = Chain(hex: row["chain"]) else { return nil }
            if let fork: String = row["quarantined"] { throw try Wire.decode(Fork.self, from: Data(fork.utf8)) }
            return LogCursor(epoch: row["epoch"], seq: row["seq"], chain: chain)
        }
    }
}
