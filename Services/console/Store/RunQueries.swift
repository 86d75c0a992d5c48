import GRDB
import Messages
import ServiceKit

enum RunQueries {
    private static let columns = """
        SELECT id, number, project, pipeline, branch, sha, message, state, outcome, note, failed_step, reason, actor,
        queued, started, finished, seconds, attempt, canceling, concurrency FROM runs
        """

    /// Not a state of its own: it goes on until the workers have confirmed.
    static let canceling = "canceling"

    static func list(
        project: String?, pipeline: String?, state: String?, branch: String?, _ page: Page, _ db: Database
    ) throws -> JSONValue {
        var filter = Filter()
        filter.equal("project", project)
        filter.equal("pipeline", pipeline)
        filter.equal("branch", branch)
        if state == canceling {
            filter.add("canceling IS NOT NULL")
        } else if let state {
            filter.add("(state = ? OR outcome = ?)", state, state)
        }
        return try db.page(columns, filter, order: "queued DESC, number DESC", page)
    }

    /// The run that a person means: an id or its unique end, a number, or `pipeline#number`.
    static func resolve(_ text: String, _ db: Database) throws -> String {
        let found = try candidates(text, db)
        guard let first = found.first else {
            throw Refusal(404, "no run '\(text)'", hint: "'martlet runs list' shows what there is")
        }
        guard found.count == 1 else {
            throw Refusal(
                409, "'\(text)' could be several runs",
                hint: "give the id of one: \(found.prefix(5).joined(separator: ", "))")
        }
        return first
    }

    private static func candidates(_ text: String, _ db: Database) throws -> [String] {
        let exact = try String.fetchAll(db.cachedStatement(sql: "SELECT id FROM runs WHERE id = ?"), arguments: [text])
        guard exact.isEmpty else { return exact }
        if let hash = text.lastIndex(of: "#"), let number = Int(text[text.index(after: hash)...]) {
            let name = String(text[..<hash])
            return try String.fetchAll(
                db.cachedStatement(
                    sql: "SELECT id FROM runs WHERE number = ? AND (? IN ('', pipeline, project || '/' || pipeline))"),
                arguments: [number, name])
        }
        let byNumber = try Int(text).map {
            try String.fetchAll(db.cachedStatement(sql: "SELECT id FROM runs WHERE number = ?"), arguments: [$0])
        }
        if let byNumber, !byNumber.isEmpty { return byNumber }
        guard text.count >= 4 else { return [] }
        return try String.fetchAll(
            db.cachedStatement(sql: "SELECT id FROM runs WHERE substr(id, -length(?)) = ? LIMIT 6"),
            arguments: [text, text])
    }

    static func show(_ id: String, _ db: Database) throws -> JSONValue? {
        guard let run = try db.one("SELECT * FROM runs WHERE id = ?", [id]) else { return nil }
        let tries = Dictionary(
            grouping: try db.list(
                "SELECT * FROM step_attempts WHERE run = ? ORDER BY job, step, attempt", [id]), by: place)
        let steps = try db.list("SELECT * FROM steps WHERE run = ? ORDER BY ordinal, started", [id]).map { step in
            step.with("attempts", .array(tries[place(step)] ?? []))
        }
        let jobs = try db.list("SELECT * FROM jobs WHERE run = ? ORDER BY ordinal, started", [id]).map { job in
            job.with("steps", .array(steps.filter { $0["job"] == job["job"] }))
        }
        return
            run
            .with("attempts", .array(try attempts(of: id, db)))
            .with("waitsFor", .array(try waitsFor(run, db)))
            .with("jobs", .array(jobs))
            .with("approvals", .array(try db.list("SELECT * FROM approvals WHERE run = ? ORDER BY requested", [id])))
            .with("decisions", .array(try db.list("SELECT * FROM decisions WHERE run = ? ORDER BY decided", [id])))
            .with(
                "versions",
                .array(
                    try db.list(
                        "SELECT model, version, stage, deleted FROM versions WHERE run = ? ORDER BY version", [id])))
    }

    private static func place(_ step: JSONValue) -> [String?] { [step["job"]?.string, step["step"]?.string] }

    private static func attempts(of id: String, _ db: Database) throws -> [JSONValue] {
        try db.list("SELECT * FROM run_attempts WHERE run = ? ORDER BY attempt", [id])
    }

    /// The runs of its group that go before a queued one.
    private static func waitsFor(_ run: JSONValue, _ db: Database) throws -> [JSONValue] {
        guard run["state"] == "queued", let group = run["concurrency"]?.string else { return [] }
        return try db.list(
            """
            SELECT id, number, pipeline, state, canceling FROM runs WHERE concurrency = ? AND state <> 'finished'
            AND (state = 'running' OR queued < ? OR (queued = ? AND id < ?)) AND id <> ? ORDER BY queued, id LIMIT 20
            """,
            [group, run["queued"]?.string, run["queued"]?.string, run["id"]?.string, run["id"]?.string])
    }

    /// The steps that have begun, in the order of their beginning: what has a log.
    static func begun(_ id: String, _ db: Database) throws -> [JSONValue] {
        try db.list(
            """
            SELECT s.job, s.step, s.title, s.attempt, s.state, s.outcome, s.log FROM steps s
            WHERE s.run = ? AND s.attempt > 0 ORDER BY s.started, s.ordinal
            """, [id])
    }

    static func step(_ run: String, _ job: String, _ step: String, _ db: Database) throws -> JSONValue? {
        try db.one("SELECT * FROM steps WHERE run = ? AND job = ? AND step = ?", [run, job, step])
    }

    static func jobStart(_ run: String, _ job: String, _ db: Database) throws -> Timestamp? {
        let text = try String.fetchOne(
            db.cachedStatement(sql: "SELECT started FROM jobs WHERE run = ? AND job = ?"), arguments: [run, job])
        return text.flatMap(Timestamp.init)
    }

    static func state(_ id: String, _ db: Database) throws -> String? {
        try String.fetchOne(db.cachedStatement(sql: "SELECT state FROM runs WHERE id = ?"), arguments: [id])
    }
}
