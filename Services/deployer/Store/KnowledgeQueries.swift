import Foundation
import GRDB
import Messages
import Store

/// The facts of a version that deploying it needs.
struct VersionFacts: Sendable, Hashable {
    var artifact: Digest
    var environment: Digest?
    var snapshot: Digest?
    var isDeleted: Bool
}

enum KnowledgeQueries {
    /// The targets of the commit's own project file; of the newest one where the commit is not known.
    static func targets(of project: String, sha: String?, _ db: Database) throws -> [String: JSONValue]? {
        let body = try Data.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT targets FROM project_file f WHERE project = ?1
                    ORDER BY digest = (SELECT digest FROM project_commit WHERE project = ?1 AND sha = ?2) DESC, seen DESC
                    LIMIT 1
                    """), arguments: [project, sha])
        return try body.map { try Wire.decode([String: JSONValue].self, from: $0) }
    }

    static func version(_ version: Int, of model: String, _ db: Database) throws -> VersionFacts? {
        let row = try Row.fetchOne(
            db.cachedStatement(sql: "SELECT * FROM model_version WHERE model = ? AND version = ?"),
            arguments: [model, version])
        guard let row, let artifact = Digest(row["artifact"] as String) else { return nil }
        return VersionFacts(
            artifact: artifact, environment: (row["environment"] as String?).flatMap { Digest($0) },
            snapshot: (row["snapshot"] as String?).flatMap { Digest($0) }, isDeleted: row["deleted"])
    }
}

extension Transaction {
    func remember(_ project: ProjectLoaded) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO project_file (project, digest, targets, seen)
                VALUES (?1, ?2, ?3, (SELECT ifnull(max(seen), 0) + 1 FROM project_file WHERE project = ?1))
                ON CONFLICT (project, digest) DO UPDATE SET targets = excluded.targets, seen = excluded.seen
                """
        ).execute(arguments: [project.project, project.digest, try Wire.encode(project.targets)])
        try remember(commit: project.sha, of: project.project, digest: project.digest)
    }

    func remember(commit sha: String, of project: String, digest: String) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO project_commit (project, sha, digest) VALUES (?, ?, ?)
                ON CONFLICT (project, sha) DO UPDATE SET digest = excluded.digest
                """
        ).execute(arguments: [project, sha, digest])
    }

    func remember(_ version: ModelRegistered) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO model_version (model, version, artifact, environment, snapshot) VALUES (?, ?, ?, ?, ?)
                ON CONFLICT (model, version) DO UPDATE SET artifact = excluded.artifact,
                    environment = excluded.environment, snapshot = excluded.snapshot, deleted = 0
                """
        ).execute(arguments: [
            version.model, version.version, version.artifact.digest.text, version.environment?.text,
            version.snapshot?.text,
        ])
    }

    func forget(_ deleted: ModelVersionDeleted) throws {
        try db.cachedStatement(sql: "UPDATE model_version SET deleted = 1 WHERE model = ? AND version = ?").execute(
            arguments: [deleted.model, deleted.version])
    }
}
