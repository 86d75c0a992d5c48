import Foundation
import GRDB

extension StateStore {
    /// Every text and every BLOB of every table, in one consistent look: state, logs, intents and what waits.
    ///
    /// It takes as long as reading the file does, and holds up no writer.
    package func eachStoredValue(_ visit: @escaping @Sendable (UnsafeRawBufferPointer) -> Void) async throws {
        try await read { db in
            let tables = try String.fetchAll(
                db.cachedStatement(
                    sql: """
                        SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
                            AND sql NOT LIKE 'CREATE VIRTUAL%'
                        """))
            for table in tables {
                let rows = try Row.fetchCursor(db, sql: "SELECT * FROM \(table.quotedDatabaseIdentifier)")
                while let row = try rows.next() {
                    for column in 0..<row.count {
                        try row.withUnsafeData(atIndex: column) { bytes in
                            bytes?.withUnsafeBytes { visit($0) }
                        }
                    }
                }
            }
        }
    }
}
