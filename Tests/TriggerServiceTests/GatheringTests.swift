import Bus
import Foundation
import GRDB
import Messages
import ProjectFile
import Store
import Testing

@testable import TriggerService

private let project = """
    martlet: 1
    project: demo
    pipelines:
      retrain:
        on:
          all:
            of:
              data: { event: { type: com.acme.data } }
              labels: { event: { type: com.acme.labels } }
            by: ${{ event.data.batch }}
            within: 1h
        jobs:
          a:
            steps:
              - { id: s, run: "echo ${{ event.all.data.data.rows }} ${{ event.all.labels.id }} ${{ event.id }}" }
    """

extension Installation {
    /// An outsider's event `com.acme.<kind>`.
    fileprivate func hear(
        _ kind: String, _ id: String, batch: String? = "b1", rows: Int = 0, settling: Bool = true
    ) async throws {
        var data: [String: JSONValue] = ["rows": .int(rows)]
        if let batch { data["batch"] = .string(batch) }
        let event: JSONValue = [
            "specversion": "1.0", "id": .string(id), "source": "/acme", "type": .string("com.acme.\(kind)"),
            "data": .object(data),
        ]
        let reply = try await request("publish", body: [try Wire.encode(event)], user: "acme")
        #expect(reply.status == 200)
        if settling { try await settle() }
    }

    fileprivate func verdict(_ cause: String) async throws -> StoredVerdict {
        try #require(try await store.write { try $0.verdicts(of: cause) }.first)
    }

    fileprivate func codes(_ causes: String...) async throws -> [String] {
        var codes: [String] = []
        for cause in causes { codes.append(try await verdict(cause).code) }
        return codes
    }

    fileprivate func runs() async throws -> [RunQueued] { try await published(RunQueued.self) }
}

struct GatheringTests {
    private static let sets: [([String], [String], [String], [String])] = [
        ([], ["data", "labels"], [], []),
        (["data 1"], ["labels"], ["1"], []),
        (["data 1", "data 2"], ["labels"], ["1", "2"], []),
        (["data 1", "labels 1"], [], ["1"], []),
        (["labels 3", "data 1", "data 2"], [], ["3", "1", "2"], []),
        ((1...52).map { "data \($0)" }, ["labels"], (1...52).map(String.init), ["1", "2"]),
    ]

    @Test(arguments: sets)
    func `T12 what is there of a set, and what is missing`(
        present: [String], missing: [String], causes: [String], surplus: [String]
    ) throws {
        let text = project
        let trigger = try #require(try Simulation.project(text).pipeline("retrain")?.triggers.first)
        guard case .all(let conjunction) = trigger else {
            Issue.record("\(trigger.word)")
            return
        }
        let gathering = Gathering(
            present: present.map { entry in
                let words = entry.split(separator: " ").map(String.init)
                return GatheredPart(part: words[0], cause: words[1], expires: Timestamp(milliseconds: 1))
            })
        #expect(gathering.missing(of: conjunction) == missing && gathering.causes == causes)
        #expect(gathering.surplus.map(\.cause) == surplus)
        #expect(gathering.newest["data"] == present.last { $0.hasPrefix("data") }.map { String($0.dropFirst(5)) })
    }

    @Test func `T12 the last of those that belong together starts one run, and both are its causes`() async throws {
        let installation = try await Installation.watching(project)
        try await installation.hear("data", "d1", rows: 7)
        let waiting = try await installation.verdict("d1")
        #expect(waiting.code == "waiting" && !waiting.matched)
        #expect(waiting.reason.contains("it came as 'data' (event com.acme.data) of 'b1'; labels is still missing"))
        #expect(waiting.reason.hasSuffix("until 2027-01-15T09:00:00.000Z"))
        try await installation.hear("labels", "l2", batch: "b2")
        #expect(try await installation.runs().isEmpty)
        try await installation.hear("labels", "l1")
        let run = try #require(try await installation.runs().first)
        #expect(run.cause == "l1" && run.reason == "all that it waits for has come of 'b1': data, labels")
        for cause in ["d1", "l1"] {
            let verdict = try await installation.verdict(cause)
            #expect(verdict.matched && verdict.run == run.run && verdict.reason == run.reason)
        }
        let matched = try await installation.published(TriggerMatched.self)
        #expect(Set(matched.map(\.cause)) == ["d1", "l1"] && Set(matched.map(\.run)) == [run.run])
        let work = try #require(try await installation.claim(try await installation.open()).first)
        #expect(expanded(work.with, work.variables) == "echo 7 l1 l1")
        #expect(try await installation.codes("l2") == ["waiting"])
    }

    @Test func `C-13 what comes several times before the others is not forgotten, and the set begins anew after it`()
        async throws
    {
        let installation = try await Installation.watching(project)
        for number in 1...3 { try await installation.hear("data", "d\(number)", rows: number) }
        try await installation.hear("labels", "l1")
        let run = try #require(try await installation.runs().first)
        for cause in ["d1", "d2", "d3", "l1"] { #expect(try await installation.verdict(cause).run == run.run) }
        let work = try #require(try await installation.claim(try await installation.open()).first)
        #expect(expanded(work.with, work.variables) == "echo 3 l1 l1")
        // The same event once more is none; another one waits for a new set.
        try await installation.hear("labels", "l1")
        try await installation.hear("labels", "l2")
        #expect(try await installation.runs().count == 1)
        #expect(try await installation.codes("l2") == ["waiting"])
        try await installation.hear("data", "d4")
        #expect(try await installation.runs().map(\.cause) == ["l1", "d4"])
    }

    @Test func `T12 what has come survives a restart, and starts one run there`() async throws {
        let first = try await Installation.watching(project)
        try await first.hear("data", "d1", rows: 5)
        let again = try Installation(in: first.folder)
        try await again.hear("labels", "l1")
        try await again.hear("labels", "l1")
        #expect(try await again.runs().map(\.cause) == ["l1"])
        #expect(try await again.codes("d1", "l1") == ["matched", "matched"])
        again.advance(.seconds(7200))
        try await again.tick()
        #expect(try await again.runs().count == 1)
    }

    @Test func `T12 what dies between the last event and its run leaves one run to the next`() async throws {
        let first = try await Installation.watching(project)
        try await first.hear("data", "d1", rows: 5)
        // The commit has to be read before the last event is judged, and nobody comes to that.
        try await first.store.write { try $0.db.execute(sql: "DELETE FROM commit_file") }
        try await first.hear("labels", "l1", settling: false)
        #expect(try await first.runs().isEmpty)
        #expect(try await first.codes("d1") == ["waiting"])
        let second = try Installation(in: first.folder)
        try await second.settle()
        #expect(try await second.runs().map(\.cause) == ["l1"])
        let third = try Installation(in: first.folder)
        try await third.hear("labels", "l1")
        try await third.hear("data", "d1", rows: 5)
        #expect(try await third.runs().count == 1)
        #expect(try await third.codes("d1", "l1") == ["matched", "matched"])
    }

    @Test func `T12 whoever set off one of the events is no second person for the run`() async throws {
        let installation = try await Installation.watching(
            """
            martlet: 1
            project: demo
            environments: { prod: { approvals: { required: 1 } } }
            pipelines:
              tests: { on: { manual: {} }, jobs: { a: { steps: [ { id: s, run: "1" } ] } } }
              ship:
                on: { all: { of: { code: { push: {} }, tests: { pipeline: tests } } } }
                jobs: { a: { environment: prod, steps: [ { uses: pipeline/start, with: { pipeline: after } } ] } }
              after:
                on: { manual: {} }
                jobs: { a: { environment: prod, steps: [ { id: s, run: "1" } ] } }
            """)
        try await installation.command(
            RunRequested(project: "demo", pipeline: "tests", parameters: [:]), by: "user:kim")
        try await installation.complete(try #require(try await installation.claim(try await installation.open()).first))
        let people: [(name: String, email: String?, may: Bool)] = [
            ("kim", nil, false), ("a", "ann@example.org", false), ("bob", "bob@example.org", true),
        ]
        // Also not for a run that this one starts.
        for pipeline in ["ship", "after"] {
            let asked = try #require(try await installation.published(ApprovalRequested.self).last)
            #expect(asked.pipeline == pipeline && asked.requester == "user:kim")
            #expect(asked.otherRequesters == ["user:ann@example.org"])
            for person in people {
                let answer = ApprovalAnswered(approval: asked.approval, approve: true, groups: [], email: person.email)
                let command = try await installation.command(answer, by: "user:\(person.name)")
                #expect(try await installation.answer(to: command).accepted == person.may, "\(person), \(pipeline)")
            }
        }
    }

    @Test func `T12 each event waits for its own time, and its end is a verdict`() async throws {
        let installation = try await Installation.watching(project)
        try await installation.hear("data", "d1")
        let now = try await installation.store.write { $0.now }
        let next = try await installation.store.read { try ScheduleQueries.next(at: now, in: $0) }
        #expect(next == now.advanced(by: .seconds(3600)))
        installation.advance(.seconds(1800))
        try await installation.hear("data", "d2", rows: 2)
        installation.advance(.seconds(1900))
        // Nobody has looked at the clock yet: what is over does not count all the same.
        try await installation.hear("labels", "l1")
        #expect(try await installation.codes("d1", "d2", "l1") == ["waiting", "matched", "matched"])
        try await installation.tick()
        let expired = try await installation.verdict("d1")
        #expect(expired.code == "expired" && expired.reason.contains("labels is still missing"))
        #expect(try await installation.published(TriggerIgnored.self).last?.code == "expired")
        try await installation.tick()
        #expect(try await installation.published(TriggerIgnored.self).filter { $0.cause == "d1" }.count == 2)
        #expect(try await installation.runs().count == 1)
    }

    @Test func `what says nothing of what it belongs to is told so`() async throws {
        let installation = try await Installation.watching(project)
        try await installation.hear("data", "d1", batch: nil)
        try await installation.hear("labels", "l1", batch: String(repeating: "x", count: 501))
        #expect(try await installation.codes("d1", "l1") == ["correlation", "correlation"])
        #expect(try await installation.runs().isEmpty)
    }

    @Test func `of very many that wait the oldest make room, and are told`() async throws {
        let installation = try await Installation.watching(project)
        for number in 0...Gathering.most { try await installation.hear("data", "d\(number)") }
        #expect(try await installation.codes("d0", "d1") == ["replaced", "waiting"])
        try await installation.hear("labels", "l1")
        #expect(try await installation.codes("d0", "d1", "d\(Gathering.most)") == ["replaced", "matched", "matched"])
    }

    @Test func `a complete set that may not start has one reason for all of it, and is over`() async throws {
        let asking = project.replacing(
            "    jobs:\n", with: "    parameters: { word: { type: string, required: true } }\n    jobs:\n")
        let installation = try await Installation.watching(asking)
        try await installation.hear("data", "d1")
        try await installation.hear("labels", "l1")
        #expect(try await installation.codes("d1", "l1") == ["parameters", "parameters"])
        try await installation.hear("labels", "l2")
        #expect(try await installation.codes("l2") == ["waiting"])
    }

    @Test func `another declaration of what is waited for is another set`() async throws {
        let installation = try Installation()
        let upstream = try await Upstream(in: installation, project: project)
        try await installation.command(RepositoryAddRequested(repository: "demo", url: upstream.path))
        try await installation.look()
        try await installation.hear("data", "d1")
        let changed = project.replacing("{ type: com.acme.labels }", with: "{ type: com.acme.l* }")
        try await upstream.commit(["martlet.yml": changed], "second")
        try await installation.look()
        try await installation.hear("labels", "l1")
        #expect(try await installation.codes("d1", "l1") == ["waiting", "waiting"])
        #expect(try await installation.runs().isEmpty)
    }

    @Test func `what comes of a stranger's request completes nobody else's set`() {
        func place(_ branch: String, untrusted: Bool?) -> String {
            Cause(
                id: "1", type: "t", occasion: .event(type: "t", data: [:]),
                git: GitReference(repository: "demo", url: "u", branch: branch, sha: "s", message: ""),
                untrusted: untrusted, because: .first(actor: "a"), requester: "a", event: [:]
            ).strangersPlace
        }
        #expect(place("main", untrusted: nil) == place("topic", untrusted: false))
        let strangers = [place("pull/1", untrusted: true), place("pull/2", untrusted: true)]
        #expect(Set(strangers + [place("main", untrusted: nil)]).count == 3)
    }
}
