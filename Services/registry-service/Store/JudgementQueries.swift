import Foundation
import GRDB
import Messages
import Store

/// What the evaluator said.
enum JudgementQueries {
    static func decision(_ digest: String, _ db: Database) throws -> EvaluationDecided? {
        try Data.fetchOne(db.cachedStatement(sql: "SELECT body FROM decision WHERE decision = ?"), arguments: [digest])
            .map { try Wire.decode(EvaluationDecided.self, from: $0) }
    }

    /// How the tests of some runs ended: one that failed is not made good by others. `nil` where there were none.
    static func tests(of runs: [String], _ db: Database) throws -> String? {
        let words = Set(
            try runs.flatMap { run in
                try String.fetchAll(db.cachedStatement(sql: "SELECT status FROM tests WHERE run = ?"), arguments: [run])
            })
        return words.contains("failed") ? "failed" : words.first
    }
}

extension Transaction {
    /// - Returns: whether it is new.
    func remember(_ decided: EvaluationDecided) throws -> Bool {
        try db.cachedStatement(sql: "INSERT INTO decision (decision, body) VALUES (?, ?) ON CONFLICT DO NOTHING")
            .execute(arguments: [decided.decision, try Wire.encode(decided)])
        return db.changesCount > 0
    }

    /// A step that is tried again has a new word.
    func remember(_ tested: TestSuiteFinished) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO tests (run, step, status) VALUES (?, ?, ?)
                ON CONFLICT (run, step) DO UPDATE SET status = excluded.status
                """
        ).execute(arguments: [tested.run, tested.step, tested.status == "passed" ? "passed" : "failed"])
    }
}
