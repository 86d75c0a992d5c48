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
    }
}
