import GRDB

/// The tables of the trigger-service; constraints stand here so that no bug can store what makes no sense.
enum TriggerStore {
    static func migrate(_ migrator: inout DatabaseMigrator) {
        migrator.registerMigration("v1 repositories and project files") { db in try db.execute(sql: repositories) }
        migrator.registerMigration("v1 causes and verdicts") { db in try db.execute(sql: causes) }
        migrator.registerMigration("v1 runs, jobs, steps") { db in try db.execute(sql: runs) }
        migrator.registerMigration("v1 sessions") { db in try db.execute(sql: sessions) }
        migrator.registerMigration("v1 approvals and models") { db in try db.execute(sql: approvals) }
        migrator.registerMigration("v1 publications") { db in try db.execute(sql: publications) }
        // Looked for with every keepalive: not among all the steps that a session holds.
        migrator.registerMigration("v1 steps to be canceled") { db in
            try db.execute(
                sql: "CREATE INDEX step_canceling ON step (session, item) WHERE state = 'held' AND canceling = 1")
        }
        migrator.registerMigration("v2 publications by their place") { db in
            try db.execute(sql: "CREATE INDEX publication_place ON publication (epoch, seq)")
        }
        migrator.registerMigration("v2 heads of removed repositories") { db in try db.execute(sql: lastHeads) }
        migrator.registerMigration("v3 webhooks, tags, pull requests") { db in try db.execute(sql: webhooks) }
        migrator.registerMigration("v3 schedules") { db in try db.execute(sql: schedules) }
        migrator.registerMigration("v4 started pipelines, parked runs, offers in order") { db in
            try db.execute(sql: starts)
        }
        migrator.registerMigration("v5 lines of causes and runs") { db in try db.execute(sql: lines) }
        // Which version of this service took the schedules of a project's file up; 0: none that says so.
        migrator.registerMigration("v6 schedules by their form") { db in
            try db.execute(sql: "ALTER TABLE project ADD COLUMN schedules_form INTEGER NOT NULL DEFAULT 0")
        }
        migrator.registerMigration("v7 parts of what pipelines wait for") { db in try db.execute(sql: gatherings) }
        migrator.registerMigration("v8 since when events of services are heard") { db in
            try db.execute(sql: servicesHeard)
        }
    }

    private static let servicesHeard = """
        -- One row. An installation that did not follow these services finds their logs of the last days: those start nothing.
        CREATE TABLE services_heard (since INTEGER NOT NULL) STRICT;
        INSERT INTO services_heard (since)
        SELECT CASE WHEN EXISTS (SELECT 1 FROM project)
            THEN CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) ELSE 0 END;
        """

    private static let gatherings = """
        -- Causes that are one of several (`on: all`), until the others have come or their time is over.
        CREATE TABLE gathered_part (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            project TEXT NOT NULL,
            pipeline TEXT NOT NULL,
            declaration TEXT NOT NULL,
            correlation TEXT NOT NULL,
            part TEXT NOT NULL,
            cause TEXT NOT NULL REFERENCES cause,
            expires INTEGER NOT NULL,
            UNIQUE (cause, project, pipeline, part)
        ) STRICT;
        CREATE INDEX gathered_part_place ON gathered_part (project, pipeline, declaration, correlation, seq);
        CREATE INDEX gathered_part_expires ON gathered_part (expires);
        """

    private static let lines = """
        -- Causes of one line are judged one after another.
        ALTER TABLE cause ADD COLUMN line TEXT;
        CREATE INDEX cause_line ON cause (line) WHERE state = 'waiting' AND line IS NOT NULL;
        -- The head of each group's line is found without looking at those behind it.
        CREATE INDEX run_line ON run (concurrency, seq) WHERE state = 'queued';
        """

    private static let webhooks = """
        ALTER TABLE repository ADD COLUMN forge TEXT;
        ALTER TABLE repository ADD COLUMN forge_url TEXT;
        -- Its name; the secret itself is read when a webhook comes.
        ALTER TABLE repository ADD COLUMN webhook_secret TEXT;
        ALTER TABLE repository ADD COLUMN ignore_forks INTEGER NOT NULL DEFAULT 0 CHECK (ignore_forks IN (0, 1));
        -- 0 until its tags were noted for the first time: those start nothing.
        ALTER TABLE repository ADD COLUMN tags_seen INTEGER NOT NULL DEFAULT 0 CHECK (tags_seen IN (0, 1));
        CREATE TABLE tag (
            repository TEXT NOT NULL REFERENCES repository ON DELETE CASCADE,
            tag TEXT NOT NULL,
            sha TEXT NOT NULL,
            PRIMARY KEY (repository, tag)
        ) STRICT;
        -- As it was last told of.
        CREATE TABLE pull_request (
            repository TEXT NOT NULL REFERENCES repository ON DELETE CASCADE,
            number INTEGER NOT NULL,
            sha TEXT NOT NULL,
            target TEXT NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('open', 'merged', 'closed')),
            PRIMARY KEY (repository, number)
        ) STRICT;
        CREATE TABLE delivery (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            forge TEXT NOT NULL,
            id TEXT NOT NULL,
            -- Empty: of none that is watched.
            repository TEXT NOT NULL,
            event TEXT NOT NULL,
            changes BLOB NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('waiting', 'done')),
            at INTEGER NOT NULL,
            UNIQUE (forge, id)
        ) STRICT;
        CREATE INDEX delivery_waiting ON delivery (repository, seq) WHERE state = 'waiting';
        CREATE INDEX delivery_at ON delivery (at) WHERE state = 'done';
        """

    private static let starts = """
        -- The item of the `pipeline/start` that asks for it.
        ALTER TABLE cause ADD COLUMN item TEXT;
        CREATE INDEX cause_item ON cause (item) WHERE item IS NOT NULL AND state = 'waiting';
        ALTER TABLE run ADD COLUMN started_by TEXT;
        -- Each attempt of a step starts one run.
        CREATE UNIQUE INDEX run_started_by ON run (started_by) WHERE started_by IS NOT NULL;
        -- It waits for people or for another run, and needs no worker.
        ALTER TABLE run ADD COLUMN parked INTEGER NOT NULL DEFAULT 0;
        CREATE INDEX run_busy ON run (seq) WHERE state = 'running' AND parked = 0;
        -- The run's place in line, so that claims find the oldest offers without sorting them.
        ALTER TABLE step ADD COLUMN seq INTEGER NOT NULL DEFAULT 0;
        UPDATE step SET seq = (SELECT seq FROM run WHERE run.id = step.run);
        DROP INDEX step_offered;
        CREATE INDEX step_offered ON step (verb, seq, job, position) WHERE state = 'offered';
        """

    private static let lastHeads = """
        -- Where the branches of a repository stood when it was removed: added again, it goes on from there.
        CREATE TABLE last_head (
            repository TEXT NOT NULL,
            url TEXT NOT NULL,
            branch TEXT NOT NULL,
            sha TEXT NOT NULL,
            PRIMARY KEY (repository, branch)
        ) STRICT;
        """

    private static let schedules = """
        -- When each schedule fires next: kept, so that what passes while nobody is there is known.
        CREATE TABLE schedule (
            project TEXT NOT NULL REFERENCES project (name) ON DELETE CASCADE,
            pipeline TEXT NOT NULL,
            cron TEXT NOT NULL,
            time_zone TEXT NOT NULL,
            catch_up TEXT NOT NULL CHECK (catch_up IN ('none', 'last', 'all')),
            next INTEGER NOT NULL,
            -- What the last tick stood for.
            last INTEGER,
            declared INTEGER NOT NULL DEFAULT 1 CHECK (declared IN (0, 1)),
            PRIMARY KEY (project, pipeline, cron, time_zone)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX schedule_next ON schedule (next);
        CREATE INDEX schedule_last ON schedule (last) WHERE last IS NOT NULL;
        """

    private static let repositories = """
        CREATE TABLE repository (
            name TEXT PRIMARY KEY,
            url TEXT NOT NULL,
            poll_milliseconds INTEGER NOT NULL CHECK (poll_milliseconds >= 200),
            branches BLOB,
            default_branch TEXT,
            -- 0 until it was read for the first time: that look alone starts the default branch's head.
            seen INTEGER NOT NULL DEFAULT 0 CHECK (seen IN (0, 1)),
            failures INTEGER NOT NULL DEFAULT 0,
            reason TEXT,
            next_attempt INTEGER,
            cause BLOB NOT NULL,
            added INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE head (
            repository TEXT NOT NULL REFERENCES repository ON DELETE CASCADE,
            branch TEXT NOT NULL,
            sha TEXT NOT NULL,
            PRIMARY KEY (repository, branch)
        ) STRICT;
        -- The texts of project files, by their digest: a run goes on with what it began with.
        CREATE TABLE project_file (
            digest TEXT PRIMARY KEY,
            files BLOB NOT NULL
        ) STRICT;
        -- What the files of a commit are; no digest: it has none.
        CREATE TABLE commit_file (
            repository TEXT NOT NULL,
            sha TEXT NOT NULL,
            digest TEXT REFERENCES project_file,
            message TEXT NOT NULL,
            PRIMARY KEY (repository, sha)
        ) STRICT;
        CREATE TABLE project (
            name TEXT PRIMARY KEY,
            repository TEXT NOT NULL,
            digest TEXT NOT NULL,
            sha TEXT NOT NULL,
            branch TEXT NOT NULL,
            -- Where our log said so: a worker must have seen it before it works for this project.
            epoch INTEGER NOT NULL,
            seq INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE declared_model (
            model TEXT NOT NULL,
            project TEXT NOT NULL REFERENCES project ON DELETE CASCADE,
            PRIMARY KEY (model, project)
        ) STRICT;
        CREATE TABLE snapshot (
            repository TEXT NOT NULL,
            sha TEXT NOT NULL,
            digest TEXT NOT NULL,
            PRIMARY KEY (repository, sha)
        ) STRICT;
        """

    private static let causes = """
        CREATE TABLE cause (
            id TEXT PRIMARY KEY,
            type TEXT NOT NULL,
            body BLOB NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('waiting', 'judged')),
            at INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE verdict (
            cause TEXT NOT NULL REFERENCES cause,
            project TEXT NOT NULL,
            pipeline TEXT NOT NULL,
            matched INTEGER NOT NULL CHECK (matched IN (0, 1)),
            code TEXT NOT NULL,
            reason TEXT NOT NULL,
            run TEXT,
            at INTEGER NOT NULL,
            PRIMARY KEY (cause, project, pipeline),
            CHECK (matched = (run IS NOT NULL))
        ) STRICT;
        CREATE INDEX verdict_pipeline ON verdict (project, pipeline, at);
        """

    private static let runs = """
        CREATE TABLE run (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            project TEXT NOT NULL,
            pipeline TEXT NOT NULL,
            number INTEGER NOT NULL CHECK (number > 0),
            cause TEXT NOT NULL,
            upstream TEXT,
            repository TEXT,
            sha TEXT,
            state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'finished')),
            outcome TEXT CHECK (outcome IN ('succeeded', 'failed', 'canceled', 'skipped', 'not_promoted')),
            snapshot TEXT,
            concurrency TEXT,
            at_once INTEGER NOT NULL DEFAULT 1 CHECK (at_once > 0),
            facts BLOB NOT NULL,
            status BLOB NOT NULL,
            heads BLOB NOT NULL,
            queued INTEGER NOT NULL,
            UNIQUE (project, pipeline, number),
            UNIQUE (cause, project, pipeline),
            CHECK ((state = 'finished') = (outcome IS NOT NULL))
        ) STRICT;
        CREATE INDEX run_open ON run (state, seq) WHERE state <> 'finished';
        CREATE INDEX run_group ON run (concurrency, state) WHERE concurrency IS NOT NULL AND state <> 'finished';
        CREATE INDEX run_upstream ON run (upstream, pipeline) WHERE upstream IS NOT NULL;
        CREATE INDEX run_commit ON run (repository, sha) WHERE state = 'queued';
        CREATE TABLE job (
            run TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
            position INTEGER NOT NULL,
            id TEXT NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('waiting', 'approval', 'running', 'finished')),
            outcome TEXT,
            body BLOB NOT NULL,
            PRIMARY KEY (run, position),
            UNIQUE (run, id)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE step (
            run TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
            job INTEGER NOT NULL,
            position INTEGER NOT NULL,
            -- <run>/<job>/<step>/<attempt>
            item TEXT NOT NULL UNIQUE,
            verb TEXT NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('waiting', 'delayed', 'offered', 'held', 'finished')),
            outcome TEXT,
            session TEXT,
            token INTEGER,
            canceling INTEGER NOT NULL DEFAULT 0,
            offered INTEGER,
            body BLOB NOT NULL,
            PRIMARY KEY (run, job, position),
            CHECK (state <> 'held' OR (session IS NOT NULL AND token IS NOT NULL))
        ) STRICT;
        CREATE INDEX step_offered ON step (offered) WHERE state = 'offered';
        CREATE INDEX step_held ON step (session) WHERE state = 'held';
        -- One row: the last token given. It only ever grows, whatever is deleted elsewhere.
        CREATE TABLE token (last INTEGER NOT NULL) STRICT;
        INSERT INTO token (last) VALUES (0);
        """

    private static let sessions = """
        CREATE TABLE session (
            id TEXT PRIMARY KEY,
            worker TEXT NOT NULL UNIQUE,
            verbs BLOB NOT NULL,
            labels BLOB NOT NULL,
            slots INTEGER NOT NULL CHECK (slots > 0),
            opened INTEGER NOT NULL
        ) STRICT;
        """

    private static let approvals = """
        CREATE TABLE approval (
            id TEXT PRIMARY KEY,
            run TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
            job TEXT NOT NULL,
            model TEXT,
            state TEXT NOT NULL CHECK (state IN ('waiting', 'granted', 'rejected', 'expired', 'void', 'canceled')),
            body BLOB NOT NULL
        ) STRICT;
        CREATE UNIQUE INDEX approval_waiting ON approval (run, job) WHERE state = 'waiting';
        CREATE INDEX approval_model ON approval (model) WHERE state = 'waiting';
        -- What registry-service said of models: enough to tell whether a champion moved.
        CREATE TABLE model_version (
            model TEXT NOT NULL,
            version INTEGER NOT NULL,
            stage TEXT,
            -- Counts stage changes: the newest holder of a stage is the champion.
            changed INTEGER NOT NULL DEFAULT 0,
            tags BLOB NOT NULL,
            project TEXT,
            run TEXT,
            repository TEXT,
            branch TEXT,
            sha TEXT,
            PRIMARY KEY (model, version)
        ) STRICT;
        """

    private static let publications = """
        CREATE TABLE publication (
            source TEXT NOT NULL,
            id TEXT NOT NULL,
            digest TEXT NOT NULL,
            epoch INTEGER NOT NULL,
            seq INTEGER NOT NULL,
            PRIMARY KEY (source, id)
        ) STRICT;
        """
}
