import Foundation
import GRDB
import Messages
import Store

enum DatasetQueries {
    /// A version, the newest where none is named.
    static func find(_ name: String, version: Int?, project: String, in db: Database) throws -> DatasetReference? {
        let sql = """
            SELECT version, digest FROM dataset WHERE project = ?1 AND name = ?2 AND (?3 IS NULL OR version = ?3)
            ORDER BY version DESC LIMIT 1
            """
        return try Row.fetchOne(db, sql: sql, arguments: [project, name, version]).flatMap { row in
            Digest(row["digest"] as String).map { DatasetReference(name: name, version: row["version"], digest: $0) }
        }
    }

    /// What a step was given before.
    static func given(to item: String, in db: Database) throws -> DatasetReference? {
        let sql = "SELECT name, version, digest FROM step_dataset WHERE item = ?"
        return try Row.fetchOne(db, sql: sql, arguments: [item]).flatMap { row in
            Digest(row["digest"] as String).map {
                DatasetReference(name: row["name"], version: row["version"], digest: $0)
            }
        }
    }

    static func names(project: String, in db: Database) throws -> [String] {
        try String.fetchAll(
            db.cachedStatement(sql: "SELECT DISTINCT name FROM dataset WHERE project = ? ORDER BY name"),
            arguments: [project])
    }

    /// The definitions of a named environment by version.
    static func environment(_ name: String, project: String, in db: Database) throws -> [String: Digest] {
        let rows = try Row.fetchAll(
            db.cachedStatement(sql: "SELECT version, definition FROM named_environment WHERE project = ? AND name = ?"),
            arguments: [project, name])
        return Dictionary(
            rows.compactMap { row in Digest(row["definition"] as String).map { (row["version"] as String, $0) } },
            uniquingKeysWith: { first, _ in first })
    }

    /// What the job's environment is called, where it has a name.
    static func environmentName(run: String, job: String, in db: Database) throws -> EnvironmentReference? {
        let sql = "SELECT name, version, definition FROM job_environment WHERE run = ? AND job = ? AND name IS NOT NULL"
        return try Row.fetchOne(db, sql: sql, arguments: [run, job]).flatMap { row in
            Digest(row["definition"] as String).map {
                EnvironmentReference(name: row["name"], version: row["version"], definition: $0)
            }
        }
    }
}

extension Transaction {
    func give(_ dataset: DatasetReference, to item: String) throws -> DatasetReference {
        try db.cachedStatement(
            sql: "INSERT INTO step_dataset (item, name, version, digest, time) VALUES (?, ?, ?, ?, ?)"
        ).execute(arguments: [item, dataset.name, dataset.version, dataset.digest.text, now.milliseconds])
        return dataset
    }

    /// Gives a data set its next version, and says so; the same content again is the version that there is.
    func register(
        _ name: String, description: String?, archive: ModelArtifact, path: String, of work: StepWork
    ) throws -> DatasetReference {
        let project = work.run.project
        let newest = try DatasetQueries.find(name, version: nil, project: project, in: db)
        if let newest, newest.digest == archive.digest { return newest }
        let dataset = DatasetReference(name: name, version: (newest?.version ?? 0) + 1, digest: archive.digest)
        try db.cachedStatement(
            sql: "INSERT INTO dataset (project, name, version, digest, run, time) VALUES (?, ?, ?, ?, ?, ?)"
        ).execute(arguments: [project, name, dataset.version, dataset.digest.text, work.run.id, now.milliseconds])
        try publish(
            DatasetRegistered(
                project: project, dataset: dataset, description: description,
                files: Array(archive.files.prefix(20)), size: archive.size, path: path, run: work.run.id),
            subject: "dataset/\(project)/\(name)/\(dataset.version ?? 0)", key: "dataset/\(project)/\(name)",
            because: work.causation)
        return dataset
    }

    /// Nothing happens where this version is registered already.
    func register(_ environment: EnvironmentReference, file: String, of work: StepWork) throws {
        let project = work.run.project
        try db.cachedStatement(
            sql: """
                INSERT INTO named_environment (project, name, version, definition, run, time) VALUES (?, ?, ?, ?, ?, ?)
                ON CONFLICT DO NOTHING
                """
        ).execute(arguments: [
            project, environment.name, environment.version, environment.definition.text, work.run.id,
            now.milliseconds,
        ])
        guard db.changesCount > 0 else { return }
        try publish(
            EnvironmentRegistered(project: project, environment: environment, file: file, run: work.run.id),
            subject: "environment/\(project)/\(environment.name)/\(environment.version)",
            key: "environment/\(project)/\(environment.name)", because: work.causation)
    }

    func call(_ environment: EnvironmentReference, run: String, job: String) throws {
        try db.cachedStatement(
            sql: "UPDATE job_environment SET name = ?, version = ?, definition = ? WHERE run = ? AND job = ?"
        ).execute(arguments: [environment.name, environment.version, environment.definition.text, run, job])
    }
}
