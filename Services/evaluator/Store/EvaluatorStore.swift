import GRDB

/// The evaluator's projection of models and metrics, and its own decisions and test runs.
enum EvaluatorStore {
    static func migrate(_ migrator: inout DatabaseMigrator) {
        migrator.registerMigration("v1 projection, decisions, test runs") { db in
            try db.execute(sql: projection)
            try db.execute(sql: records)
        }
    }

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
