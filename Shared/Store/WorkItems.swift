import Foundation
import GRDB
import Messages

/// A step that this service claimed, and what came of it: a finished step is never done again.
package struct WorkItem: Sendable {
    package var work: StepWork
    package var result: StepResult?
    /// Where the service's log stood with the events of the result.
    package var head: LogPosition?

    /// What is known of a step; `nil` when it was never claimed here.
    package static func fetch(_ item: String, of source: Source, in db: Database) throws -> WorkItem? {
        let statement = try db.cachedStatement(sql: "SELECT * FROM work WHERE item = ?")
        guard let row = try Row.fetchOne(statement, arguments: [item]) else { return nil }
        let payload: Data = row["payload"]
        let result: Data? = row["result"]
        let epoch: Int64? = row["head_epoch"]
        let seq: Int64? = row["head_seq"]
        return WorkItem(
            work: try Wire.decode(StepWork.self, from: payload),
            result: try result.map { try Wire.decode(StepResult.self, from: $0) },
            head: epoch.flatMap { epoch in seq.map { LogPosition(source: source, epoch: epoch, seq: $0) } }
        )
    }
}

extension Transaction {
    /// Remembers a claimed step; a newer token replaces an older one's, a result stays.
    package func remember(_ work: StepWork) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO work (item, token, payload, time) VALUES (?, ?, ?, ?)
                ON CONFLICT (item) DO UPDATE SET token = excluded.token, payload = excluded.payload
                """
        ).execute(arguments: [work.item, work.token, try Wire.encode(work), now.milliseconds]
        )
    }

    /// Decides a step and stores its result with the events of it, in one transaction.
    ///
    /// Two replicas can hold one step for a moment: what the other one stored meanwhile stays, and is what is returned.
    package func settle(_ work: StepWork, deciding: (Transaction) throws -> StepResult) throws -> WorkItem {
        if let known = try workItem(work.item), known.result != nil { return known }
        let result = try deciding(self)
        let head = try head()
        try db.cachedStatement(
            sql: """
                INSERT INTO work (item, token, payload, result, head_epoch, head_seq, time) VALUES (?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (item) DO UPDATE SET token = excluded.token, result = excluded.result,
                    head_epoch = excluded.head_epoch, head_seq = excluded.head_seq
                """
        ).execute(arguments: [
            work.item, work.token, try Wire.encode(work), try Wire.encode(result), head.epoch, head.seq,
            now.milliseconds,
        ]
        )
        return WorkItem(work: work, result: result, head: head)
    }

    package func workItem(_ item: String) throws -> WorkItem? {
        try WorkItem.fetch(item, of: source, in: db)
    }

    /// Results are kept for a week: longer than any grantor asks again.
    package func forgetOldWork() throws {
        let horizon = now.milliseconds - 7 * 24 * 3_600_000
        try db.cachedStatement(sql: "DELETE FROM work WHERE result IS NOT NULL AND time < ?").execute(arguments: [
            horizon
        ])
    }
}
