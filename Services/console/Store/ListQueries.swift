import GRDB
import Messages
import ServiceKit

/// The shorter listings.
enum ListQueries {
    static func repositories(_ page: Page, _ db: Database) throws -> JSONValue {
        var filter = Filter()
        filter.add("state <> 'removed'")
        return try db.page("SELECT * FROM repositories", filter, order: "name", page)
    }

    static func repositoryNames(_ db: Database) throws -> [String] {
        try String.fetchAll(
            db.cachedStatement(sql: "SELECT name FROM repositories WHERE state <> 'removed' ORDER BY name"))
    }

    static func projects(_ page: Page, _ db: Database) throws -> JSONValue {
        try db.page("SELECT * FROM projects", Filter(), order: "name", page)
    }

    static func projectNames(_ db: Database) throws -> [String] {
        try String.fetchAll(db.cachedStatement(sql: "SELECT name FROM projects ORDER BY name"))
    }

    /// `nil` where there is no such project.
    static func pipelines(of project: String, _ db: Database) throws -> [String]? {
        try db.one("SELECT pipelines_json FROM projects WHERE name = ?", [project])?["pipelines"]?.array?
            .compactMap(\.string)
    }

    static func allPipelines(_ db: Database) throws -> [String] {
        try db.list("SELECT pipelines_json FROM projects").flatMap { $0["pipelines"]?.array ?? [] }.compactMap(\.string)
    }

    static func approvals(state: String?, _ page: Page, _ db: Database) throws -> JSONValue {
        var filter = Filter()
        filter.equal("state", state)
        return try db.page("SELECT * FROM approvals", filter, order: "requested DESC, id", page)
    }

    static func approval(_ id: String, _ db: Database) throws -> JSONValue? {
        try db.one("SELECT * FROM approvals WHERE id = ?", [id])
    }

    static func waitingApprovals(of run: String, _ db: Database) throws -> [JSONValue] {
        try db.list("SELECT * FROM approvals WHERE run = ? AND state = 'waiting'", [run])
    }

    static func endpoints(_ page: Page, _ db: Database) throws -> JSONValue {
        try db.page("SELECT * FROM endpoints", Filter(), order: "name", page)
    }

    static func endpoint(_ name: String, _ db: Database) throws -> JSONValue? {
        let deployments = try db.list(
            "SELECT * FROM deployments WHERE endpoint = ? ORDER BY started DESC LIMIT 20", [name])
        let endpoint = try db.one("SELECT * FROM endpoints WHERE name = ?", [name])
        if endpoint == nil, deployments.isEmpty { return nil }
        let shown = endpoint ?? .object(["name": .string(name), "state": "never served"])
        return shown.with("deployments", .array(deployments))
    }

    static func driftedEndpoints(_ db: Database) throws -> [JSONValue] {
        try db.list("SELECT * FROM endpoints WHERE drift IS NOT NULL ORDER BY name LIMIT 20")
    }

    static func endpointNames(_ db: Database) throws -> [String] {
        try String.fetchAll(db.cachedStatement(sql: "SELECT name FROM endpoints ORDER BY name"))
    }

    static func deadLetters(state: String?, service: String?, _ page: Page, _ db: Database) throws -> JSONValue {
        var filter = Filter()
        filter.equal("state", state)
        filter.equal("service", service)
        return try db.page("SELECT * FROM dead_letters", filter, order: "created DESC, id", page)
    }

    static func deadLetter(_ id: String, _ db: Database) throws -> JSONValue? {
        try db.one("SELECT * FROM dead_letters WHERE id = ?", [id])
    }

    static func notifications(_ page: Page, _ db: Database) throws -> JSONValue {
        try db.page("SELECT * FROM notifications", Filter(), order: "time DESC, id", page)
    }

    static func verdicts(
        pipeline: String, cause: String?, everyKind: Bool = true, _ page: Page, _ db: Database
    ) throws -> JSONValue {
        // Each by its index, the newest first: there are millions. A rejected project file, and what a forge sent in
        // vain, is held against all pipelines at once.
        let most = page.offset + page.limit + 1
        let parts = [pipeline, "*"].map { name -> Filter in
            var filter = Filter()
            if let cause {
                // An event that is heard in several projects is a cause in each: its id, or its id with an '@' behind.
                filter.add(
                    "cause >= ? AND cause < ? || 'A' AND (cause = ? OR cause >= ? || '@')", cause, cause, cause, cause)
            }
            // A pipeline has many causes, a cause few verdicts: the '+' keeps SQLite from going by the pipeline.
            filter.add(cause == nil ? "pipeline = ?" : "+pipeline = ?", name)
            if !everyKind { filter.add("code <> 'no_trigger'") }
            return filter
        }
        var arguments: StatementArguments = []
        let selects = parts.map { filter -> String in
            arguments += filter.arguments
            arguments += [most]
            return "SELECT * FROM (SELECT * FROM verdicts \(filter.clause) ORDER BY time DESC LIMIT ?)"
        }
        return try db.page(
            "SELECT * FROM (\(selects.joined(separator: " UNION ALL ")))", Filter(arguments: arguments),
            order: "time DESC, project", page)
    }

    /// What `status` counts.
    static func counts(_ db: Database) throws -> JSONValue {
        try db.one(
            """
            SELECT (SELECT count(*) FROM runs WHERE state = 'queued') AS queued_runs,
            (SELECT count(*) FROM runs WHERE state = 'running') AS running_runs,
            (SELECT count(*) FROM approvals WHERE state = 'waiting') AS waiting_approvals,
            (SELECT count(*) FROM dead_letters WHERE state = 'waiting') AS dead_letters
            """) ?? .null
    }
}

extension ListQueries {
    /// Whether there is such a pipeline: better said at once than by a refused command.
    static func check(project: String, pipeline: String, _ db: Database) throws {
        guard let pipelines = try pipelines(of: project, db) else {
            throw Refusal.missing("project", project, among: try projectNames(db), list: "martlet repo list")
        }
        guard pipelines.contains(pipeline) else {
            let hint = nearest(pipeline, among: pipelines).map { "did you mean '\($0)'?" }
            throw Refusal(
                404, "\(project) has no pipeline '\(pipeline)'",
                hint: hint ?? "it has: \(pipelines.joined(separator: ", "))")
        }
    }
}
