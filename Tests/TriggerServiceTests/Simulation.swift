import Foundation
import Messages
import ProjectFile
import Testing

@testable import TriggerService

/// One run moved by hand: the real file, plan and machine, with time and names given by the test.
struct Simulation {
    var run: Run
    let plan: RunPlan
    var now = Timestamp(milliseconds: 1_800_000_000_000)
    var champion: String?
    /// Of other models than the one that everything is about.
    var champions: [ChampionKey: String] = [:]
    var changes: [RunChange] = []
    private var token: Int64 = 0
    private let ids = Counter()

    final class Counter {
        private var value = 0
        func next() -> String {
            value += 1
            return "id-\(value)"
        }
    }

    init(
        _ pipeline: String, parameters: [String: JSONValue] = [:], event: JSONValue = ["kind": "push"],
        requester: String = "user:ann", extra: String = ""
    ) throws {
        let project = try Self.project(
            "martlet: 1\nproject: demo\n\(extra)\npipelines:\n  p:\n\(Self.indent(pipeline, 4))")
        let facts = RunFacts(
            id: "run-1", number: 1, url: "http://127.0.0.1:8080/runs/run-1", project: "demo", pipeline: "p",
            git: GitReference(
                repository: "demo", url: "/srv/demo", branch: "main", sha: String(repeating: "a", count: 40),
                message: "m"),
            cause: "cause-1", causeType: "dev.martlet.change.pushed.v1", reason: "push", requester: requester,
            causation: .first(actor: requester), parameters: parameters, event: event, upstream: [:], fileDigest: "f",
            model: "demo", champion: "stage=production",
            champions: RunFacts.champions(of: try project.modelDeclarations()),
            variables: .object(try project.variableValues()), queued: now)
        plan = try RunPlan(project, pipeline: "p", in: facts.scope(in:))
        run = Run(facts: facts, jobs: plan.newJobs)
    }

    static func project(_ text: String) throws -> Project {
        try ProjectReader.read([ProjectDocument(path: "martlet.yml", text: text)], repositoryName: "demo").get()
    }

    static func indent(_ text: String, _ width: Int) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false)
            .map { String(repeating: " ", count: width) + $0 }.joined(separator: "\n")
    }

    @discardableResult
    mutating func move<Value>(_ body: (inout RunMachine) throws -> Value) rethrows -> Value {
        let ids = ids
        var champions = champions
        champions[ChampionKey(model: "demo", selector: "stage=production")] = champion
        var machine = RunMachine(run, plan, now: now, champions: champions, newID: { ids.next() })
        defer {
            run = machine.run
            changes += machine.changes
        }
        return try body(&machine)
    }

    mutating func start() { move { $0.start(snapshot: nil) } }

    /// `<job>/<step>` of what a worker may take.
    var offered: [String] { places { $0.status.phase == .offered }.map(name) }
    var held: [String] { places { $0.status.phase == .held }.map(name) }

    private func places(_ wanted: (RunStep) -> Bool) -> [StepPlace] {
        run.jobs.indices.flatMap { job in
            run.jobs[job].steps.indices.map { StepPlace(job: job, step: $0) }.filter { wanted(run[$0]) }
        }
    }

    private func name(_ place: StepPlace) -> String { "\(run.jobs[place.job].id)/\(run[place].id)" }

    func place(_ name: String) throws -> StepPlace {
        try #require(places { _ in true }.first { self.name($0) == name }, "there is no step \(name)")
    }

    @discardableResult
    mutating func take(_ name: String, session: String = "s") throws -> (item: String, token: Int64) {
        token += 1
        let place = try place(name)
        let lease = StepLease(session: session, worker: "w", token: token)
        try #require(run[place].status.phase == .offered, "\(name) is not offered but \(run[place].status.phase)")
        move { $0.take(place, lease) }
        return (run.item(place), token)
    }

    mutating func finish(
        _ name: String, _ outcome: Outcome = .succeeded, outputs: JSONValue = [:], message: String? = nil
    ) throws {
        let (item, token) = try take(name)
        let acceptance = move {
            $0.complete(item, token: token, StepResult(outcome, outputs: outputs, message: message))
        }
        #expect(acceptance == .accepted)
    }

    func job(_ id: String) throws -> RunJob.Status { try #require(run.jobs.first { $0.id == id }).status }

    func step(_ name: String) throws -> RunStep.Status { run[try place(name)].status }

    /// The script of an offered step as its shell would read it.
    func script(_ name: String) throws -> String {
        let offer = try #require(try step(name).offer)
        return expanded(offer.with, offer.variables)
    }

    var wantedApprovals: [Approval] {
        changes.compactMap { if case .approvalWanted(let approval) = $0 { approval } else { nil } }
    }

    mutating func approve(_ approval: Approval) {
        move { $0.approvalEnded(approval, .granted, by: "user:bob", comment: nil) }
    }
}

/// Values from outside reach a script as variables: puts them in as a shell would.
func expanded(_ with: JSONValue, _ variables: [String: String]) -> String {
    variables.reduce(with["script"]?.string ?? "") { $0.replacing("${\($1.key)}", with: $1.value) }
}
