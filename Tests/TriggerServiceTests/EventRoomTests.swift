import Foundation
import Messages
import Testing

@testable import TriggerService

extension JSONValue {
    /// Lists in each other.
    static func nested(_ levels: Int) -> JSONValue { (1...levels).reduce(1) { inner, _ in [inner] } }
}

struct EventRoomTests {
    @Test func `of many errors the first fifty are told, and how many more there are`() {
        let long = String(repeating: "e\n", count: 2_000)
        let errors = (1...70).map { FileError(file: "martlet.yml", line: $0, column: 1, message: long) }
        let told = EventRoom.fitting(errors)
        #expect(told.count == 51 && told.last?.message.contains("20 more errors") == true)
        #expect(EventRoom.bytes(told) < 40_000)
        #expect(EventRoom.fitting(Array(errors.prefix(1))).count == 1)
    }

    @Test func `a verdict has all errors with their places, and of very many those that there is room for`() {
        func errors(_ count: Int, _ message: String) -> [FileError] {
            (1...count).map { FileError(file: "martlet.yml", line: $0, column: 2, message: message) }
        }
        #expect(EventRoom.words(errors(2, "no")) == "martlet.yml:1:2: no; martlet.yml:2:2: no")
        let words = EventRoom.words(errors(70, String(repeating: "e\n", count: 2_000)))
        #expect(words.utf8.count <= EventRoom.verdict + 100 && words.hasPrefix("martlet.yml:1:2: "))
        #expect(words.hasSuffix("more: `martlet validate` shows all of them"))
    }

    @Test func `a large plan loses its titles first, then its last jobs, and says how many`() {
        func plan(_ count: Int, _ title: Int) -> [JobPlan] {
            (1...count).map { number in
                JobPlan(
                    id: "j\(number)", needs: [], environment: nil,
                    steps: [StepPlan(id: "s", verb: "run", title: String(repeating: "t", count: title))])
            }
        }
        #expect(EventRoom.fitting(plan(3, 10)).jobs == plan(3, 10))
        let untitled = EventRoom.fitting(plan(100, 1_000))
        #expect(untitled.jobs.count == 100 && untitled.omitted == nil && untitled.jobs[0].steps[0].title == "run")
        let cut = EventRoom.fitting(plan(1_000, 10))
        #expect(cut.jobs.count + (cut.omitted ?? 0) == 1_000 && cut.omitted != nil)
        #expect(EventRoom.bytes(cut.jobs) <= EventRoom.plan)
    }

    @Test func `messages and outputs that are too large for an event are cut or left out`() throws {
        var simulation = try Simulation("jobs: { a: { steps: [ { id: one, run: x } ] } }")
        simulation.start()
        try simulation.finish("a/one", .failed, message: String(repeating: "m", count: 100_000))
        #expect(try simulation.step("a/one").message?.utf8.count ?? 0 <= 8 << 10)
        #expect(EventRoom.bytes(simulation.run.finishedEvent) < 10_000)
        let large: JSONValue = ["x": .string(String(repeating: "x", count: 25_000))]
        #expect(EventRoom.fitting(outputs: large) == ["omitted": true])
        #expect(EventRoom.fitting(outputs: ["x": 1]) == ["x": 1])
    }

    @Test func `a step with more outputs than 32 KiB fails, and is not tried again`() throws {
        var simulation = try Simulation("jobs: { a: { retry: 3, steps: [ { id: one, run: x } ] } }")
        simulation.start()
        try simulation.finish("a/one", outputs: ["x": .string(String(repeating: "x", count: 33_000))])
        #expect(simulation.run.status.outcome == .failed)
        #expect(simulation.run.status.message?.contains("at most 32768") == true)
        #expect(try simulation.step("a/one").outputs == [:])
    }

    @Test func `outputs that are nested too deep fail the step`() throws {
        var simulation = try Simulation("jobs: { a: { retry: 3, steps: [ { id: one, run: x } ] } }")
        simulation.start()
        try simulation.finish("a/one", outputs: ["deep": .nested(64)])
        #expect(simulation.run.status.outcome == .failed)
        #expect(simulation.run.status.message?.contains("more than 64 levels") == true)
    }

    @Test func `a step with more inputs than a claim's answer has room for fails, and says so`() throws {
        let text = String(repeating: "${{ params.text }}", count: 20)
        var simulation = try Simulation(
            """
            parameters: { text: { type: string, required: true } }
            jobs: { a: { steps: [ { id: one, uses: acme/check, with: { text: "\(text)" } } ] } }
            """, parameters: ["text": .string(String(repeating: "x", count: 15_000))])
        simulation.start()
        #expect(simulation.offered.isEmpty && simulation.run.status.outcome == .failed)
        #expect(simulation.run.status.message?.contains("at most 262144") == true)
        #expect(try simulation.step("a/one").offer == nil)
    }

    @Test func `a step whose inputs are nested too deep fails, and says so`() throws {
        func second(_ with: String) throws -> Simulation {
            var simulation = try Simulation(
                "jobs: { a: { steps: [ { id: one, run: x }, { id: two, uses: acme/check, with: \(with) } ] } }")
            simulation.start()
            try simulation.finish("a/one", outputs: ["deep": .nested(63)])
            return simulation
        }
        #expect(try second(#"{ x: "${{ steps.one.deep }}" }"#).offered == ["a/two"])
        let run = try second(#"{ x: { y: "${{ steps.one.deep }}" } }"#).run
        #expect(run.status.outcome == .failed && run.status.message?.contains("more than 64 levels") == true)
    }

    @Test func `a job's time runs from when a worker takes its first step`() throws {
        var simulation = try Simulation("jobs: { a: { timeout: 10m, steps: [ { id: one, run: x } ] } }")
        simulation.start()
        #expect(try simulation.job("a").started == nil && !simulation.changes.contains(.jobStarted(0)))
        simulation.now = simulation.now.advanced(by: .seconds(3_600))
        try simulation.take("a/one")
        #expect(try simulation.job("a").started == simulation.now)
        let due = simulation.now.advanced(by: .seconds(600))
        #expect(simulation.changes.suffix(2) == [.jobStarted(0), .deadline(0, at: due)])
    }

    @Test(arguments: [
        ("user:ann@example.org", "user:Ann", false), ("user:ann@example.org", "user:ANN@example.org", false),
        ("user:ann@example.org", "user:ann@else.org", true), ("user:ann@example.org", "user:bob", true),
    ])
    func `who pushed is the token of the same name or address`(requester: String, person: String, may: Bool) throws {
        let now = Timestamp(milliseconds: 0)
        var approval = Approval(
            id: "a", run: "r", job: "j", project: "p", pipeline: "p", environment: "prod", required: 1, from: [],
            requester: requester, requesterMayApprove: false, expires: now.advanced(by: .seconds(1)),
            grantedOnTimeout: false)
        let result = try? approval.answer(true, by: person, groups: [], comment: nil, at: now)
        #expect((result == .granted) == may)
    }

    @Test(arguments: [
        #""type":"Dev.Martlet.x","source":"//lab""#, #""type":"dev.martlet","source":"//lab""#,
        #""type":"x","source":"/martlet""#, #""type":"x","source":"/Martlet/a""#,
        #""type":"x","source":"//lab","subject":"a\u0007""#, #""type":"x","source":"//lab","data_base64":"AA==""#,
        #""type":"x","source":"//lab","datacontenttype":"text/plain""#, #""type":"x","source":"//lab","Mine":"1""#,
        #""type":"x","source":"//lab","mine":{}"#, #""type":"x","source":"//lab","mine":1.5"#,
        #""type":"x","source":"//lab","mine":4294967296"#, #""type":"x","source":"//lab","mine":"a\u0007""#,
        #""type":"x","source":"//lab","longerthantwentyletters":"1""#,
        #""type":"x","source":"//lab","actor":"user:root""#, #""type":"x","source":"//lab","replayof":"1""#,
        #""type":"x","source":"//lab","causationdepth":0"#,
    ])
    func `an outsider's event is kept whole or refused`(attributes: String) {
        #expect(throws: Refusal.self) { try OutsideEvent(Data(#"{"id":"1",\#(attributes)}"#.utf8), from: "tester") }
    }

    @Test func `extension attributes are kept, and are no part of what makes an event the same`() throws {
        let text = #"{"id":"1","type":"x","source":"//lab","tracestate":"a=1,b=2","sequence":7,"sampled":true}"#
        let event = try OutsideEvent(Data(text.utf8), from: "tester")
        let envelope = event.envelope(at: Timestamp(milliseconds: 1))
        #expect(envelope.extensions == ["tracestate": "a=1,b=2", "sequence": 7, "sampled": true])
        let written = try Wire.encode(envelope)
        #expect(try Wire.decode(JSONValue.self, from: written)["tracestate"] == "a=1,b=2")
        #expect(event.size >= written.count - 64)
        let again = text.replacing("a=1,b=2", with: "a=3")
        #expect(try OutsideEvent(Data(again.utf8), from: "tester").digest == event.digest)
        let many = (0...20).map { #","x\#($0)":1"# }.joined()
        #expect(throws: Refusal.self) {
            try OutsideEvent(Data(text.replacing(#","sequence":7"#, with: many).utf8), from: "tester")
        }
    }

    @Test func `only the bus says what it denied`() throws {
        let text = #"{"id":"1","type":"\#(ClientDenied.eventType)","source":"/martlet/event-bus","data":{}}"#
        #expect(
            try OutsideEvent(Data(text.utf8), from: "event-bus").envelope(at: Timestamp(milliseconds: 1)).actor
                == "service:event-bus")
        #expect(throws: Refusal.self) { try OutsideEvent(Data(text.utf8), from: "local") }
        let other = text.replacing("bus.client_denied", with: "run.finished")
        #expect(throws: Refusal.self) { try OutsideEvent(Data(other.utf8), from: "event-bus") }
    }

    @Test func `the same event in other spaces and order is the same event`() throws {
        let one = try OutsideEvent(
            Data(#"{"id":"1","type":"x","source":"//lab","data":{"a":1,"b":2}}"#.utf8), from: "t")
        let spaces = String(repeating: " ", count: 60_000)
        let text = #"{"data":{"b":2,"a":1},\#(spaces)"source":"//lab","type":"x","id":"1"}"#
        let other = try OutsideEvent(Data(text.utf8), from: "u")
        #expect(one.digest == other.digest && other.size < 1_000)
    }
}
