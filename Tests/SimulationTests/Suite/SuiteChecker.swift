import CSimulation
import EventLog
import Foundation
import GRDB
import Messages

@testable import ServiceKit

/// Looks at the databases of all services when everything is over.
struct SuiteChecker {
    private let world: World
    private let suite: Suite

    init(_ world: World, _ suite: Suite) {
        self.world = world
        self.suite = suite
    }

    private static func owner(of log: Source) -> Source { log == .ingest ? .triggerService : log }

    private func heads() throws -> [Source: (seq: Int64, chain: String)] {
        var heads: [Source: (seq: Int64, chain: String)] = [:]
        for source in suite.sources.flatMap(Suite.logs) {
            heads[source] = try world.read(Self.owner(of: source)) { db in
                let row = try Row.fetchOne(
                    db, sql: "SELECT last, chain FROM log WHERE source = ?", arguments: [source.name])
                return row.map { ($0["last"], $0["chain"]) }
            }
        }
        return heads
    }

    /// Nobody wants anything any more, no run goes on, everybody has read everything.
    func isSettled() -> Bool {
        // A service that is only starting has no tables yet.
        guard suite.people.isContent else { return false }
        return (try? whatIsOpen() ?? "") == ""
    }

    func whatIsOpen() throws -> String? {
        let open = try world.read(.triggerService) { db in
            try String.fetchAll(
                db,
                sql: """
                    SELECT id || ' ' || state || coalesce((SELECT group_concat(item || ' ' || step.state) FROM step
                        WHERE step.run = run.id AND step.state <> 'finished'), '')
                    FROM run WHERE state <> 'finished'
                    UNION ALL SELECT 'cause ' || id FROM cause WHERE state = 'waiting'
                    """)
        }
        if !open.isEmpty { return open.joined(separator: "; ") }
        let heads = try heads()
        for service in suite.sources {
            let logs = suite.followed(by: service)
            let problem = try world.read(service) { db -> String? in
                for log in logs {
                    let seq = try Int64.fetchOne(
                        db, sql: "SELECT seq FROM cursor WHERE source = ?", arguments: [log.name])
                    if seq ?? 0 < heads[log]?.seq ?? 0 {
                        return "\(service) has read \(log) up to \(seq ?? 0) of \(heads[log]?.seq ?? 0)"
                    }
                }
                let waiting = try String.fetchAll(db, sql: "SELECT reason FROM parked WHERE state = 'waiting'")
                return waiting.isEmpty ? nil : "\(service) has parked \(waiting)"
            }
            if let problem { return problem }
        }
        return nil
    }

    func check(settled: Bool) throws -> Finding {
        var outcome = Finding(digest: world.digest, steps: simulation_steps())
        var problems: [String] = []
        if !settled {
            problems.append("I8 240 s after healing: \(try whatIsOpen() ?? "wishes are open")")
        }
        let heads = try heads()
        for service in suite.sources {
            let logs = suite.followed(by: service)
            problems += try world.read(service) { db in try Self.cursorProblems(service, logs, heads, settled, db) }
        }
        outcome.events = heads.values.reduce(0) { $0 + Int($1.seq) }
        let said = try Dictionary(uniqueKeysWithValues: suite.sources.map { ($0, try envelopes($0)) })
        problems += try Self.onceProblems(said)
        problems += try Self.turnProblems(said[.triggerService] ?? [])
        problems += try startProblems(said[.triggerService] ?? [])
        problems += try Self.heardProblems(said, settled)
        problems += suite.machines.startedTwice.map { "S2 the process \($0) was started twice" }
        problems += try notificationProblems(said[.notifier] ?? [])
        if settled { problems += try projectionProblems() }
        outcome.problems = problems
        return outcome
    }

    private static func cursorProblems(
        _ service: Source, _ logs: [Source], _ heads: [Source: (seq: Int64, chain: String)], _ settled: Bool,
        _ db: Database
    ) throws -> [String] {
        var problems: [String] = []
        for log in logs {
            guard
                let row = try Row.fetchOne(db, sql: "SELECT * FROM cursor WHERE source = ?", arguments: [log.name]),
                let head = heads[log]
            else { continue }
            let (seq, chain): (Int64, String) = (row["seq"], row["chain"])
            if settled, seq != head.seq || chain != head.chain {
                problems.append("I1 \(service) stands at \(seq) \(chain) of \(log), whose head is \(head)")
            }
        }
        for fork in try String.fetchAll(db, sql: "SELECT fork FROM halt") {
            problems.append("I5 \(service) found a fork: \(fork)")
        }
        let dead = try String.fetchAll(db, sql: "SELECT topic || ': ' || reason FROM parked WHERE state = 'dead'")
        return problems + dead.map { "I8 \(service) has a dead letter: \($0)" }
    }

    /// Everything that a service ever said.
    func envelopes(_ source: Source) throws -> [Envelope] {
        guard suite.sources.contains(source) else { return [] }
        return try world.read(source) { db in
            try Archive.events(of: source, in: db).map { $0.envelope }
        }
    }

    /// I7, and what may be said only once.
    private static func onceProblems(_ said: [Source: [Envelope]]) throws -> [String] {
        var seen: Set<String> = []
        var problems: [String] = []
        func once(_ what: String) {
            if !seen.insert(what).inserted { problems.append("I7 \(what) was said twice") }
        }
        // A run that a person tries again ends once more.
        let retried = Set(try (said[.console] ?? []).compactMap { try $0.body(RunRetryRequested.self)?.run })
        for source in [Source.triggerService, .trainerProxy, .registryService, .deployer, .notifier] {
            for envelope in said[source] ?? [] {
                if let step = try envelope.body(StepFinished.self) {
                    once("the end of step \(step.run)/\(step.job)/\(step.step)/\(step.attempt)")
                }
                if let run = try envelope.body(RunFinished.self), !retried.contains(run.run) {
                    once("the end of run \(run.run)")
                }
                if let training = try envelope.body(TrainingFinished.self), !retried.contains(training.run) {
                    once("the end of training \(training.trainingRun)")
                }
                if let model = try envelope.body(ModelRegistered.self) { once("version \(model.version)") }
                if let deployment = try envelope.body(DeploymentFinished.self) {
                    once("the end of deployment \(deployment.deployment)")
                }
                if let sent = try envelope.body(NotificationSent.self) { once("notification \(sent.notification)") }
            }
        }
        return problems
    }

    /// Runs of one group go one after another.
    private static func turnProblems(_ said: [Envelope]) throws -> [String] {
        var problems: [String] = []
        var open: Set<String> = []
        for envelope in said {
            if let begun = try envelope.body(RunStarted.self), begun.pipeline == "release" {
                if !open.isEmpty { problems.append("I3 run \(begun.run) began before \(open) of its group had ended") }
                open.insert(begun.run)
            }
            if let ended = try envelope.body(RunFinished.self) { open.remove(ended.run) }
        }
        return problems
    }

    /// Each attempt of a step that started a pipeline has started one run.
    private func startProblems(_ said: [Envelope]) throws -> [String] {
        let started = try world.read(.triggerService) { db in
            try String.fetchAll(db, sql: "SELECT started_by FROM run WHERE started_by IS NOT NULL")
        }
        var problems: [String] = []
        if Set(started).count != started.count { problems.append("I7 a step has started two runs") }
        for envelope in said {
            guard let step = try envelope.body(StepFinished.self), step.verb == "pipeline/start",
                step.outcome == .succeeded
            else { continue }
            let item = "\(step.run)/\(step.job)/\(step.step)/\(step.attempt)"
            if !started.contains(item) { problems.append("I4 the step \(item) succeeded and started nothing") }
        }
        return problems
    }

    /// The pipeline that listens to the ends of deployments has one verdict of each, also where a snapshot told of it.
    private static func heardProblems(_ said: [Source: [Envelope]], _ settled: Bool) throws -> [String] {
        var verdicts: [String: Int] = [:]
        for envelope in said[.triggerService] ?? [] {
            if let verdict = try envelope.body(TriggerMatched.self), verdict.pipeline == "served" {
                verdicts[verdict.cause, default: 0] += 1
            } else if let verdict = try envelope.body(TriggerIgnored.self), verdict.pipeline == "served" {
                verdicts[verdict.cause, default: 0] += 1
            }
        }
        return try (said[.deployer] ?? []).compactMap { envelope -> String? in
            guard let ended = try envelope.body(DeploymentFinished.self) else { return nil }
            let count = verdicts[envelope.id] ?? 0
            if count == 1 || count == 0 && !settled { return nil }
            return "I4 the end of deployment \(ended.deployment) has \(count) verdicts"
        }
    }

    /// A line for each notification that was said to be sent, and never two.
    private func notificationProblems(_ said: [Envelope]) throws -> [String] {
        struct Line: Decodable { var delivery: String }
        let text = (try? String(contentsOfFile: world.paths.notifications + "/demo.jsonl", encoding: .utf8)) ?? ""
        let lines = try text.split(separator: "\n").map { try Wire.decode(Line.self, from: Data($0.utf8)).delivery }
        var problems: [String] = []
        if Set(lines).count != lines.count { problems.append("I2 a notification stands in the file twice") }
        for envelope in said {
            guard let sent = try envelope.body(NotificationSent.self) else { continue }
            if !lines.contains(sent.notification) { problems.append("I5 \(sent.notification) was not written") }
        }
        return problems
    }

    /// The console knows of every run that it heard of what trigger-service knows, and nothing of a run outlives it.
    private func projectionProblems() throws -> [String] {
        let truth = try world.read(.triggerService) { try Self.ends(in: "run", $0) }
        let missed = try MissedRuns(world)
        let (shown, left) = try world.read(.console) { db in
            (
                try Self.ends(in: "runs", db),
                try String.fetchAll(
                    db,
                    sql: """
                        SELECT 'job ' || run || ' ' || job FROM jobs WHERE state = 'running'
                        UNION ALL SELECT 'step ' || run || ' ' || job || ' ' || step FROM steps WHERE state = 'running'
                        UNION ALL SELECT 'approval ' || id FROM approvals WHERE state = 'waiting'
                        """)
            )
        }
        var problems: [String] = []
        for run in Set(truth.keys).union(shown.keys).sorted() where truth[run] != shown[run] {
            if shown[run] == nil, missed.contains(run) { continue }
            problems.append(
                "I1 the console shows run \(run) as \(shown[run] ?? "none"), it is \(truth[run] ?? "none")")
        }
        if !left.isEmpty { problems.append("I1 the console shows as open what is over: \(left)") }
        return try problems + versionProblems()
    }

    private static func ends(in table: String, _ db: Database) throws -> [String: String] {
        let rows = try Row.fetchAll(db, sql: "SELECT id, coalesce(outcome, state) AS end FROM \(table)")
        return Dictionary(uniqueKeysWithValues: rows.map { ($0["id"], $0["end"]) })
    }

    /// Everybody knows of the same versions in the same stages; one at most is in production.
    private func versionProblems() throws -> [String] {
        let tables: [(Source, String)] = [
            (.registryService, "version"), (.console, "versions"), (.evaluator, "version"),
            (.trainerProxy, "model_version"),
        ]
        guard tables.allSatisfy({ suite.sources.contains($0.0) }) else { return [] }
        let known = try tables.map { source, table in
            try world.read(source) { db in
                try String.fetchSet(
                    db, sql: "SELECT model || ' ' || version || ' ' || coalesce(stage, 'none') FROM \(table)")
            }
        }
        var problems = zip(tables, known).filter { $0.1 != known[0] }.map { table, versions in
            "I1 \(table.0) knows other versions: \(versions.symmetricDifference(known[0]).sorted())"
        }
        let production = known[0].filter { $0.hasSuffix(" production") }
        if production.count > 1 { problems.append("I4 \(production.count) versions are in production") }
        return problems
    }
}
