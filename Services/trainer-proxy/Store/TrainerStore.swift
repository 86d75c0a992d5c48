import GRDB

/// The tables of trainer-proxy.
enum TrainerStore {
    static func migrate(_ migrator: inout DatabaseMigrator) {
        migrator.registerMigration("v1 executions, environments, artifacts, finished runs") { db in
            try db.execute(
                sql: """
                    CREATE TABLE execution (
                        item TEXT PRIMARY KEY,
                        run TEXT NOT NULL,
                        job TEXT NOT NULL,
                        marker TEXT NOT NULL UNIQUE,
                        boot TEXT NOT NULL,
                        phase TEXT NOT NULL CHECK (phase IN ('begun', 'ended')),
                        stop TEXT CHECK (stop IN ('timeout', 'cancel')),
                        started INTEGER NOT NULL,
                        ended INTEGER,
                        CHECK ((phase = 'ended') = (ended IS NOT NULL))
                    ) STRICT;
                    CREATE INDEX execution_run ON execution (run, phase);
                    CREATE TABLE environment (
                        digest TEXT PRIMARY KEY,
                        builder TEXT NOT NULL
                    ) STRICT;
                    CREATE TABLE job_environment (
                        run TEXT NOT NULL,
                        job TEXT NOT NULL,
                        digest TEXT NOT NULL,
                        time INTEGER NOT NULL,
                        PRIMARY KEY (run, job)
                    ) STRICT;
                    CREATE TABLE finished_run (
                        run TEXT PRIMARY KEY,
                        number INTEGER NOT NULL,
                        project TEXT NOT NULL,
                        pipeline TEXT NOT NULL,
                        branch TEXT,
                        outcome TEXT NOT NULL
                    ) STRICT;
                    CREATE INDEX finished_run_latest ON finished_run (project, pipeline, number);
                    CREATE TABLE artifact (
                        run TEXT NOT NULL,
                        name TEXT NOT NULL,
                        file TEXT NOT NULL,
                        project TEXT NOT NULL,
                        pipeline TEXT NOT NULL,
                        number INTEGER NOT NULL,
                        digest TEXT NOT NULL,
                        size INTEGER NOT NULL,
                        PRIMARY KEY (run, name, file)
                    ) STRICT;
                    """)
        }
        migrator.registerMigration("v2 data sets, named environments") { db in
            try db.execute(
                sql: """
                    CREATE TABLE dataset (
                        project TEXT NOT NULL,
                        name TEXT NOT NULL CHECK (length(name) > 0),
                        version INTEGER NOT NULL CHECK (version > 0),
                        digest TEXT NOT NULL CHECK (digest LIKE 'sha256:%'),
                        run TEXT NOT NULL,
                        time INTEGER NOT NULL,
                        PRIMARY KEY (project, name, version)
                    ) STRICT, WITHOUT ROWID;
                    CREATE TABLE model_version (
                        model TEXT NOT NULL,
                        version INTEGER NOT NULL,
                        digest TEXT NOT NULL,
                        stage TEXT,
                        PRIMARY KEY (model, version)
                    ) STRICT, WITHOUT ROWID;
                    CREATE TABLE model_tag (
                        model TEXT NOT NULL,
                        version INTEGER NOT NULL,
                        key TEXT NOT NULL,
                        value TEXT NOT NULL,
                        PRIMARY KEY (model, version, key)
                    ) STRICT, WITHOUT ROWID;
                    CREATE TABLE published_training (
                        item TEXT PRIMARY KEY,
                        project TEXT NOT NULL,
                        name TEXT NOT NULL CHECK (length(name) > 0),
                        version TEXT NOT NULL,
                        digest TEXT NOT NULL CHECK (digest LIKE 'sha256:%'),
                        time INTEGER NOT NULL
                    ) STRICT;
                    CREATE INDEX published_training_name ON published_training (project, name, version);
                    -- What a step was given: the same again after a restart, whatever was registered since.
                    CREATE TABLE step_dataset (
                        item TEXT PRIMARY KEY,
                        name TEXT NOT NULL,
                        version INTEGER NOT NULL,
                        digest TEXT NOT NULL,
                        time INTEGER NOT NULL
                    ) STRICT;
                    CREATE TABLE named_environment (
                        project TEXT NOT NULL,
                        name TEXT NOT NULL CHECK (length(name) > 0),
                        version TEXT NOT NULL CHECK (length(version) > 0),
                        definition TEXT NOT NULL CHECK (definition LIKE 'sha256:%'),
                        run TEXT NOT NULL,
                        time INTEGER NOT NULL,
                        PRIMARY KEY (project, name, version)
                    ) STRICT, WITHOUT ROWID;
                    ALTER TABLE job_environment ADD COLUMN name TEXT;
                    ALTER TABLE job_environment ADD COLUMN version TEXT;
                    ALTER TABLE job_environment ADD COLUMN definition TEXT;
                    """)
        }
        migrator.registerMigration("v2 executions in containers") { db in
            try db.execute(
                sql: """
                    ALTER TABLE execution ADD COLUMN space TEXT;
                    ALTER TABLE execution ADD COLUMN restarts INTEGER NOT NULL DEFAULT 0;
                    """)
        }
    }
}
