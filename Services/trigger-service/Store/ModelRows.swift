import Foundation
import GRDB
import Messages
import Store

extension Transaction {
    /// A number that is known already is that of a version that the registry has lost: the new one takes its place.
    func insert(_ registered: ModelRegistered) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO model_version (model, version, tags, project, run, repository, branch, sha)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (model, version) DO UPDATE SET
                    stage = CASE WHEN run IS excluded.run AND sha IS excluded.sha THEN stage END,
                    tags = CASE WHEN run IS excluded.run AND sha IS excluded.sha THEN tags ELSE excluded.tags END,
                    project = excluded.project, run = excluded.run, repository = excluded.repository,
                    branch = excluded.branch, sha = excluded.sha
                """
        ).execute(arguments: [
            registered.model, registered.version, try Wire.encode(registered.tags), registered.project,
            registered.run, registered.git?.repository, registered.git?.branch, registered.git?.sha,
        ])
    }

    func setStage(_ stage: String?, model: String, version: Int) throws {
        try db.cachedStatement(
            sql: """
                UPDATE model_version SET stage = ?, changed = (SELECT max(changed) + 1 FROM model_version WHERE model = ?)
                WHERE model = ? AND version = ?
                """
        ).execute(arguments: [stage, model, model, version])
    }

    func forget(_ deleted: ModelVersionDeleted) throws {
        try db.cachedStatement(sql: "DELETE FROM model_version WHERE model = ? AND version = ?").execute(arguments: [
            deleted.model, deleted.version,
        ])
    }

    func apply(_ tagged: ModelTagged) throws {
        guard var tags = try version(tagged.model, tagged.version)?.tags else { return }
        tags.merge(tagged.set) { $1 }
        for name in tagged.removed { tags[name] = nil }
        try db.cachedStatement(sql: "UPDATE model_version SET tags = ? WHERE model = ? AND version = ?").execute(
            arguments: [try Wire.encode(tags), tagged.model, tagged.version])
    }

    /// What is known of a version.
    func version(_ model: String, _ version: Int) throws -> (tags: [String: String], origin: VersionOrigin)? {
        guard
            let row = try Row.fetchOne(
                db.cachedStatement(sql: "SELECT * FROM model_version WHERE model = ? AND version = ?"),
                arguments: [model, version])
        else { return nil }
        var origin = VersionOrigin(project: row["project"])
        if let repository: String = row["repository"], let sha: String = row["sha"], GitNames.isCommit(sha) {
            let url = try self.repository(repository)?.url
            origin.git = url.map {
                GitReference(repository: repository, url: $0, branch: row["branch"] ?? "", sha: sha, message: "")
            }
        }
        if let id: String = row["run"], let facts = try run(id)?.run.facts {
            origin.requester = facts.requester
            origin.requesterEmail = facts.requesterEmail
            origin.otherRequesters = facts.otherRequesters
            origin.untrusted = facts.untrusted
        }
        return (try row.decode([String: String].self, "tags"), origin)
    }

    /// The version that a selector means now: empty when there is none, `nil` when it cannot be told here.
    func champion(of model: String, _ selector: Selector) throws -> String? {
        switch selector {
        case .version(let number): return String(number)
        case .latest: return try newest(model, where: "1", [])
        case .stage(let stage):
            return try newest(model, where: "stage = ?", [stage], order: "changed DESC, version DESC")
        case .tag(let key, let value):
            return try newest(
                model, where: "EXISTS (SELECT 1 FROM json_each(CAST(tags AS TEXT)) WHERE key = ? AND value = ?)",
                [key, value])
        case .current: return nil
        }
    }

    private func newest(
        _ model: String, where condition: String, _ arguments: StatementArguments, order: String = "version DESC"
    ) throws -> String {
        let version = try Int.fetchOne(
            db, sql: "SELECT version FROM model_version WHERE model = ? AND \(condition) ORDER BY \(order) LIMIT 1",
            arguments: [model] + arguments)
        return version.map(String.init) ?? ""
    }
}
