import GRDB

/// The evaluator's projection of models and metrics, and its own decisions and test runs.
enum EvaluatorStore {
    static func migrate(_ migrator: inout DatabaseMigrator) {
        migrator.registerMigration("v1 projection, decisions, test runs") { db in
            try db.execute(sql: projection)
            try db.execute(sql: records)
        }
        migrator.registerMigration("v2 predictions, data sets, bypasses, standing decisions") { db in
            try db.execute(sql: evidence)
        }
    }

    private static let evidence = """
        ALTER TABLE model ADD COLUMN score TEXT;
        ALTER TABLE training_run ADD COLUMN artifact TEXT;
        ALTER TABLE training_run ADD COLUMN predictions TEXT;
        ALTER TABLE version ADD COLUMN predictions TEXT;
        CREATE TABLE dataset (
            project TEXT NOT NULL,
            name TEXT NOT NULL,
            version INTEGER NOT NULL CHECK (version > 0),
            digest TEXT NOT NULL,
            PRIMARY KEY (project, name, version)
        ) STRICT, WITHOUT ROWID;
        -- The newest wish of a person for each gate of a run.
        CREATE TABLE bypass (
            run TEXT NOT NULL,
            step TEXT NOT NULL,
            decision TEXT NOT NULL REFERENCES decision (digest),
            actor TEXT NOT NULL CHECK (actor LIKE 'user:%'),
            reason TEXT NOT NULL CHECK (length(reason) > 0),
            time INTEGER NOT NULL,
            PRIMARY KEY (run, step)
        ) STRICT, WITHOUT ROWID;
        -- Won, and the challenger does not hold the champion's stage yet.
        CREATE TABLE standing (
            decision TEXT PRIMARY KEY REFERENCES decision (digest),
            run TEXT NOT NULL,
            model TEXT NOT NULL,
            stage TEXT NOT NULL,
            champion INTEGER,
            challenger INTEGER,
            training_run TEXT,
            time INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX standing_model ON standing (model);
        """

    private static let projection = """
        CREATE TABLE model (
            model TEXT PRIMARY KEY,
            champion TEXT,
            mirror TEXT
        ) STRICT;
        CREATE TABLE training_run (
            training_run TEXT PRIMARY KEY,
            outcome TEXT NOT NULL,
            metrics BLOB NOT NULL
        ) STRICT;
        CREATE TABLE version (
            model TEXT NOT NULL,
            version INTEGER NOT NULL CHECK (version > 0),
            training_run TEXT,
            digest TEXT NOT NULL,
            metrics BLOB NOT NULL,
            stage TEXT,
            PRIMARY KEY (model, version)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX version_stage ON version (model, stage, version) WHERE stage IS NOT NULL;
        CREATE TABLE tag (
            model TEXT NOT NULL,
            version INTEGER NOT NULL,
            key TEXT NOT NULL,
            value TEXT NOT NULL,
            PRIMARY KEY (model, version, key)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX tag_value ON tag (model, key, value, version);
        CREATE TABLE endpoint (
            endpoint TEXT PRIMARY KEY,
            model TEXT NOT NULL,
            version INTEGER
        ) STRICT;
        CREATE TABLE environment (
            run TEXT PRIMARY KEY,
            digest TEXT NOT NULL
        ) STRICT;
        """

    private static let records = """
        CREATE TABLE decision (
            digest TEXT PRIMARY KEY CHECK (digest LIKE 'sha256:%'),
            item TEXT NOT NULL UNIQUE,
            body BLOB NOT NULL,
            time INTEGER NOT NULL
        ) STRICT;
        CREATE TRIGGER decision_is_not_altered BEFORE UPDATE ON decision
            BEGIN SELECT RAISE(ABORT, 'decisions are immutable'); END;
        CREATE TRIGGER decision_is_not_deleted BEFORE DELETE ON decision
            BEGIN SELECT RAISE(ABORT, 'decisions are immutable'); END;
        CREATE TABLE test_run (
            item TEXT PRIMARY KEY,
            pid INTEGER NOT NULL,
            start_time INTEGER NOT NULL,
            boot TEXT NOT NULL
        ) STRICT;
        """
}
