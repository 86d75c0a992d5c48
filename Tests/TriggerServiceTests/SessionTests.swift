import Bus
import Foundation
import Messages
import Testing

@testable import TriggerService

private let project = """
    martlet: 1
    project: demo
    pipelines:
      p:
        on: { push: {}, manual: {} }
        jobs:
          a: { steps: [ { id: s, run: "1" }, { id: t, uses: registry/register, with: { run: x } } ] }
    """

struct SessionTests {
    private func started() async throws -> Installation {
        let installation = try Installation()
        let upstream = try await Upstream(in: installation, project: project)
        try await installation.command(RepositoryAddRequested(repository: "demo", url: upstream.path))
        try await installation.look()
        return installation
    }

    @Test func `a worker is given what its verbs cover, within its slots`() async throws {
        let installation = try await started()
        for _ in 0..<3 { try await installation.command(RunRequested(project: "demo", pipeline: "p", parameters: [:])) }
        let other = try await installation.open("registry", verbs: ["registry/*"])
        let worker = try await installation.open("trainer", verbs: ["run", "train/*"], slots: 3)
        #expect(try await installation.request("claim", ["session": .string(other), "max": 1]).status == 204)
        let works = try await installation.claim(worker, max: 10)
        #expect(works.count == 3)
        #expect(works.map(\.token) == works.map(\.token).sorted() && Set(works.map(\.token)).count == 3)
        try await installation.complete(works[0])
        #expect(try await installation.claim(other).map(\.verb) == ["registry/register"])
    }

    @Test func `the oldest run's step is given first, whichever was offered first`() async throws {
        let installation = try await started()
        try await installation.command(RunRequested(project: "demo", pipeline: "p", parameters: [:]))
        let first = try await installation.open("trainer")
        let works = try await installation.claim(first)
        #expect(works.map(\.run.number) == [1, 2])
        // The younger run goes on to its second step; the older one's first is given back after that.
        try await installation.complete(works[1])
        installation.advance(.seconds(16))
        await installation.sessions.endExpired()
        let second = try await installation.open("both", verbs: ["registry/register", "run"])
        let next = try await installation.claim(second, max: 1)
        #expect(next.map(\.run.number) == [1])
        #expect(try await installation.claim(second, max: 1).map(\.run.number) == [2])
    }

    @Test func `what a claim is answered with fits into a reply of the bus, however much the steps are handed`()
        async throws
    {
        let text = String(repeating: "${{ params.text }}", count: 12)
        let jobs = (1...8).map { job in
            "      j\(job): { steps: [ { id: s, uses: acme/check, with: { text: \"\(text)\" } } ] }"
        }
        let file = """
            martlet: 1
            project: demo
            pipelines:
              p:
                on: { manual: {} }
                parameters: { text: { type: string, required: true } }
                jobs:
            \(jobs.joined(separator: "\n"))
            """
        let installation = try await Installation.watching(file)
        let large = String(repeating: "x", count: 15_000)
        try await installation.command(
            RunRequested(project: "demo", pipeline: "p", parameters: ["text": .string(large)]))
        let session = try await installation.open("checker", verbs: ["acme/*"], slots: 8)
        var items: Set<String> = []
        var claims = 0
        while items.count < 8 {
            let reply = try await installation.request("claim", ["session": .string(session), "max": 8])
            let bytes = try Wire.encode(reply.params).count
            #expect(bytes < BusLimits.requestBytes - 1_000)
            let granted = try #require(reply.params["items"]?.array)
            items.formUnion(granted.compactMap { $0["item"]?.string })
            claims += 1
        }
        #expect(claims == 3)
    }

    @Test func `a worker's state is kept within bounds, and refused with the reason above them`() async throws {
        let installation = try await started()
        let session = try await installation.open("trainer")
        let work = try #require(try await installation.claim(session).first)
        func keep(_ state: JSONValue) async throws -> BusReply {
            try await installation.request(
                "checkpoint", ["item": .string(work.item), "token": .int(Int(work.token)), "state": state])
        }
        #expect(try await keep(.nested(64)).status == 200)
        let deep = try await keep(.nested(65))
        #expect(deep.status == 413 && deep.error?.contains("more than 64 levels") == true)
        let large = try await keep(.string(String(repeating: "x", count: 300_000)))
        #expect(large.status == 413 && large.error?.contains("at most 262144") == true)
        // What was kept before stays.
        let again = try await installation.open("trainer")
        #expect(try await installation.claim(again).map(\.checkpoint) == [JSONValue.nested(64)])
    }

    @Test func `a claim that waits is woken by the commit that offers a step`() async throws {
        let installation = try await started()
        let worker = try await installation.open("trainer")
        let registry = try await installation.open("registry", verbs: ["registry/*"])
        let work = try #require(try await installation.claim(worker).first)
        async let waiting = installation.claim(registry)
        try await installation.complete(work)
        #expect(try await waiting.count == 1)
    }

    @Test func `I7 one completion counts for a step: the newest token's`() async throws {
        let installation = try await started()
        let old = try await installation.open("trainer")
        let first = try #require(try await installation.claim(old).first)
        #expect(
            try await installation.request(
                "checkpoint", ["item": .string(first.item), "token": .int(Int(first.token)), "state": ["pid": 7]]
            ).status == 200)
        let new = try await installation.open("trainer")
        #expect(try await installation.request("session.keepalive", ["session": .string(old)]).status == 404)
        #expect(try await installation.request("claim", ["session": .string(old), "max": 1]).status == 404)
        let second = try #require(try await installation.claim(new).first)
        #expect(second.item == first.item && second.token > first.token && second.checkpoint == ["pid": 7])
        #expect(try await installation.complete(first).status == 409)
        #expect(try await installation.complete(second).status == 200)
        #expect(try await installation.complete(second).status == 200)
        #expect(try await installation.published(StepFinished.self).count == 1)
        #expect(
            try await installation.request(
                "checkpoint", ["item": .string(second.item), "token": .int(Int(second.token)), "state": 1]
            ).status == 409)
    }

    @Test func `a session that is not heard of for 15 s loses its steps, one that is keeps them`() async throws {
        let installation = try await started()
        let session = try await installation.open("trainer")
        let work = try #require(try await installation.claim(session).first)
        for _ in 0..<4 {
            installation.advance(.seconds(10))
            #expect(try await installation.request("session.keepalive", ["session": .string(session)]).status == 200)
            await installation.sessions.endExpired()
        }
        installation.advance(.seconds(15))
        await installation.sessions.endExpired()
        #expect(try await installation.request("session.keepalive", ["session": .string(session)]).status == 404)
        let other = try await installation.open("another")
        #expect(try await installation.claim(other).map(\.item) == [work.item])
        #expect(try await installation.complete(work).status == 409)
    }

    @Test func `after a restart of the grantor every session has a full term`() async throws {
        let installation = try await started()
        let session = try await installation.open("trainer")
        let work = try #require(try await installation.claim(session).first)
        let again = try Installation(in: installation.folder)
        try await again.sessions.restore()
        again.advance(.seconds(14))
        await again.sessions.endExpired()
        #expect(try await again.request("session.keepalive", ["session": .string(session)]).status == 200)
        #expect(try await again.complete(work).status == 200)
    }

    @Test func `a worker hears of a canceled step by its keepalive, and its word ends the run`() async throws {
        let installation = try await started()
        let session = try await installation.open("trainer")
        let work = try #require(try await installation.claim(session).first)
        try await installation.command(RunCancelRequested(run: work.run.id))
        #expect(try await installation.published(StepCancelRequested.self).map(\.item) == [work.item])
        let reply = try await installation.request("session.keepalive", ["session": .string(session)])
        #expect(reply.params["canceled"] == [.string(work.item)])
        try await installation.complete(work, StepResult(.canceled))
        #expect(try await installation.published(RunFinished.self).last?.outcome == .canceled)
    }

    @Test func `nobody completes, or takes over, what somebody else's worker holds`() async throws {
        let installation = try await started()
        let session = try await installation.open("trainer")
        let work = try #require(try await installation.claim(session).first)
        let completion = CompleteParams(item: work.item, token: work.token, result: StepResult(.succeeded))
        let params = try Wire.decode(JSONValue.self, from: try Wire.encode(completion))
        #expect(try await installation.request("complete", params, user: "mallory").status == 409)
        let state: JSONValue = ["item": .string(work.item), "token": .int(Int(work.token)), "state": ["pid": 1]]
        #expect(try await installation.request("checkpoint", state, user: "mallory").status == 409)
        // The same name under another user is another worker: the session stays.
        let other: JSONValue = ["worker": "tester/trainer", "verbs": ["acme/*"]]
        #expect(try await installation.request("session.open", other, user: "mallory").status == 200)
        let kept = try await installation.request("session.keepalive", ["session": .string(session)])
        #expect(kept.status == 200)
        #expect(try await installation.request("complete", params).status == 200)
    }

    @Test func `a step whose verb nobody serves is told of, and given up in the end with the reason`() async throws {
        let installation = try Installation()
        let foreign = project.replacing("run: \"1\"", with: "uses: acme/fairness-check, with: { limit: 1 }")
        let upstream = try await Upstream(in: installation, project: foreign)
        try await installation.command(RepositoryAddRequested(repository: "demo", url: upstream.path))
        try await installation.look()
        _ = try await installation.open("trainer")
        func pass(_ duration: Duration) async {
            installation.advance(duration)
            await installation.sessions.lookForUnserved()
        }
        await installation.sessions.lookForUnserved()
        await pass(.seconds(14))
        #expect(try await installation.published(StepUnserved.self).isEmpty)
        for _ in 0..<3 { await pass(.seconds(10)) }
        let told = try await installation.published(StepUnserved.self)
        #expect(told.map(\.verb) == ["acme/fairness-check"])
        await pass(.seconds(600))
        let finished = try #require(try await installation.published(RunFinished.self).last)
        #expect(finished.outcome == .failed)
        #expect(finished.message?.contains("no worker serves 'acme/fairness-check'") == true)
    }

    @Test func `a worker of somebody else's claims a verb of its own, and the next one gets its checkpoint`()
        async throws
    {
        let installation = try Installation()
        let foreign = project.replacing("run: \"1\"", with: "uses: acme/fairness-check, with: { limit: 1 }")
        let upstream = try await Upstream(in: installation, project: foreign)
        try await installation.command(RepositoryAddRequested(repository: "demo", url: upstream.path))
        try await installation.look()
        let worker = try await installation.open("fairness-1", verbs: ["acme/*"])
        let work = try #require(try await installation.claim(worker).first)
        #expect(work.verb == "acme/fairness-check" && work.with["limit"] == 1)
        #expect(
            try await installation.request(
                "checkpoint", ["item": .string(work.item), "token": .int(Int(work.token)), "state": ["at": 3]]
            ).status == 200)
        installation.advance(.seconds(20))
        await installation.sessions.endExpired()
        let next = try await installation.open("fairness-2", verbs: ["acme/fairness-check"])
        let again = try #require(try await installation.claim(next).first)
        #expect(again.checkpoint == ["at": 3])
        #expect(try await installation.complete(work).status == 409)
        #expect(try await installation.complete(again).status == 200)
    }

    @Test func `malformed requests are refused with the place of the mistake`() async throws {
        let installation = try await started()
        #expect(try await installation.request("session.open", ["worker": "x"]).status == 400)
        #expect(try await installation.request("session.open", ["worker": "", "verbs": ["run"]]).status == 400)
        #expect(try await installation.request("complete", ["item": "x"]).status == 400)
        let ghost = CompleteParams(item: "nothing/a/b/1", token: 1, result: StepResult(.succeeded))
        let params = try Wire.decode(JSONValue.self, from: try Wire.encode(ghost))
        #expect(try await installation.request("complete", params).status == 409)
    }
}

struct IngestTests {
    private func publish(_ installation: Installation, _ text: String) async throws -> (Int, JSONValue) {
        let reply = try await installation.request("publish", body: [Data(text.utf8)])
        return (reply.status, reply.params)
    }

    @Test func `an outsider's event is taken once, and the same again has the same answer`() async throws {
        let installation = try Installation()
        let event = #"{"specversion":"1.0","id":"1","source":"//lab","type":"acme.data.ready","data":{"rows":3}}"#
        let first = try await publish(installation, event)
        #expect(first.0 == 200 && first.1["source"] == "ingest" && first.1["seq"] == 1)
        let again = try await publish(installation, event)
        #expect(again.0 == 200 && again.1 == first.1)
        #expect(try await publish(installation, event.replacing("3", with: "4")).0 == 409)
        let stored = try await installation.envelopes(.ingest)
        #expect(stored.count == 1 && stored.first?.data["rows"] == 3 && stored.first?.actor == "service:tester")
    }

    @Test func `what is no event, too large, or said in our name is refused`() async throws {
        let installation = try Installation()
        let deep = try Wire.encode(JSONValue.nested(65))
        for (text, status) in [
            ("not json", 400), ("[]", 400), (#"{"id":"1","source":"//lab"}"#, 400),
            (#"{"id":"1","source":"//lab","type":"dev.martlet.model.registered.v1"}"#, 400),
            (#"{"id":"1","source":"/martlet/registry-service","type":"x"}"#, 400),
            (#"{"id":"1","source":"//lab","type":"a/b"}"#, 400),
            (#"{"id":"1","source":"//lab","type":"x","data":\#(String(decoding: deep, as: UTF8.self))}"#, 400),
            (#"{"id":"1","source":"//lab","type":"x","data":"\#(String(repeating: "x", count: 50_000))"}"#, 413),
        ] {
            #expect(try await publish(installation, text).0 == status, "\(text.prefix(80))")
        }
        #expect(try await installation.envelopes(.ingest).isEmpty)
    }
}
