import GRDB
import Store

extension Transaction {
    /// Runs that need workers now. One that waits for people or for another run takes nobody's place.
    func busyCount() throws -> Int {
        try Int.fetchOne(db.cachedStatement(sql: "SELECT count(*) FROM run WHERE state = 'running' AND parked = 0"))
            ?? 0
    }

    /// The queued run whose turn it is: the oldest whose source is there and whose group has room. Within a group nobody
    /// overtakes, so a run whose source is still being packed holds back those behind it.
    func nextToStart() throws -> String? {
        try String.fetchOne(
            db.cachedStatement(
                sql: """
                    WITH RECURSIVE line (name) AS (
                        SELECT (SELECT concurrency FROM run WHERE state = 'queued' AND concurrency > ''
                            ORDER BY concurrency LIMIT 1)
                        UNION ALL
                        SELECT (SELECT concurrency FROM run WHERE state = 'queued' AND concurrency > line.name
                            ORDER BY concurrency LIMIT 1)
                        FROM line WHERE line.name IS NOT NULL),
                    head (seq) AS (
                        SELECT (SELECT seq FROM run WHERE state = 'queued' AND concurrency = line.name
                            ORDER BY seq LIMIT 1)
                        FROM line WHERE line.name IS NOT NULL
                        UNION ALL
                        SELECT * FROM (SELECT seq FROM run WHERE state = 'queued' AND concurrency IS NULL
                            AND (repository IS NULL OR snapshot IS NOT NULL) ORDER BY seq LIMIT 1))
                    SELECT r.id FROM head JOIN run AS r ON r.seq = head.seq
                    WHERE (r.repository IS NULL OR r.snapshot IS NOT NULL) AND (r.concurrency IS NULL OR
                        (SELECT count(*) FROM run WHERE concurrency = r.concurrency AND state = 'running') < r.at_once)
                    ORDER BY r.seq LIMIT 1
                    """))
    }

    func group(of run: String) throws -> ConcurrencyGroup? {
        try Row.fetchOne(
            db.cachedStatement(sql: "SELECT concurrency, at_once FROM run WHERE id = ? AND concurrency IS NOT NULL"),
            arguments: [run]
        ).map { ConcurrencyGroup(name: $0["concurrency"], most: $0["at_once"]) }
    }

    /// The run that a `pipeline/start` started.
    func run(startedBy item: String) throws -> String? {
        try String.fetchOne(
            db.cachedStatement(sql: "SELECT id FROM run WHERE started_by = ?"), arguments: [item])
    }

    /// The runs of a group that are not over, the oldest first.
    func open(inGroup name: String) throws -> [String] {
        try String.fetchAll(
            db.cachedStatement(sql: "SELECT id FROM run WHERE concurrency = ? AND state <> 'finished' ORDER BY seq"),
            arguments: [name])
    }

    /// Whether the upstream run has already started this pipeline.
    func hasDownstream(of upstream: String, project: String, pipeline: String) throws -> Bool {
        try Bool.fetchOne(
            db.cachedStatement(
                sql: "SELECT EXISTS (SELECT 1 FROM run WHERE upstream = ? AND project = ? AND pipeline = ?)"),
            arguments: [upstream, project, pipeline]) ?? false
    }
}
