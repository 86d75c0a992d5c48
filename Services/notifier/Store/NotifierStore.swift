import GRDB

/// The notifier's own tables: rules as declared, where runs and models belong, and deliveries.
enum NotifierStore {
    static func migrate(_ migrator: inout DatabaseMigrator) {
        migrator.registerMigration("v1 rules, places, deliveries") { db in
            try db.execute(
                sql: """
                    CREATE TABLE rules (
                        project TEXT NOT NULL,
                        digest TEXT NOT NULL,
                        body BLOB NOT NULL,
                        PRIMARY KEY (project, digest)
                    ) STRICT;
                    CREATE TABLE project (
                        name TEXT PRIMARY KEY,
                        repository TEXT NOT NULL,
                        digest TEXT NOT NULL,
                        FOREIGN KEY (name, digest) REFERENCES rules (project, digest)
                    ) STRICT;
                    CREATE TABLE model (name TEXT PRIMARY KEY, project TEXT NOT NULL) STRICT;
                    CREATE TABLE run_place (
                        run TEXT PRIMARY KEY,
                        number INTEGER NOT NULL,
                        project TEXT NOT NULL,
                        pipeline TEXT NOT NULL,
                        file_digest TEXT,
                        branch TEXT, sha TEXT, commit_line TEXT,
                        requester TEXT NOT NULL
                    ) STRICT;
                    -- Events of runs that trigger-service has not told of yet: there is no order across sources.
                    CREATE TABLE early (
                        id TEXT PRIMARY KEY,
                        run TEXT NOT NULL,
                        body BLOB NOT NULL,
                        time INTEGER NOT NULL
                    ) STRICT;
                    CREATE INDEX early_run ON early (run);
                    CREATE INDEX early_time ON early (time);
                    CREATE TABLE delivery (
                        id TEXT PRIMARY KEY,
                        event TEXT NOT NULL,
                        recipient_key TEXT NOT NULL,
                        recipient BLOB NOT NULL,
                        notice BLOB NOT NULL,
                        type TEXT NOT NULL,
                        project TEXT NOT NULL,
                        causation BLOB NOT NULL,
                        state TEXT NOT NULL CHECK (state IN ('waiting', 'sending', 'sent', 'failed')),
                        attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
                        reason TEXT,
                        time INTEGER NOT NULL,
                        -- At most one message per logical event and recipient.
                        UNIQUE (event, recipient_key)
                    ) STRICT;
                    """)
        }
        migrator.registerMigration("v2 advice of runs") { db in
            try db.execute(sql: "ALTER TABLE run_place ADD COLUMN advice TEXT")
        }
    }
}
