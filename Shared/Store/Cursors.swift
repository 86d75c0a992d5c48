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
            arguments: ["\(fork.epoch)/\(fork.seq): expected \(fork.expected), found \(fork.found)", fork.source.name]
        )
    }
}

extension StateStore {
    package func cursor(for source: Source) async throws -> LogCursor? {
        try await read { db in
            let row = try Row.fetchOne(db, sql: "SELECT * FROM cursor WHERE source = ?", arguments: [source.name])
            guard let row, let chain = Chain(hex: row["chain"]) else { return nil }
            return LogCursor(epoch: row["epoch"], seq: row["seq"], chain: chain)
        }
    }

    /// The sources that a fork was found in, until an operator releases them.
    package func quarantined() async throws -> [Source] {
        try await read { db in
            try String.fetchAll(db, sql: "SELECT source FROM cursor WHERE quarantined IS NOT NULL")
                .map { Source(stringLiteral: $0) }
        }
    }
}
