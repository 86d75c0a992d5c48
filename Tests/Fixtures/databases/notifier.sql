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
CREATE TABLE early (
    id TEXT PRIMARY KEY,
    run TEXT NOT NULL,
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
CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);
INSERT INTO "grdb_migrations" VALUES('shared 1: logs, cursors, intents, parked events, work');
INSERT INTO "grdb_migrations" VALUES('shared: parked events that wait, by their time');
INSERT INTO "grdb_migrations" VALUES('shared 2: epochs, retention, snapshots, halts');
INSERT INTO "grdb_migrations" VALUES('shared 3: API tokens');
INSERT INTO "grdb_migrations" VALUES('v1 rules, places, deliveries');
INSERT INTO "grdb_migrations" VALUES('v2 advice of runs');
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
INSERT INTO "log" VALUES('notifier',1795883429893,0,'80be35fe2af608f37fdafa0c5490e7c7',1795883429893,0,'80be35fe2af608f37fdafa0c5490e7c7',0,0);
CREATE TABLE model (name TEXT PRIMARY KEY, project TEXT NOT NULL) STRICT;
INSERT INTO "model" VALUES('small','small');
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
CREATE TABLE project (
    name TEXT PRIMARY KEY,
    repository TEXT NOT NULL,
    digest TEXT NOT NULL,
    FOREIGN KEY (name, digest) REFERENCES rules (project, digest)
) STRICT;
INSERT INTO "project" VALUES('small','small','sha256:125851b5f2309566843df63848cf2595d21e4de67b6c60b49a0290ce8d817056');
CREATE TABLE rules (
    project TEXT NOT NULL,
    digest TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (project, digest)
) STRICT;
INSERT INTO "rules" VALUES('small','sha256:125851b5f2309566843df63848cf2595d21e4de67b6c60b49a0290ce8d817056',X'5B5D');
CREATE TABLE run_place (
    run TEXT PRIMARY KEY,
    number INTEGER NOT NULL,
    project TEXT NOT NULL,
    pipeline TEXT NOT NULL,
    file_digest TEXT,
    branch TEXT, sha TEXT, commit_line TEXT,
    requester TEXT NOT NULL
, advice TEXT) STRICT;
INSERT INTO "run_place" VALUES('01a222fe-74f5-7238-84cf-5406fd4b860e',1,'small','check','sha256:125851b5f2309566843df63848cf2595d21e4de67b6c60b49a0290ce8d817056','main','17aac6ba2665bdb81a50152f97a93fd1f403a35c','a change','user:ada@example.com',NULL);
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
CREATE INDEX early_run ON early (run);
CREATE INDEX early_time ON early (time);
COMMIT;
