import Foundation
import GRDB
import Messages
import Processes
import Store

/// An endpoint as the table has it.
struct EndpointRecord: Sendable, Hashable {
    var name: String
    var project: String
    var target: String
    var model: String
    var current: String?
}

/// A deployment with its process as last recorded.
struct DeploymentRecord: Sendable, Hashable {
    var deployment: Deployment
    /// Chosen before its process is started, so that it is known whatever happens.
    var port: Int?
    var process: ProcessIdentity?
    /// The gateway beside which its process runs; `nil` where all replicas share one machine.
    var home: String?
}

enum RolloutQueries {
    static func endpoint(_ name: String, _ db: Database) throws -> EndpointRecord? {
        try Row.fetchOne(db.cachedStatement(sql: "SELECT * FROM endpoint WHERE name = ?"), arguments: [name]).map(
            endpoint)
    }

    static func endpoints(_ db: Database) throws -> [EndpointRecord] {
        try Row.fetchAll(db.cachedStatement(sql: "SELECT * FROM endpoint ORDER BY name")).map(endpoint)
    }

    static func deployment(_ id: String, _ db: Database) throws -> DeploymentRecord? {
        try Row.fetchOne(db.cachedStatement(sql: "SELECT * FROM deployment WHERE id = ?"), arguments: [id]).map(record)
    }

    static func deployment(item: String, _ db: Database) throws -> DeploymentRecord? {
        try Row.fetchOne(db.cachedStatement(sql: "SELECT * FROM deployment WHERE item = ?"), arguments: [item]).map(
            record)
    }

    static func rollout(of endpoint: String, _ db: Database) throws -> Rollout {
        let rows = try Row.fetchAll(
            db.cachedStatement(sql: "SELECT * FROM deployment WHERE endpoint = ? ORDER BY number"),
            arguments: [endpoint])
        let current = try String.fetchOne(
            db.cachedStatement(sql: "SELECT current FROM endpoint WHERE name = ?"), arguments: [endpoint])
        return Rollout(endpoint: endpoint, current: current, deployments: try rows.map { try record($0).deployment })
    }

    /// Those that have, or are to have, a process.
    static func live(_ db: Database) throws -> [DeploymentRecord] {
        try Row.fetchAll(db.cachedStatement(sql: "SELECT * FROM deployment WHERE phase <> 'ended' ORDER BY number"))
            .map(record)
    }

    static func ids(_ db: Database) throws -> Set<String> {
        Set(try String.fetchAll(db.cachedStatement(sql: "SELECT id FROM deployment")))
    }

    static func endpoints(ofRun run: String, _ db: Database) throws -> [String] {
        try String.fetchAll(
            db.cachedStatement(sql: "SELECT DISTINCT endpoint FROM deployment WHERE run = ?"), arguments: [run])
    }

    static func revision(_ db: Database) throws -> Int64 {
        try Int64.fetchOne(db.cachedStatement(sql: "SELECT number FROM revision")) ?? 0
    }

    private static func endpoint(_ row: Row) -> EndpointRecord {
        EndpointRecord(
            name: row["name"], project: row["project"], target: row["target"], model: row["model"],
            current: row["current"])
    }

    private static func record(_ row: Row) throws -> DeploymentRecord {
        var deployment = Deployment(
            id: row["id"], item: row["item"], endpoint: row["endpoint"], project: row["project"],
            target: row["target"], model: row["model"], version: row["version"], run: row["run"],
            recipe: try Wire.decode(Recipe.self, from: row["recipe"]),
            causation: try Wire.decode(Causation.self, from: row["causation"]))
        // The table's CHECK allows no other word.
        deployment.phase = Deployment.Phase(rawValue: row["phase"]) ?? .retiring
        deployment.isUp = row["up"]
        deployment.isProven = row["proven"]
        deployment.isRolledBack = row["rolled_back"]
        deployment.previous = row["previous"]
        deployment.outcome = (row["outcome"] as String?).flatMap { Outcome(rawValue: $0) }
        deployment.message = row["message"]
        deployment.trouble = row["trouble"]
        deployment.stage = row["stage"]
        var process: ProcessIdentity?
        if let pid: Int32 = row["pid"], let start: Int64 = row["start_time"], let boot: String = row["boot"] {
            process = ProcessIdentity(pid: pid, startTime: UInt64(start), boot: boot)
        }
        return DeploymentRecord(deployment: deployment, port: row["port"], process: process, home: row["home"])
    }
}

extension Transaction {
    /// Keeps the newest 200 deployments of each endpoint, and every one that lives.
    func forgetOldDeployments() throws {
        try db.cachedStatement(
            sql: """
                DELETE FROM deployment WHERE phase = 'ended'
                    AND id NOT IN (SELECT current FROM endpoint WHERE current IS NOT NULL)
                    AND number IN (
                        SELECT number FROM (
                            SELECT number, row_number() OVER (PARTITION BY endpoint ORDER BY number DESC) AS age
                            FROM deployment)
                        WHERE age > 200)
                """
        ).execute()
    }

    func save(_ endpoint: EndpointRecord) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO endpoint (name, project, target, model, current) VALUES (?, ?, ?, ?, ?)
                ON CONFLICT (name) DO UPDATE SET target = excluded.target, model = excluded.model
                """
        ).execute(arguments: [endpoint.name, endpoint.project, endpoint.target, endpoint.model, endpoint.current])
    }

    /// Writes what differs from how it was read.
    func save(_ rollout: Rollout, before: Rollout) throws {
        for deployment in rollout.deployments where before[deployment.id] != deployment { try save(deployment) }
        if rollout.current != before.current {
            try db.cachedStatement(sql: "UPDATE endpoint SET current = ? WHERE name = ?").execute(arguments: [
                rollout.current, rollout.endpoint,
            ])
        }
        try db.cachedStatement(sql: "UPDATE revision SET number = number + 1").execute()
    }

    private func save(_ deployment: Deployment) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO deployment (id, item, endpoint, project, target, model, version, run, recipe, causation,
                    phase, up, proven, rolled_back, previous, outcome, message, trouble)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (id) DO UPDATE SET phase = excluded.phase, up = excluded.up, proven = excluded.proven,
                    rolled_back = excluded.rolled_back, previous = excluded.previous, outcome = excluded.outcome,
                    message = excluded.message, trouble = excluded.trouble
                """
        ).execute(arguments: [
            deployment.id, deployment.item, deployment.endpoint, deployment.project, deployment.target,
            deployment.model, deployment.version, deployment.run, try Wire.encode(deployment.recipe),
            try Wire.encode(deployment.causation), deployment.phase.rawValue, deployment.isUp, deployment.isProven,
            deployment.isRolledBack, deployment.previous, deployment.outcome?.rawValue, deployment.message,
            deployment.trouble,
        ])
    }

    /// Before a process is started: where it is going to listen. Whatever process was recorded is gone.
    func intendProcess(of id: String, port: Int, home: String?) throws {
        try db.cachedStatement(
            sql: "UPDATE deployment SET port = ?, home = ?, pid = NULL, start_time = NULL, boot = NULL WHERE id = ?"
        ).execute(arguments: [port, home, id])
        try db.cachedStatement(sql: "UPDATE revision SET number = number + 1").execute()
    }

    func recordProcess(of id: String, _ process: ProcessIdentity) throws {
        try db.cachedStatement(sql: "UPDATE deployment SET pid = ?, start_time = ?, boot = ? WHERE id = ?").execute(
            arguments: [process.pid, Int64(clamping: process.startTime), process.boot, id])
    }
}
