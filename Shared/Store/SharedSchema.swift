import GRDB

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
}
