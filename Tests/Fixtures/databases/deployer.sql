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
CREATE TABLE cursor (
    source TEXT PRIMARY KEY,
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    chain TEXT NOT NULL) STRICT;
INSERT INTO "cursor" VALUES('console',1795883429898,2,'17125ae9451a110ff4cdf6e1ae9c15eb');
INSERT INTO "cursor" VALUES('trigger-service',1795883429973,15,'ff9173540501fc01f5ab2d829c06f2d5');
CREATE TABLE deployment (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    item TEXT NOT NULL UNIQUE,
    endpoint TEXT NOT NULL REFERENCES endpoint (name),
    project TEXT NOT NULL,
    target TEXT NOT NULL,
    model TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version > 0),
    run TEXT NOT NULL,
    recipe BLOB NOT NULL,
    causation BLOB NOT NULL,
    phase TEXT NOT NULL CHECK (phase IN ('starting', 'serving', 'standby', 'retiring', 'ended')),
    up INTEGER NOT NULL CHECK (up IN (0, 1)),
    proven INTEGER NOT NULL CHECK (proven IN (0, 1)),
    rolled_back INTEGER NOT NULL CHECK (rolled_back IN (0, 1)),
    previous TEXT,
    outcome TEXT CHECK (outcome IN ('succeeded', 'failed', 'canceled')),
    message TEXT,
    port INTEGER CHECK (port BETWEEN 1 AND 65535),
    pid INTEGER,
    start_time INTEGER,
    boot TEXT
, trouble TEXT, stage TEXT, home TEXT) STRICT;
CREATE TABLE ended_epoch (
    source TEXT NOT NULL REFERENCES log,
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL CHECK (seq >= 0),
    chain TEXT NOT NULL CHECK (length(chain) = 32),
    PRIMARY KEY (source, epoch)
) STRICT, WITHOUT ROWID;
CREATE TABLE endpoint (
    name TEXT PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 63),
    project TEXT NOT NULL,
    target TEXT NOT NULL,
    model TEXT NOT NULL,
    current TEXT REFERENCES deployment (id) DEFERRABLE INITIALLY DEFERRED
, drift TEXT, look TEXT) STRICT, WITHOUT ROWID;
CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);
INSERT INTO "grdb_migrations" VALUES('shared 1: logs, cursors, intents, parked events, work');
INSERT INTO "grdb_migrations" VALUES('shared: parked events that wait, by their time');
INSERT INTO "grdb_migrations" VALUES('shared 2: epochs, retention, snapshots, halts');
INSERT INTO "grdb_migrations" VALUES('shared 3: API tokens');
INSERT INTO "grdb_migrations" VALUES('v1 projects, versions, endpoints, deployments, smoke tests');
INSERT INTO "grdb_migrations" VALUES('v2 drift');
INSERT INTO "grdb_migrations" VALUES('v3 home of processes');
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
INSERT INTO "log" VALUES('deployer',1795883429860,0,'738e73989eb49f642f68e0f9121a7a02',1795883429860,0,'738e73989eb49f642f68e0f9121a7a02',0,0);
CREATE TABLE model_stages (model TEXT PRIMARY KEY, rules BLOB NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO "model_stages" VALUES('small',X'7B7D');
CREATE TABLE model_version (
    model TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version > 0),
    artifact TEXT NOT NULL CHECK (artifact LIKE 'sha256:%'),
    environment TEXT CHECK (environment LIKE 'sha256:%'),
    snapshot TEXT CHECK (snapshot LIKE 'sha256:%'),
    PRIMARY KEY (model, version)
) STRICT, WITHOUT ROWID;
CREATE TABLE open_run (run TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
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
CREATE TABLE project_commit (
    project TEXT NOT NULL,
    sha TEXT NOT NULL,
    digest TEXT NOT NULL,
    PRIMARY KEY (project, sha)
) STRICT, WITHOUT ROWID;
INSERT INTO "project_commit" VALUES('small','17aac6ba2665bdb81a50152f97a93fd1f403a35c','sha256:125851b5f2309566843df63848cf2595d21e4de67b6c60b49a0290ce8d817056');
CREATE TABLE project_file (
    project TEXT NOT NULL,
    digest TEXT NOT NULL,
    targets BLOB NOT NULL,
    seen INTEGER NOT NULL,
    PRIMARY KEY (project, digest)
) STRICT, WITHOUT ROWID;
INSERT INTO "project_file" VALUES('small','sha256:125851b5f2309566843df63848cf2595d21e4de67b6c60b49a0290ce8d817056',X'7B7D',1);
CREATE TABLE revision (one INTEGER PRIMARY KEY CHECK (one = 1), number INTEGER NOT NULL) STRICT;
INSERT INTO "revision" VALUES(1,0);
CREATE TABLE version_stage (
    model TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version > 0),
    stage TEXT NOT NULL,
    run TEXT,
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
CREATE INDEX deployment_endpoint ON deployment (endpoint, number);
CREATE INDEX deployment_live ON deployment (phase) WHERE phase <> 'ended';
CREATE INDEX deployment_run ON deployment (run);
COMMIT;
