BEGIN TRANSACTION;
CREATE TABLE api_token (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    groups BLOB NOT NULL,
    email TEXT,
    hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
INSERT INTO "api_token" VALUES('26422ab684e85b42','admin','admin',X'5B5D',NULL,X'D6B3DFE93F211736BAC0E029D7EECA73BE10DCB68640F1952F2252DD79C68ABA');
CREATE TABLE artifact (
    path TEXT PRIMARY KEY CHECK (length(path) > 0),
    digest TEXT NOT NULL,
    size INTEGER NOT NULL,
    time INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE created (
    request TEXT PRIMARY KEY,
    answer BLOB NOT NULL,
    time INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE cursor (
    source TEXT PRIMARY KEY,
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    chain TEXT NOT NULL) STRICT;
INSERT INTO "cursor" VALUES('console',1795883429898,2,'17125ae9451a110ff4cdf6e1ae9c15eb');
INSERT INTO "cursor" VALUES('trigger-service',1795883429973,15,'ff9173540501fc01f5ab2d829c06f2d5');
CREATE TABLE decision (
    decision TEXT PRIMARY KEY,
    body BLOB NOT NULL
) STRICT;
CREATE TABLE declaration (
    model TEXT PRIMARY KEY CHECK (length(model) > 0),
    project TEXT NOT NULL,
    body BLOB NOT NULL
) STRICT;
INSERT INTO "declaration" VALUES('small','small',X'7B226368616D70696F6E223A226C6174657374222C226E616D65223A22736D616C6C222C22737461676573223A7B22707265736574223A226E6F6E65222C22737461746573223A7B7D2C22746167223A227374616765227D7D');
CREATE TABLE deployment (
    deployment TEXT PRIMARY KEY,
    run TEXT,
    model TEXT NOT NULL,
    version INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('standing', 'failed', 'taken back')),
    history INTEGER NOT NULL
) STRICT;
CREATE TABLE ended_epoch (
    source TEXT NOT NULL REFERENCES log,
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL CHECK (seq >= 0),
    chain TEXT NOT NULL CHECK (length(chain) = 32),
    PRIMARY KEY (source, epoch)
) STRICT, WITHOUT ROWID;
CREATE TABLE endpoint (
    endpoint TEXT PRIMARY KEY,
    model TEXT NOT NULL,
    version INTEGER
) STRICT;
CREATE TABLE experiment (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE CHECK (length(name) > 0),
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    deleted INTEGER
) STRICT;
INSERT INTO "experiment" VALUES(0,'Default',0,0,NULL);
CREATE TABLE experiment_tag (
    experiment INTEGER NOT NULL REFERENCES experiment,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (experiment, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);
INSERT INTO "grdb_migrations" VALUES('shared 1: logs, cursors, intents, parked events, work');
INSERT INTO "grdb_migrations" VALUES('shared: parked events that wait, by their time');
INSERT INTO "grdb_migrations" VALUES('shared 2: epochs, retention, snapshots, halts');
INSERT INTO "grdb_migrations" VALUES('shared 3: API tokens');
INSERT INTO "grdb_migrations" VALUES('v1 declarations, training runs, versions, stages');
INSERT INTO "grdb_migrations" VALUES('v2 decisions, tests, chain of histories');
INSERT INTO "grdb_migrations" VALUES('v2 versions that MLflow clients make, models with names and aliases');
INSERT INTO "grdb_migrations" VALUES('v2 experiments, runs, logged models, artifacts');
CREATE TABLE halt (
    source TEXT PRIMARY KEY,
    fork TEXT NOT NULL,
    since INTEGER NOT NULL,
    released BLOB
) STRICT;
CREATE TABLE intent (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    payload BLOB NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    due INTEGER NOT NULL,
    reason TEXT,
    PRIMARY KEY (kind, id)
) STRICT;
CREATE TABLE kept (
    source TEXT NOT NULL REFERENCES log,
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    topic TEXT NOT NULL,
    prev TEXT NOT NULL,
    body BLOB NOT NULL,
    entity TEXT NOT NULL,
    aspect TEXT NOT NULL,
    expires INTEGER,
    PRIMARY KEY (source, epoch, seq)
) STRICT;
CREATE TABLE latest_metric (
    run INTEGER NOT NULL REFERENCES run,
    key TEXT NOT NULL,
    time INTEGER NOT NULL,
    step INTEGER NOT NULL,
    value REAL NOT NULL,
    is_nan INTEGER NOT NULL CHECK (is_nan IN (0, 1)),
    PRIMARY KEY (run, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE listed_file (
    list TEXT NOT NULL,
    digest TEXT NOT NULL,
    PRIMARY KEY (list, digest)
) STRICT, WITHOUT ROWID;
CREATE TABLE loading (source TEXT PRIMARY KEY, epoch INTEGER NOT NULL, seq INTEGER NOT NULL) STRICT;
CREATE TABLE log (
    source TEXT PRIMARY KEY,
    epoch INTEGER NOT NULL,
    last INTEGER NOT NULL,
    chain TEXT NOT NULL CHECK (length(chain) = 32), base_epoch INTEGER NOT NULL DEFAULT 0, base_seq INTEGER NOT NULL DEFAULT 0, base_chain TEXT NOT NULL DEFAULT '', records INTEGER NOT NULL DEFAULT 0 CHECK (records >= 0), bytes INTEGER NOT NULL DEFAULT 0 CHECK (bytes >= 0)) STRICT;
INSERT INTO "log" VALUES('registry-service',1795883429840,0,'8c450f3387158c403c6fef45f7c93f4b',1795883429840,0,'8c450f3387158c403c6fef45f7c93f4b',0,0);
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
CREATE TABLE logged_model_parameter (
    model INTEGER NOT NULL REFERENCES logged_model, key TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (model, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE logged_model_tag (
    model INTEGER NOT NULL REFERENCES logged_model, key TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (model, key)
) STRICT, WITHOUT ROWID;
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
CREATE TABLE model_alias (
    model TEXT NOT NULL,
    alias TEXT NOT NULL CHECK (length(alias) > 0),
    version INTEGER NOT NULL,
    PRIMARY KEY (model, alias),
    FOREIGN KEY (model, version) REFERENCES version (model, version)
) STRICT, WITHOUT ROWID;
CREATE TABLE model_tag (
    model TEXT NOT NULL REFERENCES registered_model,
    key TEXT NOT NULL CHECK (length(key) > 0),
    value TEXT NOT NULL,
    PRIMARY KEY (model, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE outbox (
    source TEXT NOT NULL REFERENCES log,
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL CHECK (seq > 0),
    id TEXT NOT NULL,
    topic TEXT NOT NULL CHECK (length(topic) <= 200),
    prev TEXT NOT NULL CHECK (length(prev) = 32),
    body BLOB NOT NULL,
    time INTEGER NOT NULL,
    PRIMARY KEY (source, epoch, seq)
) STRICT;
CREATE TABLE parameter (
    run INTEGER NOT NULL REFERENCES run, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (run, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE parked (
    id TEXT PRIMARY KEY,
    source TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    key TEXT NOT NULL,
    topic TEXT NOT NULL,
    body BLOB NOT NULL,
    attempts INTEGER NOT NULL,
    due INTEGER NOT NULL,
    reason TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'dead')),
    UNIQUE (source, epoch, seq)
) STRICT;
CREATE TABLE registered_model (
    model TEXT PRIMARY KEY CHECK (length(model) > 0),
    name TEXT NOT NULL UNIQUE,
    description TEXT,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    deleted INTEGER
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
CREATE TABLE run_tag (
    run INTEGER NOT NULL REFERENCES run, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (run, key)
) STRICT, WITHOUT ROWID;
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
    time INTEGER NOT NULL, moves INTEGER, chain TEXT,
    UNIQUE (event, version),
    FOREIGN KEY (model, version) REFERENCES version (model, version)
) STRICT;
CREATE TABLE tag (
    model TEXT NOT NULL,
    version INTEGER NOT NULL,
    key TEXT NOT NULL CHECK (length(key) > 0),
    value TEXT NOT NULL,
    PRIMARY KEY (model, version, key),
    FOREIGN KEY (model, version) REFERENCES version (model, version)
) STRICT, WITHOUT ROWID;
CREATE TABLE tests (
    run TEXT NOT NULL,
    step TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('passed', 'failed')),
    PRIMARY KEY (run, step)
) STRICT, WITHOUT ROWID;
CREATE TABLE training_run (
    training_run TEXT PRIMARY KEY CHECK (length(training_run) > 0),
    run TEXT NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE TABLE training_token (
    id TEXT PRIMARY KEY,
    training_run TEXT NOT NULL,
    run TEXT NOT NULL,
    project TEXT NOT NULL,
    pipeline TEXT NOT NULL,
    digest BLOB NOT NULL,
    ended INTEGER
) STRICT, WITHOUT ROWID;
CREATE TABLE "version" (
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
CREATE TABLE work (
    item TEXT PRIMARY KEY,
    token INTEGER NOT NULL,
    payload BLOB NOT NULL,
    result BLOB,
    head_epoch INTEGER, head_seq INTEGER,
    time INTEGER NOT NULL
) STRICT;
CREATE INDEX intent_due ON intent (due);
CREATE INDEX parked_key ON parked (key, state);
CREATE INDEX parked_waiting ON parked (due) WHERE state = 'waiting';
CREATE UNIQUE INDEX kept_fact ON kept (source, entity, aspect);
CREATE INDEX kept_expiry ON kept (expires) WHERE expires IS NOT NULL;
CREATE INDEX deployment_run ON deployment (run, model, version) WHERE run IS NOT NULL;
CREATE INDEX tag_value ON tag (model, key, value, version);
CREATE INDEX stage_history_model ON stage_history (model, id);
CREATE TRIGGER stage_history_is_not_deleted BEFORE DELETE ON stage_history
    BEGIN SELECT RAISE(ABORT, 'stage history is append-only'); END;
CREATE TRIGGER stage_history_is_not_altered BEFORE UPDATE ON stage_history
    BEGIN SELECT RAISE(ABORT, 'stage history is append-only'); END;
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
CREATE INDEX model_alias_version ON model_alias (model, version);
CREATE INDEX run_order ON run (experiment, started DESC, uuid);
CREATE INDEX run_training ON run (training_run) WHERE training_run IS NOT NULL;
CREATE INDEX latest_metric_value ON latest_metric (key, value);
CREATE INDEX logged_model_order ON logged_model (experiment, created DESC, uuid);
CREATE INDEX logged_model_run ON logged_model (run) WHERE run <> '';
CREATE INDEX artifact_digest ON artifact (digest);
CREATE INDEX created_time ON created (time);
CREATE INDEX training_token_run ON training_token (training_run);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('experiment',0);
COMMIT;
