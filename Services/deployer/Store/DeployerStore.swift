import GRDB

/// The deployer's tables.
enum DeployerStore {
    static func migrate(_ migrator: inout DatabaseMigrator) {
        migrator.registerMigration("v1 projects, versions, endpoints, deployments, smoke tests") { db in
            try db.execute(sql: knowledge)
            try db.execute(sql: rollouts)
        }
        migrator.registerMigration("v2 drift") { try $0.execute(sql: drift) }
        // The replica in whose container the process runs; NULL where all replicas share one machine's processes.
        migrator.registerMigration("v3 home of processes") {
            try $0.execute(sql: "ALTER TABLE deployment ADD COLUMN home TEXT")
        }
        // What serves goes on to be known; nothing new is made of it.
        migrator.registerMigration("v4 versions that were deleted") {
            try $0.execute(
                sql: """
                    ALTER TABLE model_version ADD COLUMN deleted INTEGER NOT NULL DEFAULT 0 CHECK (deleted IN (0, 1))
                    """)
        }
    }

    private static let drift = """
        -- Where the registry has each version; none where it has no stage.
        CREATE TABLE version_stage (
            model TEXT NOT NULL,
            version INTEGER NOT NULL CHECK (version > 0),
            stage TEXT NOT NULL,
            run TEXT,
            PRIMARY KEY (model, version)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE model_stages (model TEXT PRIMARY KEY, rules BLOB NOT NULL) STRICT, WITHOUT ROWID;
        -- The runs that go on.
        CREATE TABLE open_run (run TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
        ALTER TABLE deployment ADD COLUMN trouble TEXT;
        ALTER TABLE deployment ADD COLUMN stage TEXT;
        -- What was told of it last; NULL while it serves what it should.
        ALTER TABLE endpoint ADD COLUMN drift TEXT;
        -- The look at it that counts: asked for last.
        ALTER TABLE endpoint ADD COLUMN look TEXT;
        """

    /// What other services told.
    private static let knowledge = """
        CREATE TABLE project_file (
            project TEXT NOT NULL,
            digest TEXT NOT NULL,
            targets BLOB NOT NULL,
            seen INTEGER NOT NULL,
            PRIMARY KEY (project, digest)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE project_commit (
            project TEXT NOT NULL,
            sha TEXT NOT NULL,
            digest TEXT NOT NULL,
            PRIMARY KEY (project, sha)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE model_version (
            model TEXT NOT NULL,
            version INTEGER NOT NULL CHECK (version > 0),
            artifact TEXT NOT NULL CHECK (artifact LIKE 'sha256:%'),
            environment TEXT CHECK (environment LIKE 'sha256:%'),
            snapshot TEXT CHECK (snapshot LIKE 'sha256:%'),
            PRIMARY KEY (model, version)
        ) STRICT, WITHOUT ROWID;
        """

    private static let rollouts = """
        CREATE TABLE endpoint (
            name TEXT PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 63),
            project TEXT NOT NULL,
            target TEXT NOT NULL,
            model TEXT NOT NULL,
            current TEXT REFERENCES deployment (id) DEFERRABLE INITIALLY DEFERRED
        ) STRICT, WITHOUT ROWID;
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
        ) STRICT;
        CREATE INDEX deployment_endpoint ON deployment (endpoint, number);
        CREATE INDEX deployment_live ON deployment (phase) WHERE phase <> 'ended';
        CREATE INDEX deployment_run ON deployment (run);
        -- Grows with every change, so that a route table read earlier never replaces one read later.
        CREATE TABLE revision (one INTEGER PRIMARY KEY CHECK (one = 1), number INTEGER NOT NULL) STRICT;
        INSERT INTO revision VALUES (1, 0);
        """
}
