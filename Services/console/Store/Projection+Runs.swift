import GRDB
import Messages

let runProjections: [Projection] = [
    .on(RunQueued.self) { body, envelope, db in
        try db.run(
            """
            INSERT INTO runs (id, number, project, pipeline, branch, sha, message, cause, reason, state, queued, actor,
            correlation, event, parameters_json, attempt, concurrency, concurrency_max)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'queued', ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET state = 'queued', outcome = NULL, failed_step = NULL, note = NULL,
            finished = NULL, seconds = NULL, canceling = NULL, reason = excluded.reason, attempt = excluded.attempt
            """,
            [
                body.run, body.number, body.project, body.pipeline, body.git?.branch, body.git?.sha, body.git?.message,
                body.cause, body.reason, envelope.time.text, envelope.actor, envelope.correlationid, envelope.id,
                try jsonText(body.parameters), body.attempt ?? 1, body.concurrency?.group, body.concurrency?.max,
            ])
        try db.run(
            "INSERT OR IGNORE INTO run_attempts (run, attempt, reason, queued) VALUES (?, ?, ?, ?)",
            [body.run, body.attempt ?? 1, body.reason, envelope.time.text])
        for (ordinal, job) in body.jobs.enumerated() { try plan(job, ordinal, of: body.run, db) }
    },
    .on(RunStarted.self) { body, envelope, db in
        try db.run(
            """
            UPDATE runs SET state = 'running', started = ?, outcome = NULL, finished = NULL, seconds = NULL, note = NULL,
            failed_step = NULL, canceling = NULL WHERE id = ?
            """,
            [envelope.time.text, body.run])
        try db.run("UPDATE run_attempts SET started = ? \(newestAttempt)", [envelope.time.text, body.run, body.run])
    },
    .on(RunCancelBegun.self) { body, _, db in
        try db.run("UPDATE runs SET canceling = ? WHERE id = ? AND state <> 'finished'", [body.reason, body.run])
    },
    .on(RunFinished.self) { body, envelope, db in
        try db.run(
            """
            UPDATE runs SET state = 'finished', outcome = ?, note = ?, failed_step = ?, seconds = ?, outputs_json = ?,
            finished = ?, canceling = NULL WHERE id = ?
            """,
            [
                body.outcome.rawValue, body.message, body.failedStep, body.seconds, try jsonText(body.outputs),
                envelope.time.text, body.run,
            ])
        try db.run(
            "UPDATE run_attempts SET outcome = ?, note = ?, failed_step = ?, seconds = ?, finished = ? \(newestAttempt)",
            [
                body.outcome.rawValue, body.message, body.failedStep, body.seconds, envelope.time.text, body.run,
                body.run,
            ])
        // What was away when its end was told, as after a snapshot: nothing of a run outlives it.
        for table in ["jobs", "steps"] {
            try db.run(
                """
                UPDATE \(table) SET state = 'finished', finished = ?, message = 'how it ended was not heard of'
                WHERE run = ? AND state = 'running'
                """, [envelope.time.text, body.run])
        }
        try db.run(
            "UPDATE approvals SET state = 'void', finished = ? WHERE run = ? AND state = 'waiting'",
            [envelope.time.text, body.run])
    },
    .on(JobStarted.self) { body, envelope, db in
        try db.run(
            """
            INSERT INTO jobs (run, job, ordinal, state, started) VALUES (?, ?, 1000, 'running', ?)
            ON CONFLICT (run, job) DO UPDATE SET state = 'running', started = excluded.started, outcome = NULL,
            message = NULL, finished = NULL
            """,
            [body.run, body.job, envelope.time.text])
    },
    .on(JobFinished.self) { body, envelope, db in
        try db.run(
            """
            INSERT INTO jobs (run, job, ordinal, state, outcome, message, outputs_json, finished)
            VALUES (?, ?, 1000, 'finished', ?, ?, ?, ?)
            ON CONFLICT (run, job) DO UPDATE SET state = 'finished', outcome = excluded.outcome,
            message = excluded.message, outputs_json = excluded.outputs_json, finished = excluded.finished
            """,
            [
                body.run, body.job, body.outcome.rawValue, body.message, try jsonText(body.outputs),
                envelope.time.text,
            ])
        // What the job never came to.
        try db.run(
            "UPDATE steps SET state = 'finished', outcome = 'skipped' WHERE run = ? AND job = ? AND state = 'waiting'",
            [body.run, body.job])
    },
]

/// An attempt of a run is told of by its run's events in order: they speak of the newest.
private let newestAttempt = "WHERE run = ? AND attempt = (SELECT max(attempt) FROM run_attempts WHERE run = ?)"

private func plan(_ job: JobPlan, _ ordinal: Int, of run: String, _ db: Database) throws {
    try db.run(
        """
        INSERT INTO jobs (run, job, ordinal, environment, needs_json, state) VALUES (?, ?, ?, ?, ?, 'waiting')
        ON CONFLICT (run, job) DO UPDATE SET state = 'waiting', outcome = NULL, message = NULL
        """,
        [run, job.id, ordinal, job.environment, try jsonText(job.needs)])
    for (ordinal, step) in job.steps.enumerated() {
        try db.run(
            """
            INSERT INTO steps (run, job, step, ordinal, title, verb, state) VALUES (?, ?, ?, ?, ?, ?, 'waiting')
            ON CONFLICT (run, job, step) DO UPDATE SET state = 'waiting', outcome = NULL, message = NULL
            """,
            [run, job.id, step.id, ordinal, step.title, step.verb])
    }
}

let stepProjections: [Projection] = [
    .on(StepUnserved.self) { body, _, db in
        try db.run(
            "UPDATE steps SET message = ? WHERE run = ? AND job = ? AND step = ? AND state = 'waiting'",
            [body.reason, body.run, body.job, body.step])
    },
    .on(StepStarted.self) { body, envelope, db in
        try db.run(
            """
            INSERT INTO steps (run, job, step, ordinal, title, verb, state, attempt, worker, started)
            VALUES (?, ?, ?, 1000, ?, ?, 'running', ?, ?, ?)
            ON CONFLICT (run, job, step) DO UPDATE SET state = 'running', attempt = excluded.attempt,
            worker = excluded.worker, started = excluded.started, outcome = NULL, message = NULL, finished = NULL
            """,
            [
                body.run, body.job, body.step, body.verb, body.verb, body.attempt, body.worker, envelope.time.text,
            ])
    },
    .on(StepFinished.self) { body, envelope, db in
        try db.run(
            """
            INSERT INTO steps (run, job, step, ordinal, title, verb, state, attempt, outcome, message, log, outputs_json,
            seconds, finished) VALUES (?, ?, ?, 1000, ?, ?, 'finished', ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (run, job, step) DO UPDATE SET state = 'finished', attempt = excluded.attempt,
            outcome = excluded.outcome, message = excluded.message, log = excluded.log,
            outputs_json = excluded.outputs_json, seconds = excluded.seconds, finished = excluded.finished
            """,
            [
                body.run, body.job, body.step, body.verb, body.verb, body.attempt, body.outcome.rawValue, body.message,
                body.log?.text, try jsonText(body.outputs), body.seconds, envelope.time.text,
            ])
        try db.run(
            """
            INSERT OR IGNORE INTO step_attempts (run, job, step, attempt, outcome, message, log, seconds, finished)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                body.run, body.job, body.step, body.attempt, body.outcome.rawValue, body.message, body.log?.text,
                body.seconds, envelope.time.text,
            ])
    },
]
