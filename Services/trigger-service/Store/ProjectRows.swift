import Foundation
import GRDB
import Messages
import Store

/// The project files of one commit as they were read.
struct CommitFiles: Sendable, Hashable {
    /// `nil`: the commit has none.
    var digest: String?
    /// First line of the commit's message.
    var message: String
}

/// A project as it was last loaded.
struct LoadedProject: Sendable, Hashable {
    var name: String
    var repository: String
    var digest: String
    var sha: String
    var branch: String
    /// Where our log told of it.
    var position: LogPosition
}

extension LoadedProject {
    fileprivate init(row: Row) {
        self.init(
            name: row["name"], repository: row["repository"], digest: row["digest"], sha: row["sha"],
            branch: row["branch"],
            position: LogPosition(source: .triggerService, epoch: row["epoch"], seq: row["seq"]))
    }
}

extension Transaction {
    func commitFiles(repository: String, sha: String) throws -> CommitFiles? {
        try Row.fetchOne(
            db.cachedStatement(sql: "SELECT digest, message FROM commit_file WHERE repository = ? AND sha = ?"),
            arguments: [repository, sha]
        ).map { CommitFiles(digest: $0["digest"], message: $0["message"]) }
    }

    /// What a commit's files are; the texts are kept once for each digest.
    func remember(
        repository: String, sha: String, digest: String?, files: [String: String], message: String
    ) throws {
        if let digest {
            try db.cachedStatement(sql: "INSERT INTO project_file (digest, files) VALUES (?, ?) ON CONFLICT DO NOTHING")
                .execute(arguments: [digest, try Wire.encode(files)])
        }
        try db.cachedStatement(
            sql: """
                INSERT INTO commit_file (repository, sha, digest, message) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING
                """
        ).execute(arguments: [repository, sha, digest, message])
    }

    /// The texts of project files by path.
    func files(_ digest: String) throws -> [String: String]? {
        try Row.fetchOne(
            db.cachedStatement(sql: "SELECT files FROM project_file WHERE digest = ?"), arguments: [digest])?
            .decode([String: String].self, "files")
    }

    func project(_ name: String) throws -> LoadedProject? {
        try Row.fetchOne(db.cachedStatement(sql: "SELECT * FROM project WHERE name = ?"), arguments: [name])
            .map(LoadedProject.init(row:))
    }

    func projects() throws -> [LoadedProject] {
        try Row.fetchAll(db.cachedStatement(sql: "SELECT * FROM project ORDER BY name")).map(LoadedProject.init(row:))
    }

    /// Those whose schedules this version has not taken up.
    func projectsOfOlderSchedules() throws -> [LoadedProject] {
        try Row.fetchAll(
            db.cachedStatement(sql: "SELECT * FROM project WHERE schedules_form < ? ORDER BY name"),
            arguments: [StoredSchedule.form]
        ).map(LoadedProject.init(row:))
    }

    /// The project that this repository had last.
    func project(ofRepository repository: String) throws -> LoadedProject? {
        try Row.fetchOne(
            db.cachedStatement(sql: "SELECT * FROM project WHERE repository = ? ORDER BY epoch DESC, seq DESC LIMIT 1"),
            arguments: [repository]
        ).map(LoadedProject.init(row:))
    }

    /// With its schedules and what it declares; its runs stay.
    func delete(_ project: LoadedProject) throws {
        try db.cachedStatement(sql: "DELETE FROM project WHERE name = ?").execute(arguments: [project.name])
    }

    func save(_ project: LoadedProject, models: [String]) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO project (name, repository, digest, sha, branch, epoch, seq) VALUES (?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (name) DO UPDATE SET repository = excluded.repository, digest = excluded.digest,
                    sha = excluded.sha, branch = excluded.branch, epoch = excluded.epoch, seq = excluded.seq
                """
        ).execute(arguments: [
            project.name, project.repository, project.digest, project.sha, project.branch, project.position.epoch,
            project.position.seq,
        ])
        try db.cachedStatement(sql: "DELETE FROM declared_model WHERE project = ?").execute(arguments: [project.name])
        for model in Set(models) {
            try db.cachedStatement(sql: "INSERT INTO declared_model (model, project) VALUES (?, ?)").execute(
                arguments: [model, project.name])
        }
    }

    /// The projects that declare a model.
    func projects(declaring model: String) throws -> [LoadedProject] {
        try Row.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT project.* FROM project JOIN declared_model ON declared_model.project = project.name
                    WHERE declared_model.model = ? ORDER BY project.name
                    """), arguments: [model]
        ).map(LoadedProject.init(row:))
    }
}
