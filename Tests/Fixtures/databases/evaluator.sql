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
CREATE TABLE bypass (
    run TEXT NOT NULL,
    step TEXT NOT NULL,
    decision TEXT NOT NULL REFERENCES decision (digest),
    actor TEXT NOT NULL CHECK (actor LIKE 'user:%'),
    reason TEXT NOT NULL CHECK (length(reason) > 0),
    time INTEGER NOT NULL,
    PRIMARY KEY (run, step)
) STRICT, WITHOUT ROWID;
CREATE TABLE cursor (
    source TEXT PRIMARY KEY,
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    chain TEXT NOT NULL) STRICT;
INSERT INTO "cursor" VALUES('console',1795883429898,2,'17125ae9451a110ff4cdf6e1ae9c15eb');
INSERT INTO "cursor" VALUES('trigger-service',1795883429973,15,'ff9173540501fc01f5ab2d829c06f2d5');
CREATE TABLE dataset (
    project TEXT NOT NULL,
    name TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version > 0),
    digest TEXT NOT NULL,
    PRIMARY KEY (project, name, version)
) STRICT, WITHOUT ROWID;
CREATE TABLE decision (
    digest TEXT PRIMARY KEY CHECK (digest LIKE 'sha256:%'),
    item TEXT NOT NULL UNIQUE,
    body BLOB NOT NULL,
    time INTEGER NOT NULL
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
CREATE TABLE environment (
    run TEXT PRIMARY KEY,
    digest TEXT NOT NULL
) STRICT;
CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);
INSERT INTO "grdb_migrations" VALUES('shared 1: logs, cursors, intents, parked events, work');
INSERT INTO "grdb_migrations" VALUES('shared: parked events that wait, by their time');
INSERT INTO "grdb_migrations" VALUES('shared 2: epochs, retention, snapshots, halts');
INSERT INTO "grdb_migrations" VALUES('shared 3: API tokens');
INSERT INTO "grdb_migrations" VALUES('v1 projection, decisions, test runs');
INSERT INTO "grdb_migrations" VALUES('v2 predictions, data sets, bypasses, standing decisions');
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
CREATE TABLE loading (source TEXT PRIMARY KEY, epoch INTEGER NOT NULL, seq INTEGER NOT NULL) STRICT;
CREATE TABLE log (
    source TEXT PRIMARY KEY,
    epoch INTEGER NOT NULL,
    last INTEGER NOT NULL,
    chain TEXT NOT NULL CHECK (length(chain) = 32), base_epoch INTEGER NOT NULL DEFAULT 0, base_seq INTEGER NOT NULL DEFAULT 0, base_chain TEXT NOT NULL DEFAULT '', records INTEGER NOT NULL DEFAULT 0 CHECK (records >= 0), bytes INTEGER NOT NULL DEFAULT 0 CHECK (bytes >= 0)) STRICT;
INSERT INTO "log" VALUES('evaluator',1795883429865,0,'7f614d4015503d7bc1b0655726b5b48f',1795883429865,0,'7f614d4015503d7bc1b0655726b5b48f',0,0);
CREATE TABLE model (
    model TEXT PRIMARY KEY,
    champion TEXT,
    mirror TEXT
, score TEXT) STRICT;
INSERT INTO "model" VALUES('small','latest',NULL,NULL);
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
CREATE TABLE tag (
    model TEXT NOT NULL,
    version INTEGER NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (model, version, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE test_run (
    item TEXT PRIMARY KEY,
    pid INTEGER NOT NULL,
    start_time INTEGER NOT NULL,
    boot TEXT NOT NULL
) STRICT;
CREATE TABLE training_run (
    training_run TEXT PRIMARY KEY,
    outcome TEXT NOT NULL,
    metrics BLOB NOT NULL
, artifact TEXT, predictions TEXT) STRICT;
CREATE TABLE version (
    model TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version > 0),
    training_run TEXT,
    digest TEXT NOT NULL,
    metrics BLOB NOT NULL,
    stage TEXT, predictions TEXT,
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
CREATE INDEX version_stage ON version (model, stage, version) WHERE stage IS NOT NULL;
CREATE INDEX tag_value ON tag (model, key, value, version);
CREATE TRIGGER decision_is_not_altered BEFORE UPDATE ON decision
    BEGIN SELECT RAISE(ABORT, 'decisions are immutable'); END;
CREATE TRIGGER decision_is_not_deleted BEFORE DELETE ON decision
    BEGIN SELECT RAISE(ABORT, 'decisions are immutable'); END;
CREATE INDEX standing_model ON standing (model);
COMMIT;
