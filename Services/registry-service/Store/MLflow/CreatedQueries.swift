import Foundation
import GRDB
import Messages
import Store

/// What was made for a request, and who answers it; nobody where the answer broke off.
struct MadeBefore: Sendable, Hashable {
    var answer: Data
    var owner: String
}

/// What was made for a request is remembered for as long as a client may send it again.
enum CreatedQueries {
    /// Longer than the retries of MLflow's clients take together.
    static let window: Int64 = 15 * 60 * 1000

    static func made(for request: String, after time: Int64, _ db: Database) throws -> MadeBefore? {
        try db.row("SELECT answer, owner FROM created WHERE request = ? AND time > ?", [request, time]).map {
            MadeBefore(answer: $0["answer"], owner: $0["owner"])
        }
    }
}

extension Transaction {
    func remember(answer: Data, to request: String, by owner: String) throws {
        try db.run(
            "INSERT OR REPLACE INTO created (request, answer, owner, time) VALUES (?, ?, ?, ?)",
            [request, answer, owner, now.milliseconds])
        // A few at a time: never more work than what is added.
        try db.run(
            """
            DELETE FROM created WHERE request IN (SELECT request FROM created WHERE time < ? ORDER BY time LIMIT 4)
            """, [now.milliseconds - CreatedQueries.window])
    }

    /// Nothing else that was made for the same request.
    func forget(answer: Data, to request: String) throws {
        try db.run("DELETE FROM created WHERE request = ? AND answer = ?", [request, answer])
    }

    /// The answer broke off: whichever replica is asked again tells it.
    func disown(answer: Data, to request: String) throws {
        try db.run("UPDATE created SET owner = '' WHERE request = ? AND answer = ?", [request, answer])
    }
}
