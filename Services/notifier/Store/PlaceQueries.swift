import Foundation
import GRDB
import Messages
import Store

extension Transaction {
    /// Keeps a project file's rules, and makes them the ones for events of no run.
    func declare(_ body: ProjectLoaded) throws {
        try db.cachedStatement(sql: "INSERT INTO rules (project, digest, body) VALUES (?, ?, ?) ON CONFLICT DO NOTHING")
            .execute(arguments: [body.project, body.digest, try Wire.encode(body.notifications)])
        try makeCurrent(project: body.project, repository: body.repository, digest: body.digest)
        for model in body.models {
            try db.cachedStatement(
                sql: """
                    INSERT INTO model (name, project) VALUES (?, ?)
                    ON CONFLICT (name) DO UPDATE SET project = excluded.project
                    """
            ).execute(arguments: [model.name, body.project])
        }
    }

    /// An older file counts again, as after a revert; a file that was never seen is left alone.
    func makeCurrent(project: String, repository: String, digest: String) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO project (name, repository, digest)
                SELECT project, ?, digest FROM rules WHERE project = ? AND digest = ?
                ON CONFLICT (name) DO UPDATE SET repository = excluded.repository, digest = excluded.digest
                """
        ).execute(arguments: [repository, project, digest])
    }

    /// Its rules stay, for runs that began with them; nothing else is a project's that is over.
    func retire(_ project: String) throws {
        try db.cachedStatement(sql: "DELETE FROM project WHERE name = ?").execute(arguments: [project])
        try db.cachedStatement(sql: "DELETE FROM model WHERE project = ?").execute(arguments: [project])
    }

    func remember(_ place: RunPlace) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO run_place (run, number, project, pipeline, file_digest, branch, sha, commit_line, requester)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
                """
        ).execute(arguments: [
            place.run, place.number, place.project, place.pipeline, place.fileDigest, place.branch, place.sha,
            place.commit, place.requester,
        ])
    }

    func note(advice: String, ofRun run: String) throws {
        try db.cachedStatement(sql: "UPDATE run_place SET advice = ? WHERE run = ?").execute(arguments: [advice, run])
    }

    /// Runs of more than a year ago: an approval may wait, and a version be moved, long after its run began. Rules stay: an
    /// older project file may count again.
    func forgetOldPlaces() throws {
        let horizon = now.advanced(by: .seconds(-400 * 86_400))
        // Ids of runs sort by the time at which they were made.
        let oldest = UUIDv7(random: { 0 }).next(at: horizon)
        try db.cachedStatement(
            sql: "DELETE FROM run_place WHERE run IN (SELECT run FROM run_place WHERE run < ? ORDER BY run LIMIT 500)"
        ).execute(arguments: [oldest])
    }

    func place(of run: String) throws -> RunPlace? {
        let row = try Row.fetchOne(db.cachedStatement(sql: "SELECT * FROM run_place WHERE run = ?"), arguments: [run])
        return row.map { row in
            RunPlace(
                run: row["run"], number: row["number"], project: row["project"], pipeline: row["pipeline"],
                fileDigest: row["file_digest"], branch: row["branch"], sha: row["sha"], commit: row["commit_line"],
                requester: row["requester"], advice: row["advice"])
        }
    }

    /// Keeps an event until its run is told of; a day at most, for runs that nobody ever tells of.
    func keepEarly(_ envelope: Envelope, of run: String) throws {
        let horizon = now.milliseconds - 24 * 3_600_000
        try db.cachedStatement(sql: "DELETE FROM early WHERE time < ?").execute(arguments: [horizon])
        try db.cachedStatement(
            sql: "INSERT INTO early (id, run, body, time) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
        ).execute(arguments: [newID(), run, try Wire.encode(envelope), now.milliseconds])
    }

    /// The events that came before their run, in the order in which they came.
    func takeEarly(of run: String) throws -> [Envelope] {
        let bodies = try Data.fetchAll(
            db.cachedStatement(sql: "SELECT body FROM early WHERE run = ? ORDER BY rowid"), arguments: [run])
        try db.cachedStatement(sql: "DELETE FROM early WHERE run = ?").execute(arguments: [run])
        return try bodies.map { try Wire.decode(Envelope.self, from: $0) }
    }

    func project(ofModel model: String) throws -> String? {
        try String.fetchOne(db.cachedStatement(sql: "SELECT project FROM model WHERE name = ?"), arguments: [model])
    }

    func projects(ofRepository repository: String) throws -> [String] {
        try String.fetchAll(
            db.cachedStatement(sql: "SELECT name FROM project WHERE repository = ? ORDER BY name"),
            arguments: [repository])
    }

    /// The rules of that version of the project's file; of the current one where none is named.
    func rules(project: String, digest: String?) throws -> [NotificationRule] {
        let body = try Data.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT body FROM rules WHERE project = ?1
                    AND digest = coalesce(?2, (SELECT digest FROM project WHERE name = ?1))
                    """), arguments: [project, digest])
        return try body.map { try Wire.decode([NotificationRule].self, from: $0) } ?? []
    }
}
