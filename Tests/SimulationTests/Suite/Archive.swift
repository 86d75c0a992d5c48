import EventLog
import Foundation
import GRDB
import Messages
import Store

/// Logs that are cut back to very little, far beyond what an operator would set, and what was cut, for the checkers.
enum Archive {
    static func migrate(_ migrator: inout DatabaseMigrator) {
        migrator.registerMigration("simulator: what was deleted of logs") { db in
            try db.execute(
                sql: """
                    CREATE TABLE archive (source TEXT, epoch INTEGER, seq INTEGER, body BLOB) STRICT;
                    CREATE TRIGGER archiving AFTER DELETE ON outbox BEGIN
                        INSERT INTO archive VALUES (OLD.source, OLD.epoch, OLD.seq, OLD.body);
                    END;
                    """)
        }
    }

    static func cut(_ logs: [Source], _ store: StateStore) async {
        let rule = Retention(age: .zero, events: Int64.random(in: 3...30))
        while !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(Int.random(in: 100...2500)))
            for log in logs {
                // What cannot be deleted now is the next time.
                while (try? await store.prune(log, by: rule, atOnce: 40)) == true, !Task.isCancelled {}
            }
        }
    }

    /// Everything that a log ever said, in order.
    static func events(of source: Source, in db: Database) throws -> [(place: LogPlace, envelope: Envelope)] {
        let isThere = try db.tableExists("archive")
        return try Row.fetchAll(
            db,
            sql: """
                SELECT epoch, seq, body FROM (SELECT source, epoch, seq, body FROM outbox
                    \(isThere ? "UNION ALL SELECT source, epoch, seq, body FROM archive" : ""))
                WHERE source = ? ORDER BY epoch, seq
                """, arguments: [source.name]
        ).map { row in
            (LogPlace(epoch: row["epoch"], seq: row["seq"]), try Wire.decode(Envelope.self, from: row["body"] as Data))
        }
    }
}
