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
        for source in Source.all {
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
        for (service, logs) in Suite.followed.sorted(by: { $0.key.name < $1.key.name }) {
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
        for (service, logs) in Suite.followed.sorted(by: { $0.key.name < $1.key.name }) {
            problems += try world.read(service) { db in try Self.cursorProblems(service, logs, heads, settled, db) }
        }
        outcome.events = heads.values.reduce(0) { $0 + Int($1.seq) }
        problems += try onceProblems()
        problems += try turnProblems()
        problems += try startProblems()
        problems += suite.machines.startedTwice.map { "S2 the process \($0) was started twice" }
        problems += try notificationProblems(settled)
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

    private func envelopes(_ source: Source) throws -> [Envelope] {
        try world.read(source) { db in
            try Data.fetchAll(
                db, sql: "SELECT body FROM outbox WHERE source = ? ORDER BY seq", arguments: [source.name]
            ).map { try Wire.decode(Envelope.self, from: $0) }
        }
    }

    /// I7, and what may be said only once.
    private func onceProblems() throws -> [String] {
        var seen: Set<String> = []
        var problems: [String] = []
        func once(_ what: String) {
            if !seen.insert(what).inserted { problems.append("I7 \(what) was said twice") }
        }
        // A run that a person tries again ends once more.
        let retried = Set(try envelopes(.console).compactMap { try $0.body(RunRetryRequested.self)?.run })
        for source in [Source.triggerService, .trainerProxy, .registryService, .deployer, .notifier] {
            for envelope in try envelopes(source) {
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
    private func turnProblems() throws -> [String] {
        var problems: [String] = []
        var open: Set<String> = []
        for envelope in try envelopes(.triggerService) {
            if let begun = try envelope.body(RunStarted.self), begun.pipeline == "release" {
                if !open.isEmpty { problems.append("I3 run \(begun.run) began before \(open) of its group had ended") }
                open.insert(begun.run)
            }
            if let ended = try envelope.body(RunFinished.self) { open.remove(ended.run) }
        }
        return problems
    }

    /// Each attempt of a step that started a pipeline has started one run.
    private func startProblems() throws -> [String] {
        let started = try world.read(.triggerService) { db in
            try String.fetchAll(db, sql: "SELECT started_by FROM run WHERE started_by IS NOT NULL")
        }
        var problems: [String] = []
        if Set(started).count != started.count { problems.append("I7 a step has started two runs") }
        for envelope in try envelopes(.triggerService) {
            guard let step = try envelope.body(StepFinished.self), step.verb == "pipeline/start",
                step.outcome == .succeeded
            else { continue }
            let item = "\(step.run)/\(step.job)/\(step.step)/\(step.attempt)"
            if !started.contains(item) { problems.append("I4 the step \(item) succeeded and started nothing") }
        }
        return problems
    }

    /// A line for each notification that was said to be sent, and never two.
    private func notificationProblems(_ settled: Bool) throws -> [String] {
        struct Line: Decodable { var delivery: String }
        let text = (try? String(contentsOfFile: world.paths.notifications + "/demo.jsonl", encoding: .utf8)) ?? ""
        let lines = try text.split(separator: "\n").map { try Wire.decode(Line.self, from: Data($0.utf8)).delivery }
        var problems: [String] = []
        if Set(lines).count != lines.count { problems.append("I2 a notification stands in the file twice") }
        for envelope in try envelopes(.notifier) {
            guard let sent = try envelope.body(NotificationSent.self) else { continue }
            if !lines.contains(sent.notification) { problems.append("I5 \(sent.notification) was not written") }
        }
        return problems
    }

    /// The console knows of every run what trigger-service knows; one version at most is in production.
    private func projectionProblems() throws -> [String] {
        let truth = try world.read(.triggerService) { db in
            try String.fetchSet(db, sql: "SELECT id || ' ' || coalesce(outcome, state) FROM run")
        }
        let shown = try world.read(.console) { db in
            try String.fetchSet(db, sql: "SELECT id || ' ' || coalesce(outcome, state) FROM runs")
        }
        var problems: [String] = []
        if truth != shown {
            problems.append("I1 the console shows other runs: \(truth.symmetricDifference(shown).sorted())")
        }
        let production = try world.read(.console) { db in
            try Int.fetchOne(db, sql: "SELECT count(*) FROM versions WHERE stage = 'production'") ?? 0
        }
        if production > 1 { problems.append("I4 \(production) versions are in production") }
        return problems
    }
}
