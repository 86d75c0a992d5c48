import EventLog
import GRDB
import Messages

/// The tables that every service has; its own come after them.
func migrateShared(_ migrator: inout DatabaseMigrator) {
    migrator.registerMigration("shared 1: logs, cursors, intents, parked events, work") { db in
        try db.execute(
            sql: """
                CREATE TABLE log (
                    source TEXT PRIMARY KEY,
                    epoch INTEGER NOT NULL,
                    first INTEGER NOT NULL,
                    last INTEGER NOT NULL,
                    chain TEXT NOT NULL CHECK (length(chain) = 32),
                    parent_epoch INTEGER, parent_seq INTEGER, parent_chain TEXT
                ) STRICT;
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
                CREATE TABLE cursor (
                    source TEXT PRIMARY KEY,
                    epoch INTEGER NOT NULL,
                    seq INTEGER NOT NULL,
                    chain TEXT NOT NULL,
                    quarantined TEXT
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
                CREATE INDEX intent_due ON intent (due);
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
                CREATE INDEX parked_key ON parked (key, state);
                CREATE TABLE work (
                    item TEXT PRIMARY KEY,
                    token INTEGER NOT NULL,
                    payload BLOB NOT NULL,
                    result BLOB,
                    head_epoch INTEGER, head_seq INTEGER,
                    time INTEGER NOT NULL
                ) STRICT;
                """)
    }
    // Looked for with every batch of events, and by whoever tries them again.
    migrator.registerMigration("shared: parked events that wait, by their time") { db in
        try db.execute(sql: "CREATE INDEX parked_waiting ON parked (due) WHERE state = 'waiting'")
    }
    migrator.registerMigration("shared 2: epochs, retention, snapshots, halts") { db in
        try db.execute(sql: epochs)
        for name in try String.fetchAll(db.cachedStatement(sql: "SELECT source FROM log")) {
            let tip = try Outbox.tip(of: Source(stringLiteral: name), in: db)
            let start = Chain.start(of: Source(stringLiteral: name), epoch: tip.epoch, parent: nil)
            try db.cachedStatement(
                sql: """
                    UPDATE log SET base_epoch = epoch, base_chain = ?,
                        records = (SELECT count(*) FROM outbox WHERE outbox.source = log.source),
                        bytes = (SELECT ifnull(sum(length(body)), 0) FROM outbox WHERE outbox.source = log.source)
                    WHERE source = ?
                    """
            ).execute(arguments: [start.hex, name])
        }
    }
    migrator.registerMigration("shared 3: API tokens") { db in try db.execute(sql: tokens) }
    migrator.registerMigration("shared 4: when waits began") { db in try db.execute(sql: waits) }
}

private let waits = """
    -- When `due` was reckoned, by the clock of then; 0: not known.
    ALTER TABLE intent ADD COLUMN since INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE parked ADD COLUMN since INTEGER NOT NULL DEFAULT 0;
    CREATE INDEX intent_since ON intent (since);
    CREATE INDEX parked_since ON parked (since) WHERE state = 'waiting';
    """

private let tokens = """
    -- Those that are valid, by what the console has told of them.
    CREATE TABLE api_token (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        role TEXT NOT NULL,
        groups BLOB NOT NULL,
        email TEXT,
        hash BLOB NOT NULL CHECK (length(hash) = 32)
    ) STRICT;
    """

private let epochs = """
    -- Where older epochs ended, and the next one went on.
    CREATE TABLE ended_epoch (
        source TEXT NOT NULL REFERENCES log,
        epoch INTEGER NOT NULL,
        seq INTEGER NOT NULL CHECK (seq >= 0),
        chain TEXT NOT NULL CHECK (length(chain) = 32),
        PRIMARY KEY (source, epoch)
    ) STRICT, WITHOUT ROWID;
    ALTER TABLE log DROP COLUMN first;
    ALTER TABLE log DROP COLUMN parent_epoch;
    ALTER TABLE log DROP COLUMN parent_seq;
    ALTER TABLE log DROP COLUMN parent_chain;
    -- The place before the oldest record that is still there.
    ALTER TABLE log ADD COLUMN base_epoch INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE log ADD COLUMN base_seq INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE log ADD COLUMN base_chain TEXT NOT NULL DEFAULT '';
    -- How many records there are, of all epochs, and the bytes of their bodies.
    ALTER TABLE log ADD COLUMN records INTEGER NOT NULL DEFAULT 0 CHECK (records >= 0);
    ALTER TABLE log ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0 CHECK (bytes >= 0);
    -- Deleted records that still make the state: one for each aspect of an entity.
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
    CREATE UNIQUE INDEX kept_fact ON kept (source, entity, aspect);
    CREATE INDEX kept_expiry ON kept (expires) WHERE expires IS NOT NULL;
    ALTER TABLE cursor DROP COLUMN quarantined;
    -- How far a snapshot has been applied that is not applied whole.
    CREATE TABLE loading (source TEXT PRIMARY KEY, epoch INTEGER NOT NULL, seq INTEGER NOT NULL) STRICT;
    -- Sources that are not followed because of a fork, until they are released.
    CREATE TABLE halt (
        source TEXT PRIMARY KEY,
        fork TEXT NOT NULL,
        since INTEGER NOT NULL,
        released BLOB
    ) STRICT;
    """
