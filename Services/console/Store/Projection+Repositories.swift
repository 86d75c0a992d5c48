import GRDB
import Messages

let repositoryProjections: [Projection] = [
    .on(RepositoryAdded.self) { body, envelope, db in
        try db.run(
            """
            INSERT INTO repositories (name, url, poll_seconds, state, added) VALUES (?, ?, ?, 'watched', ?)
            ON CONFLICT (name) DO UPDATE SET url = excluded.url, poll_seconds = excluded.poll_seconds,
            state = 'watched', reason = NULL, attempts = 0, next_attempt = NULL
            """,
            [body.repository, body.url, body.pollSeconds, envelope.time.text])
    },
    .on(RepositoryRemoved.self) { body, _, db in
        try db.run("UPDATE repositories SET state = 'removed' WHERE name = ?", [body.repository])
    },
    .on(RepositoryUnreachable.self) { body, _, db in
        try db.run(
            """
            UPDATE repositories SET state = 'unreachable', reason = ?, attempts = ?, next_attempt = ? WHERE name = ?
            """,
            [body.reason, body.attempts, body.nextAttempt.text, body.repository])
    },
    .on(RepositoryRecovered.self) { body, _, db in
        try db.run(
            """
            UPDATE repositories SET state = 'watched', reason = NULL, attempts = 0, next_attempt = NULL WHERE name = ?
            """,
            [body.repository])
    },
    .on(ChangePushed.self) { body, envelope, db in
        try db.run(
            "UPDATE repositories SET branch = ?, sha = ?, message = ?, author = ?, pushed = ? WHERE name = ?",
            [body.branch, body.sha, body.message, body.author, envelope.time.text, body.repository])
    },
    .on(ProjectLoaded.self) { body, envelope, db in
        try db.run(
            """
            INSERT OR REPLACE INTO projects
            (name, repository, sha, digest, pipelines_json, models_json, targets_json, loaded)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                body.project, body.repository, body.sha, body.digest, try jsonText(body.pipelines),
                try jsonText(body.models), try jsonText(body.targets), envelope.time.text,
            ])
        try accept(body.repository, db)
    },
    .on(ProjectUnchanged.self) { body, _, db in
        try db.run(
            "UPDATE projects SET sha = ? WHERE name = ? AND repository = ?", [body.sha, body.project, body.repository])
        try accept(body.repository, db)
    },
    .on(ProjectRetired.self) { body, _, db in
        try db.run("DELETE FROM projects WHERE name = ? AND repository = ?", [body.project, body.repository])
    },
    .on(ProjectRejected.self) { body, _, db in
        // What somebody proposes says nothing of the file that holds.
        guard body.pullRequest == nil else { return }
        try db.run(
            "UPDATE repositories SET rejected_sha = ?, errors_json = ? WHERE name = ?",
            [body.sha, try jsonText(body.errors), body.repository])
    },
]

/// A project file that holds ends what was said of a broken one before.
private func accept(_ repository: String, _ db: Database) throws {
    try db.run("UPDATE repositories SET rejected_sha = NULL, errors_json = NULL WHERE name = ?", [repository])
}
