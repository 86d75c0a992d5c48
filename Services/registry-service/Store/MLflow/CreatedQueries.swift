import Foundation
import GRDB
import Messages
import Store

/// What was made for a request is remembered for as long as a client may send it again.
enum CreatedQueries {
    /// Longer than the retries of MLflow's clients take together.
    static let window: Int64 = 15 * 60 * 1000

    static func answer(to request: String, after time: Int64, _ db: Database) throws -> JSONValue? {
        let row = try db.row("SELECT answer FROM created WHERE request = ? AND time > ?", [request, time])
        return try row.map { try Wire.decode(JSONValue.self, from: $0["answer"]) }
    }
}

extension Transaction {
    func remember(answer: JSONValue, to request: String) throws {
        try db.run(
            "INSERT OR REPLACE INTO created (request, answer, time) VALUES (?, ?, ?)",
            [request, try Wire.encode(answer), now.milliseconds])
        // A few at a time: never more work than what is added.
        try db.run(
            """
            DELETE FROM created WHERE request IN (SELECT request FROM created WHERE time < ? ORDER BY time LIMIT 4)
            """, [now.milliseconds - CreatedQueries.window])
    }
}

extension Transaction {
    func forget(request: String) throws {
        try db.run("DELETE FROM created WHERE request = ?", [request])
    }
}
