import GRDB

/// The read model's tables. Times are RFC 3339 texts in UTC with milliseconds: they sort as they read.
/// A column whose name ends in `_json` holds JSON and is shown as such.
enum ConsoleStore {
    static func migrate(_ migrator: inout DatabaseMigrator) {
        migrator.registerMigration("v1 events") { try $0.execute(sql: events) }
        migrator.registerMigration("v1 projects and runs") { try $0.execute(sql: runs) }
        migrator.registerMigration("v1 models and endpoints") { try $0.execute(sql: models) }
        migrator.registerMigration("v1 verdicts, dead letters, notifications") { try $0.execute(sql: outcomes) }
        migrator.registerMigration("v1 commands and tokens") { try $0.execute(sql: commands) }
        migrator.registerMigration("v2 drift, e-mail of tokens") { try $0.execute(sql: drift) }
        migrator.registerMigration("v3 verdicts that say something") {
            try $0.execute(
                sql: "CREATE INDEX verdicts_telling ON verdicts (pipeline, time) WHERE code <> 'no_trigger'")
        }
        // Whether the services know of it.
        migrator.registerMigration("v3 tokens that were told of") {
            try $0.execute(sql: "ALTER TABLE tokens ADD COLUMN told INTEGER NOT NULL DEFAULT 0")
        }
        migrator.registerMigration("v4 attempts, groups, canceling") { try $0.execute(sql: attempts) }
        migrator.registerMigration("v5 gates, lineage, chain of histories") { try $0.execute(sql: lineage) }
        migrator.registerMigration("v6 events of a forge's delivery") {
            try $0.execute(
                sql: """
                    CREATE INDEX events_delivery ON events (\(EventQueries.delivery)) WHERE \(EventQueries.isDelivered)
                    """)
        }
        migrator.registerMigration("v7 tokens once for each idempotency key") { try $0.execute(sql: repeatedTokens) }
        migrator.registerMigration("v8 causes of a run") {
            try $0.execute(sql: "CREATE INDEX verdicts_run ON verdicts (run) WHERE run IS NOT NULL")
        }
        // When; NULL while it is there.
        migrator.registerMigration("v9 versions that were deleted") {
            try $0.execute(sql: "ALTER TABLE versions ADD COLUMN deleted TEXT")
        }
        // Digest of the request, by which it is known when it is said again.
        migrator.registerMigration("v10 commands as they were written") {
            try $0.execute(sql: "ALTER TABLE commands ADD COLUMN written TEXT")
        }
        // Those of a run that has waited for several events.
        migrator.registerMigration("v11 all who set off a run that waits for approval") {
            try $0.execute(sql: "ALTER TABLE approvals ADD COLUMN other_requesters_json TEXT")
        }
    }

    private static let repeatedTokens = """
        ALTER TABLE tokens ADD COLUMN idempotency TEXT;
        CREATE UNIQUE INDEX tokens_idempotency ON tokens (idempotency) WHERE idempotency IS NOT NULL;
        """

    private static let events = """
        CREATE TABLE events (
            position INTEGER PRIMARY KEY AUTOINCREMENT,
            source TEXT NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL,
            id TEXT NOT NULL, type TEXT NOT NULL, time TEXT NOT NULL, subject TEXT NOT NULL,
            correlation TEXT NOT NULL, causation TEXT, actor TEXT NOT NULL, key TEXT NOT NULL,
            body BLOB NOT NULL,
            UNIQUE (source, epoch, seq)
        ) STRICT;
        CREATE INDEX events_id ON events (id);
        CREATE INDEX events_correlation ON events (correlation, position);
        CREATE INDEX events_causation ON events (causation);
        CREATE INDEX events_type ON events (type, position);
        CREATE INDEX events_subject ON events (subject, position);
        CREATE INDEX events_key ON events (key, position);
        """

    private static let runs = """
        CREATE TABLE repositories (
            name TEXT PRIMARY KEY, url TEXT NOT NULL, poll_seconds REAL NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('watched', 'unreachable', 'removed')),
            reason TEXT, attempts INTEGER NOT NULL DEFAULT 0, next_attempt TEXT,
            branch TEXT, sha TEXT, message TEXT, author TEXT, pushed TEXT,
            rejected_sha TEXT, errors_json TEXT, added TEXT NOT NULL
        ) STRICT;
        CREATE TABLE projects (
            name TEXT PRIMARY KEY, repository TEXT NOT NULL, sha TEXT NOT NULL, digest TEXT NOT NULL,
            pipelines_json TEXT NOT NULL, models_json TEXT NOT NULL, targets_json TEXT NOT NULL,
            loaded TEXT NOT NULL
        ) STRICT;
        CREATE TABLE runs (
            id TEXT PRIMARY KEY, number INTEGER NOT NULL, project TEXT NOT NULL, pipeline TEXT NOT NULL,
            branch TEXT, sha TEXT, message TEXT, cause TEXT NOT NULL, reason TEXT NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'finished')),
            outcome TEXT, failed_step TEXT, note TEXT,
            queued TEXT NOT NULL, started TEXT, finished TEXT, seconds REAL,
            actor TEXT NOT NULL, correlation TEXT NOT NULL, event TEXT NOT NULL,
            parameters_json TEXT NOT NULL, outputs_json TEXT
        ) STRICT;
        CREATE INDEX runs_queued ON runs (queued);
        CREATE INDEX runs_pipeline ON runs (project, pipeline, queued);
        CREATE INDEX runs_number ON runs (number);
        CREATE TABLE jobs (
            run TEXT NOT NULL, job TEXT NOT NULL, ordinal INTEGER NOT NULL, environment TEXT,
            needs_json TEXT NOT NULL DEFAULT '[]', state TEXT NOT NULL, outcome TEXT, message TEXT,
            started TEXT, finished TEXT, outputs_json TEXT,
            PRIMARY KEY (run, job)
        ) STRICT;
        CREATE TABLE steps (
            run TEXT NOT NULL, job TEXT NOT NULL, step TEXT NOT NULL, ordinal INTEGER NOT NULL,
            title TEXT NOT NULL, verb TEXT NOT NULL, state TEXT NOT NULL, outcome TEXT,
            attempt INTEGER NOT NULL DEFAULT 0, worker TEXT, message TEXT, log TEXT,
            started TEXT, finished TEXT, seconds REAL, outputs_json TEXT,
            PRIMARY KEY (run, job, step)
        ) STRICT;
        CREATE TABLE approvals (
            id TEXT PRIMARY KEY, run TEXT NOT NULL, job TEXT NOT NULL, project TEXT NOT NULL,
            pipeline TEXT NOT NULL, environment TEXT NOT NULL, required INTEGER NOT NULL,
            given INTEGER NOT NULL DEFAULT 0, from_json TEXT NOT NULL, requester TEXT NOT NULL,
            requester_may_approve_json TEXT NOT NULL,
            model TEXT, version TEXT, decision TEXT, state TEXT NOT NULL,
            requested TEXT NOT NULL, expires TEXT NOT NULL, finished TEXT, by TEXT, comment TEXT,
            answers_json TEXT NOT NULL DEFAULT '[]'
        ) STRICT;
        CREATE INDEX approvals_state ON approvals (state, requested);
        CREATE INDEX approvals_run ON approvals (run);
        CREATE TABLE decisions (
            event TEXT PRIMARY KEY, decision TEXT NOT NULL, run TEXT NOT NULL, step TEXT NOT NULL,
            model TEXT NOT NULL, winner TEXT NOT NULL, metric TEXT NOT NULL,
            challenger_value REAL, champion_value REAL, champion_version INTEGER,
            reason TEXT NOT NULL, message TEXT NOT NULL, decided TEXT NOT NULL
        ) STRICT;
        CREATE INDEX decisions_run ON decisions (run);
        """

    private static let models = """
        CREATE TABLE versions (
            model TEXT NOT NULL, version INTEGER NOT NULL CHECK (version > 0), stage TEXT,
            training_run TEXT, run TEXT, project TEXT, sha TEXT,
            artifact_json TEXT NOT NULL, metrics_json TEXT NOT NULL, params_json TEXT NOT NULL,
            tags_json TEXT NOT NULL, environment TEXT, registered TEXT NOT NULL, event TEXT NOT NULL,
            PRIMARY KEY (model, version)
        ) STRICT;
        CREATE INDEX versions_run ON versions (run);
        -- Append-only: what any version was at any time is a query.
        CREATE TABLE stage_history (
            position INTEGER PRIMARY KEY AUTOINCREMENT,
            model TEXT NOT NULL, version INTEGER NOT NULL, from_stage TEXT, to_stage TEXT,
            time TEXT NOT NULL, actor TEXT NOT NULL, reason TEXT NOT NULL, run TEXT, decision TEXT,
            approval TEXT, compensates TEXT, event TEXT NOT NULL,
            UNIQUE (event, version)
        ) STRICT;
        CREATE INDEX stage_history_model ON stage_history (model, version, position);
        CREATE TABLE deployments (
            id TEXT PRIMARY KEY, endpoint TEXT NOT NULL, target TEXT NOT NULL, model TEXT NOT NULL,
            version INTEGER NOT NULL, run TEXT, state TEXT NOT NULL, message TEXT, scoring_url TEXT,
            smoke_test TEXT, started TEXT NOT NULL, finished TEXT
        ) STRICT;
        CREATE INDEX deployments_endpoint ON deployments (endpoint, started);
        CREATE TABLE endpoints (
            name TEXT PRIMARY KEY, url TEXT NOT NULL, model TEXT NOT NULL, version INTEGER,
            deployment TEXT, state TEXT NOT NULL, changed TEXT NOT NULL
        ) STRICT;
        """

    private static let lineage = """
        ALTER TABLE decisions ADD COLUMN gates_json TEXT;
        ALTER TABLE decisions ADD COLUMN advisory_json TEXT;
        ALTER TABLE decisions ADD COLUMN bypass_json TEXT;
        ALTER TABLE decisions ADD COLUMN voided TEXT;
        ALTER TABLE versions ADD COLUMN lineage_json TEXT;
        ALTER TABLE stage_history ADD COLUMN moves INTEGER;
        ALTER TABLE stage_history ADD COLUMN chain TEXT;
        """

    private static let drift = """
        -- Why what serves is not what should serve; NULL while it is.
        ALTER TABLE endpoints ADD COLUMN drift TEXT;
        ALTER TABLE tokens ADD COLUMN email TEXT;
        """

    private static let attempts = """
        ALTER TABLE runs ADD COLUMN attempt INTEGER NOT NULL DEFAULT 1;
        -- Why it is being canceled, while workers have not confirmed.
        ALTER TABLE runs ADD COLUMN canceling TEXT;
        -- `<project>/<group>` of its concurrency, and how many of them go on at once.
        ALTER TABLE runs ADD COLUMN concurrency TEXT;
        ALTER TABLE runs ADD COLUMN concurrency_max INTEGER;
        CREATE INDEX runs_concurrency ON runs (concurrency, queued)
            WHERE concurrency IS NOT NULL AND state <> 'finished';
        CREATE TABLE run_attempts (
            run TEXT NOT NULL, attempt INTEGER NOT NULL, reason TEXT NOT NULL, outcome TEXT, note TEXT,
            failed_step TEXT, queued TEXT NOT NULL, started TEXT, finished TEXT, seconds REAL,
            PRIMARY KEY (run, attempt)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE step_attempts (
            run TEXT NOT NULL, job TEXT NOT NULL, step TEXT NOT NULL, attempt INTEGER NOT NULL,
            outcome TEXT NOT NULL, message TEXT, log TEXT, seconds REAL, finished TEXT NOT NULL,
            PRIMARY KEY (run, job, step, attempt)
        ) STRICT, WITHOUT ROWID;
        -- What became of an agreement that was taken back.
        ALTER TABLE approvals ADD COLUMN rollback_json TEXT;
        """

    private static let outcomes = """
        CREATE TABLE verdicts (
            cause TEXT NOT NULL, project TEXT NOT NULL, pipeline TEXT NOT NULL, cause_type TEXT NOT NULL,
            verdict TEXT NOT NULL CHECK (verdict IN ('matched', 'ignored')),
            code TEXT NOT NULL, reason TEXT NOT NULL, run TEXT, time TEXT NOT NULL, event TEXT NOT NULL,
            PRIMARY KEY (cause, project, pipeline)
        ) STRICT;
        CREATE INDEX verdicts_pipeline ON verdicts (pipeline, time);
        CREATE TABLE dead_letters (
            id TEXT PRIMARY KEY, service TEXT NOT NULL, source TEXT NOT NULL, epoch INTEGER NOT NULL,
            seq INTEGER NOT NULL, event TEXT, type TEXT, key TEXT NOT NULL, reason TEXT NOT NULL,
            attempts INTEGER NOT NULL, state TEXT NOT NULL, created TEXT NOT NULL, closed TEXT, by TEXT
        ) STRICT;
        CREATE INDEX dead_letters_state ON dead_letters (state, created);
        CREATE TABLE notifications (
            id TEXT PRIMARY KEY, event TEXT NOT NULL, recipient TEXT NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('sent', 'failed')), attempts INTEGER NOT NULL,
            reason TEXT, time TEXT NOT NULL
        ) STRICT;
        CREATE INDEX notifications_event ON notifications (event);
        """

    private static let commands = """
        CREATE TABLE commands (
            id TEXT PRIMARY KEY, type TEXT NOT NULL, actor TEXT NOT NULL, asked TEXT NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('waiting', 'accepted', 'refused')),
            reason TEXT, run TEXT, answered TEXT, answer TEXT,
            idempotency TEXT UNIQUE, request TEXT NOT NULL
        ) STRICT;
        CREATE INDEX commands_asked ON commands (asked);
        CREATE TABLE tokens (
            id TEXT PRIMARY KEY, name TEXT NOT NULL, role TEXT NOT NULL
                CHECK (role IN ('viewer', 'operator', 'approver', 'admin')),
            groups_json TEXT NOT NULL, hash BLOB NOT NULL CHECK (length(hash) = 32),
            created TEXT NOT NULL, revoked TEXT
        ) STRICT;
        """
}
