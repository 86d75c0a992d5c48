import Foundation
import GRDB
import Messages
import Store

/// A run as stored: the machine's own values, and what only the store keeps of it.
struct StoredRun: Sendable, Hashable {
    var run: Run
    /// Positions that its workers' logs reached: later steps work only where those are known.
    var heads: [LogPosition]
}

/// How a run waits for others.
struct ConcurrencyGroup: Sendable, Hashable {
    var name: String
    var most: Int
}

extension Transaction {
    func nextNumber(project: String, pipeline: String) throws -> Int {
        let statement = try db.cachedStatement(
            sql: "SELECT coalesce(max(number), 0) + 1 FROM run WHERE project = ? AND pipeline = ?")
        return try Int.fetchOne(statement, arguments: [project, pipeline]) ?? 1
    }

    func insert(_ stored: StoredRun, group: ConcurrencyGroup?, upstream: String?) throws {
        let (run, facts, status) = (stored.run, stored.run.facts, stored.run.status)
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO run (id, project, pipeline, number, cause, upstream, repository, sha, state, snapshot,
                    concurrency, at_once, facts, status, heads, queued, started_by, parked)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """)
        try statement.execute(arguments: [
            run.id, facts.project, facts.pipeline, facts.number, facts.cause, upstream, facts.git?.repository,
            facts.git?.sha, status.phase.rawValue, status.snapshot?.text, group?.name, group?.most ?? 1,
            try Wire.encode(facts), try Wire.encode(status), try Wire.encode(stored.heads), now.milliseconds,
            facts.startedBy, run.isParked,
        ])
        for job in run.jobs.indices {
            try write(run, job: job)
            for step in run.jobs[job].steps.indices { try write(run, StepPlace(job: job, step: step)) }
        }
    }

    /// Writes what differs from `old`.
    func update(_ run: Run, from old: Run) throws {
        if run.status != old.status || run.isParked != old.isParked {
            let statement = try db.cachedStatement(
                sql: "UPDATE run SET state = ?, outcome = ?, snapshot = ?, status = ?, parked = ? WHERE id = ?")
            try statement.execute(arguments: [
                run.status.phase.rawValue, run.status.outcome?.rawValue, run.status.snapshot?.text,
                try Wire.encode(run.status), run.isParked, run.id,
            ])
        }
        for job in run.jobs.indices {
            if run.jobs[job].status != old.jobs[job].status { try write(run, job: job) }
            for step in run.jobs[job].steps.indices {
                let place = StepPlace(job: job, step: step)
                if run[place] != old[place] { try write(run, place) }
            }
        }
    }

    private func write(_ run: Run, job position: Int) throws {
        let job = run.jobs[position]
        let statement = try db.cachedStatement(
            sql: "INSERT OR REPLACE INTO job (run, position, id, state, outcome, body) VALUES (?, ?, ?, ?, ?, ?)")
        try statement.execute(arguments: [
            run.id, position, job.id, job.status.phase.rawValue, job.status.outcome?.rawValue,
            try Wire.encode(job.status),
        ])
    }

    private func write(_ run: Run, _ place: StepPlace) throws {
        let step = run[place]
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO step (run, job, position, item, verb, state, outcome, session, token, canceling, offered, body,
                    seq)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, (SELECT seq FROM run WHERE id = ?))
                ON CONFLICT (run, job, position) DO UPDATE SET item = excluded.item, state = excluded.state,
                    outcome = excluded.outcome, session = excluded.session, token = excluded.token,
                    canceling = excluded.canceling, offered = excluded.offered, body = excluded.body
                """)
        try statement.execute(arguments: [
            run.id, place.job, place.step, run.item(place), step.verb, step.status.phase.rawValue,
            step.status.outcome?.rawValue, step.status.lease?.session, step.status.lease?.token, step.status.canceling,
            step.status.phase == .offered ? now.milliseconds : nil, try Wire.encode(step.status), run.id,
        ])
    }

    func run(_ id: String) throws -> StoredRun? { try RunQueries.run(id, in: db) }

    func setHeads(_ heads: [LogPosition], of run: String) throws {
        try db.execute(
            literal: "UPDATE run SET heads = \(try Wire.encode(heads)) WHERE id = \(run)")
    }

    /// The snapshot of a commit is there: every queued run of it may begin when its turn comes.
    func setSnapshot(_ digest: Digest, repository: String, sha: String) throws {
        try db.execute(
            literal: """
                INSERT INTO snapshot (repository, sha, digest) VALUES (\(repository), \(sha), \(digest.text))
                ON CONFLICT DO UPDATE SET digest = excluded.digest
                """)
        try db.execute(
            literal: """
                UPDATE run SET snapshot = \(digest.text)
                WHERE repository = \(repository) AND sha = \(sha) AND state = 'queued'
                """)
    }

    func snapshot(repository: String, sha: String) throws -> Digest? {
        let text = try String.fetchOne(
            db.cachedStatement(sql: "SELECT digest FROM snapshot WHERE repository = ? AND sha = ?"),
            arguments: [repository, sha])
        return text.flatMap(Digest.init)
    }
}

enum RunQueries {
    static func run(_ id: String, in db: Database) throws -> StoredRun? {
        guard
            let row = try Row.fetchOne(
                db.cachedStatement(sql: "SELECT facts, status, heads, snapshot FROM run WHERE id = ?"), arguments: [id])
        else { return nil }
        var jobs = try Row.fetchAll(
            db.cachedStatement(sql: "SELECT id, body FROM job WHERE run = ? ORDER BY position"), arguments: [id]
        ).map { RunJob(id: $0["id"], status: try $0.decode(RunJob.Status.self, "body"), steps: []) }
        let steps = try Row.fetchCursor(
            db.cachedStatement(sql: "SELECT job, item, verb, body FROM step WHERE run = ? ORDER BY job, position"),
            arguments: [id])
        while let step = try steps.next() {
            let item: String = step["item"]
            // <run>/<job>/<step>/<attempt>: none of them holds a slash.
            let parts = item.split(separator: "/")
            let job: Int = step["job"]
            guard parts.count > 1, jobs.indices.contains(job) else {
                throw DecodingError.dataCorrupted(
                    .init(codingPath: [], debugDescription: "'\(item)' is of no job of its run"))
            }
            jobs[job].steps.append(
                RunStep(
                    id: String(parts[parts.count - 2]), verb: step["verb"],
                    status: try step.decode(RunStep.Status.self, "body")))
        }
        var status = try row.decode(RunStatus.self, "status")
        let snapshot: String? = row["snapshot"]
        status.snapshot = snapshot.flatMap(Digest.init)
        let run = Run(facts: try row.decode(RunFacts.self, "facts"), status: status, jobs: jobs)
        return StoredRun(run: run, heads: try row.decode([LogPosition].self, "heads"))
    }
}
