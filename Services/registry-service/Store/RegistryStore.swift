import GRDB

/// The registry's tables. What is history is never altered: triggers refuse it, whoever asks.
enum RegistryStore {
    static func migrate(_ migrator: inout DatabaseMigrator) {
        migrator.registerMigration("v1 declarations, training runs, versions, stages") { db in
            try db.execute(sql: knowledge)
            try db.execute(sql: versions)
            try db.execute(sql: history)
        }
        migrator.registerMigration("v2 decisions, tests, chain of histories") { db in
            try db.execute(sql: judgement)
            try StageQueries.chainOlderHistory(db)
        }
        MLflowSchema.migrate(&migrator)
        migrator.registerMigration("v4 versions by a tag") {
            try $0.execute(sql: "CREATE INDEX tag_key ON tag (key, value)")
        }
        migrator.registerMigration("v5 what the log said of stages, by an index") { db in
            try db.execute(
                sql: """
                    CREATE INDEX outbox_stage_change ON outbox (source, epoch, seq)
                        WHERE topic = '\(StageQueries.topic)'
                    """)
        }
        migrator.registerMigration("v6 how training runs began") {
            try $0.execute(sql: "ALTER TABLE training_token ADD COLUMN started BLOB")
        }
        migrator.registerMigration("v7 who answers a creation") {
            try $0.execute(sql: "ALTER TABLE created ADD COLUMN owner TEXT NOT NULL DEFAULT ''")
        }
        migrator.registerMigration("v8 the tag that shows a model's stage") { db in
            try db.execute(sql: "ALTER TABLE declaration ADD COLUMN mirror TEXT")
            try KnowledgeQueries.noteMirrors(db)
            try db.execute(
                sql: "CREATE INDEX declaration_mirror ON declaration (mirror, model) WHERE mirror IS NOT NULL")
        }
    }

    /// What other services told.
    private static let knowledge = """
        CREATE TABLE declaration (
            model TEXT PRIMARY KEY CHECK (length(model) > 0),
            project TEXT NOT NULL,
            body BLOB NOT NULL
        ) STRICT;
        CREATE TABLE training_run (
            training_run TEXT PRIMARY KEY CHECK (length(training_run) > 0),
            run TEXT NOT NULL,
            body BLOB NOT NULL
        ) STRICT;
        CREATE TABLE deployment (
            deployment TEXT PRIMARY KEY,
            run TEXT,
            model TEXT NOT NULL,
            version INTEGER NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('standing', 'failed', 'taken back')),
            history INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX deployment_run ON deployment (run, model, version) WHERE run IS NOT NULL;
        CREATE TABLE endpoint (
            endpoint TEXT PRIMARY KEY,
            model TEXT NOT NULL,
            version INTEGER
        ) STRICT;
        """

    private static let judgement = """
        CREATE TABLE decision (
            decision TEXT PRIMARY KEY,
            body BLOB NOT NULL
        ) STRICT;
        CREATE TABLE tests (
            run TEXT NOT NULL,
            step TEXT NOT NULL,
            status TEXT NOT NULL CHECK (status IN ('passed', 'failed')),
            PRIMARY KEY (run, step)
        ) STRICT, WITHOUT ROWID;
        ALTER TABLE stage_history ADD COLUMN moves INTEGER;
        ALTER TABLE stage_history ADD COLUMN chain TEXT;
        """

    private static let versions = """
        CREATE TABLE version (
            model TEXT NOT NULL CHECK (length(model) > 0),
            version INTEGER NOT NULL CHECK (version > 0),
            training_run TEXT NOT NULL,
            digest TEXT NOT NULL CHECK (digest LIKE 'sha256:%'),
            item TEXT NOT NULL,
            facts BLOB NOT NULL,
            registered INTEGER NOT NULL,
            stage TEXT CHECK (length(stage) > 0),
            PRIMARY KEY (model, version),
            UNIQUE (model, training_run, digest)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX version_stage ON version (model, stage, version) WHERE stage IS NOT NULL;
        CREATE TABLE tag (
            model TEXT NOT NULL,
            version INTEGER NOT NULL,
            key TEXT NOT NULL CHECK (length(key) > 0),
            value TEXT NOT NULL,
            PRIMARY KEY (model, version, key),
            FOREIGN KEY (model, version) REFERENCES version (model, version)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX tag_value ON tag (model, key, value, version);
        """

    private static let history = """
        CREATE TABLE stage_history (
            id INTEGER PRIMARY KEY,
            event TEXT NOT NULL,
            model TEXT NOT NULL,
            about INTEGER NOT NULL,
            version INTEGER NOT NULL,
            from_stage TEXT,
            to_stage TEXT,
            actor TEXT NOT NULL,
            reason TEXT NOT NULL,
            run TEXT,
            decision TEXT,
            approval TEXT,
            compensates TEXT,
            time INTEGER NOT NULL,
            UNIQUE (event, version),
            FOREIGN KEY (model, version) REFERENCES version (model, version)
        ) STRICT;
        CREATE INDEX stage_history_model ON stage_history (model, id);
        CREATE TRIGGER stage_history_is_not_altered BEFORE UPDATE ON stage_history
            BEGIN SELECT RAISE(ABORT, 'stage history is append-only'); END;
        CREATE TRIGGER stage_history_is_not_deleted BEFORE DELETE ON stage_history
            BEGIN SELECT RAISE(ABORT, 'stage history is append-only'); END;
        CREATE TRIGGER version_is_not_deleted BEFORE DELETE ON version
            BEGIN SELECT RAISE(ABORT, 'a version keeps its number and its history'); END;
        CREATE TRIGGER version_facts_are_not_altered
            BEFORE UPDATE OF model, version, training_run, digest, facts, registered ON version
            BEGIN SELECT RAISE(ABORT, 'the facts of a version do not change'); END;
        """
}
