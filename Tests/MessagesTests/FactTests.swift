import Foundation
import Testing

@testable import Messages

struct FactTests {
    private func envelope(_ body: some EventBody, id: String = "e1") throws -> Envelope {
        Envelope(
            id: id, source: "/martlet/x", type: type(of: body).eventType, subject: "x/1",
            time: Timestamp(milliseconds: 0), partitionkey: "k", causation: .first(actor: "user:ada"),
            data: try Wire.decode(JSONValue.self, from: Wire.encode(body)))
    }

    @Test func `each type of event is either a fact or a happening`() {
        let facts = FactRule.all.map { $0.type.eventType }
        let happenings = FactRule.happenings.map { $0.eventType }
        #expect(Set(facts).isDisjoint(with: happenings))
        #expect(Set(facts + happenings) == Set(allEventBodies.map { $0.eventType }))
        #expect(facts.count + happenings.count == allEventBodies.count)
    }

    @Test func `a finished run replaces all that was told of it, and is told for ninety days`() throws {
        let finished = RunFinished(
            run: "r", number: 1, project: "p", pipeline: "ci", branch: nil, sha: nil, outcome: .succeeded, message: nil,
            failedStep: nil, seconds: 1, outputs: [:])
        let fact = try #require(try envelope(finished).fact)
        #expect(fact == Fact("run/r", "finished", replacesEntity: true, days: 90))
    }

    @Test func `no stage change replaces another: the history of stages is state`() throws {
        let change = ModelStageChanged(model: "m", version: 1, replaced: [], reason: "r")
        #expect(try envelope(change, id: "a").fact != envelope(change, id: "b").fact)
    }

    @Test func `tags replace the last word on the same tags only`() throws {
        let one = ModelTagged(model: "m", version: 1, set: ["a": "1"], removed: ["b"])
        let same = ModelTagged(model: "m", version: 1, set: ["b": "1", "a": "2"], removed: [])
        let other = ModelTagged(model: "m", version: 1, set: ["a": "1"], removed: [])
        #expect(try envelope(one).fact == envelope(same).fact)
        #expect(try envelope(one).fact != envelope(other).fact)
    }

    @Test func `what is wrong with a request's file replaces nothing that is said of the repository's own`() throws {
        func fact(_ sha: String, _ number: Int?) throws -> Fact? {
            try envelope(ProjectRejected(repository: "demo", sha: sha, errors: [], pullRequest: number)).fact
        }
        #expect(try fact("a", nil) == fact("b", nil) && fact("a", 2) == fact("b", 2))
        #expect(try fact("a", nil) != fact("a", 2) && fact("a", 2) != fact("a", 3))
        #expect(try fact("a", nil)?.days == nil && fact("a", 2)?.days == 1)
    }

    @Test func `what outsiders say and what cannot be read is no fact`() throws {
        var event = try envelope(ModelTagged(model: "m", version: 1, set: [:], removed: []))
        event.data = ["nonsense": true]
        #expect(event.fact == nil)
        event.type = "acme.thing.v1"
        #expect(event.fact == nil)
    }
}
