import GRDB

/// What MLflow's clients tell: experiments, runs, metrics, logged models, artifacts, and models beyond their versions.
enum MLflowSchema {
    static func migrate(_ migrator: inout DatabaseMigrator) {
        migrator.registerMigration("v2 versions that MLflow clients make, models with names and aliases") { db in
            try db.execute(sql: versions)
            try db.execute(sql: models)
        }
        migrator.registerMigration("v2 experiments, runs, logged models, artifacts") { db in
            try db.execute(sql: runs)
            try db.execute(sql: loggedModels)
            try db.execute(sql: artifacts)
            try db.execute(sql: training)
            try db.cachedStatement(
                sql: "INSERT INTO experiment (id, name, created, updated) VALUES (0, 'Default', 0, 0)"
            ).execute()
        }
        migrator.registerMigration("v3 webhooks") { db in try db.execute(sql: webhooks) }
    }

    /// An MLflow client may make several versions of the same files; a pipeline's step makes one (`item` is its key).
    private static let versions = """
        CREATE TABLE version_2 (
            model TEXT NOT NULL CHECK (length(model) > 0),
            version INTEGER NOT NULL CHECK (version > 0),
            training_run TEXT NOT NULL,
            digest TEXT NOT NULL CHECK (digest LIKE 'sha256:%'),
            item TEXT NOT NULL,
            facts BLOB NOT NULL,
            registered INTEGER NOT NULL,
            stage TEXT CHECK (length(stage) > 0),
            source TEXT,
            mlflow_run TEXT,
            run_link TEXT,
            logged_model TEXT,
            user TEXT,
            description TEXT,
            updated INTEGER NOT NULL DEFAULT 0,
            deleted INTEGER,
            PRIMARY KEY (model, version)
        ) STRICT, WITHOUT ROWID;
        INSERT INTO version_2 (model, version, training_run, digest, item, facts, registered, stage, updated)
            SELECT model, version, training_run, digest, item, facts, registered, stage, registered FROM version;
        DROP TABLE version;
        ALTER TABLE version_2 RENAME TO version;
        CREATE UNIQUE INDEX version_once ON version (model, training_run, digest)
            WHERE item <> '' AND deleted IS NULL;
        CREATE INDEX version_of_run ON version (model, training_run, digest);
        CREATE INDEX version_stage ON version (model, stage, version) WHERE deleted IS NULL;
        CREATE INDEX version_mlflow_run ON version (mlflow_run, model, version) WHERE mlflow_run IS NOT NULL;
        CREATE TRIGGER version_is_not_deleted BEFORE DELETE ON version
            BEGIN SELECT RAISE(ABORT, 'a version keeps its number and its history'); END;
        CREATE TRIGGER version_facts_are_not_altered
            BEFORE UPDATE OF model, version, training_run, digest, facts, registered, source, mlflow_run ON version
            BEGIN SELECT RAISE(ABORT, 'the facts of a version do not change'); END;
        """

    /// `model` is Martlet's own name, which stays; `name` is what MLflow's clients call it.
    private static let models = """
        CREATE TABLE registered_model (
            model TEXT PRIMARY KEY CHECK (length(model) > 0),
            name TEXT NOT NULL UNIQUE,
            description TEXT,
            created INTEGER NOT NULL,
            updated INTEGER NOT NULL,
            deleted INTEGER
        ) STRICT, WITHOUT ROWID;
        INSERT INTO registered_model (model, name, created, updated)
            SELECT model, model, min(registered), max(registered) FROM version GROUP BY model;
        CREATE TABLE model_tag (
            model TEXT NOT NULL REFERENCES registered_model,
            key TEXT NOT NULL CHECK (length(key) > 0),
            value TEXT NOT NULL,
            PRIMARY KEY (model, key)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE model_alias (
            model TEXT NOT NULL,
            alias TEXT NOT NULL CHECK (length(alias) > 0),
            version INTEGER NOT NULL,
            PRIMARY KEY (model, alias),
            FOREIGN KEY (model, version) REFERENCES version (model, version)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX model_alias_version ON model_alias (model, version);
        """

    private static let runs = """
        CREATE TABLE experiment (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL UNIQUE CHECK (length(name) > 0),
            created INTEGER NOT NULL,
            updated INTEGER NOT NULL,
            deleted INTEGER
        ) STRICT;
        CREATE TABLE experiment_tag (
            experiment INTEGER NOT NULL REFERENCES experiment,
            key TEXT NOT NULL,
            value TEXT NOT NULL,
            PRIMARY KEY (experiment, key)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE run (
            id INTEGER PRIMARY KEY,
            uuid TEXT NOT NULL UNIQUE,
            experiment INTEGER NOT NULL REFERENCES experiment,
            name TEXT NOT NULL,
            user TEXT NOT NULL,
            status TEXT NOT NULL CHECK (status IN ('RUNNING', 'SCHEDULED', 'FINISHED', 'FAILED', 'KILLED')),
            started INTEGER NOT NULL,
            ended INTEGER,
            deleted INTEGER,
            training_run TEXT
        ) STRICT;
        CREATE INDEX run_order ON run (experiment, started DESC, uuid);
        CREATE INDEX run_training ON run (training_run) WHERE training_run IS NOT NULL;
        CREATE TABLE run_tag (
            run INTEGER NOT NULL REFERENCES run, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (run, key)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE parameter (
            run INTEGER NOT NULL REFERENCES run, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (run, key)
        ) STRICT, WITHOUT ROWID;
        -- The same measurement twice is one: what is sent again changes nothing.
        CREATE TABLE metric (
            run INTEGER NOT NULL REFERENCES run,
            key TEXT NOT NULL,
            time INTEGER NOT NULL,
            step INTEGER NOT NULL,
            value REAL NOT NULL,
            is_nan INTEGER NOT NULL CHECK (is_nan IN (0, 1)),
            logged_model TEXT,
            dataset_name TEXT,
            dataset_digest TEXT,
            PRIMARY KEY (run, key, time, step, value, is_nan)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE latest_metric (
            run INTEGER NOT NULL REFERENCES run,
            key TEXT NOT NULL,
            time INTEGER NOT NULL,
            step INTEGER NOT NULL,
            value REAL NOT NULL,
            is_nan INTEGER NOT NULL CHECK (is_nan IN (0, 1)),
            PRIMARY KEY (run, key)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX latest_metric_value ON latest_metric (key, value);
        CREATE TABLE run_input (
            run INTEGER NOT NULL REFERENCES run,
            name TEXT NOT NULL,
            digest TEXT NOT NULL,
            dataset BLOB NOT NULL,
            tags BLOB NOT NULL,
            context TEXT,
            PRIMARY KEY (run, name, digest)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE run_model (
            run INTEGER NOT NULL REFERENCES run,
            model TEXT NOT NULL,
            role TEXT NOT NULL CHECK (role IN ('input', 'output')),
            step INTEGER NOT NULL,
            PRIMARY KEY (run, role, model)
        ) STRICT, WITHOUT ROWID;
        """

    private static let loggedModels = """
        CREATE TABLE logged_model (
            id INTEGER PRIMARY KEY,
            uuid TEXT NOT NULL UNIQUE,
            experiment INTEGER NOT NULL REFERENCES experiment,
            name TEXT NOT NULL,
            type TEXT NOT NULL,
            run TEXT NOT NULL,
            status TEXT NOT NULL
                CHECK (status IN ('LOGGED_MODEL_PENDING', 'LOGGED_MODEL_READY', 'LOGGED_MODEL_UPLOAD_FAILED')),
            created INTEGER NOT NULL,
            updated INTEGER NOT NULL,
            deleted INTEGER,
            training_run TEXT
        ) STRICT;
        CREATE INDEX logged_model_order ON logged_model (experiment, created DESC, uuid);
        CREATE INDEX logged_model_run ON logged_model (run) WHERE run <> '';
        CREATE TABLE logged_model_tag (
            model INTEGER NOT NULL REFERENCES logged_model, key TEXT NOT NULL, value TEXT NOT NULL,
            PRIMARY KEY (model, key)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE logged_model_parameter (
            model INTEGER NOT NULL REFERENCES logged_model, key TEXT NOT NULL, value TEXT NOT NULL,
            PRIMARY KEY (model, key)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE logged_model_metric (
            model TEXT NOT NULL,
            run TEXT NOT NULL,
            key TEXT NOT NULL,
            dataset_name TEXT NOT NULL,
            dataset_digest TEXT NOT NULL,
            time INTEGER NOT NULL,
            step INTEGER NOT NULL,
            value REAL NOT NULL,
            is_nan INTEGER NOT NULL,
            PRIMARY KEY (model, run, key, dataset_name, dataset_digest)
        ) STRICT, WITHOUT ROWID;
        """

    /// With which token the code of a training run comes, and for how long.
    private static let training = """
        CREATE TABLE training_token (
            id TEXT PRIMARY KEY,
            training_run TEXT NOT NULL,
            run TEXT NOT NULL,
            project TEXT NOT NULL,
            pipeline TEXT NOT NULL,
            digest BLOB NOT NULL,
            ended INTEGER
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX training_token_run ON training_token (training_run);
        """

    private static let artifacts = """
        -- Which bytes stand under which path.
        CREATE TABLE artifact (
            path TEXT PRIMARY KEY CHECK (length(path) > 0),
            digest TEXT NOT NULL,
            size INTEGER NOT NULL,
            time INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX artifact_digest ON artifact (digest);
        -- Which bytes a version's list of files names: they stay, whatever becomes of the paths.
        CREATE TABLE listed_file (
            list TEXT NOT NULL,
            digest TEXT NOT NULL,
            PRIMARY KEY (list, digest)
        ) STRICT, WITHOUT ROWID;
        -- What was made for a request whose answer may not have arrived.
        CREATE TABLE created (
            request TEXT PRIMARY KEY,
            answer BLOB NOT NULL,
            time INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX created_time ON created (time);
        """

    private static let webhooks = """
        CREATE TABLE webhook (
            id TEXT PRIMARY KEY CHECK (length(id) > 0),
            name TEXT NOT NULL CHECK (length(name) > 0),
            description TEXT,
            url TEXT NOT NULL CHECK (length(url) > 0),
            -- Sealed: the key lies beside the database, and in no backup of it.
            secret BLOB,
            status TEXT NOT NULL CHECK (status IN ('ACTIVE', 'DISABLED')),
            waiting INTEGER NOT NULL DEFAULT 0 CHECK (waiting >= 0),
            created INTEGER NOT NULL,
            updated INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE webhook_event (
            event TEXT NOT NULL,
            webhook TEXT NOT NULL REFERENCES webhook,
            PRIMARY KEY (event, webhook)
        ) STRICT, WITHOUT ROWID;
        """
}
