import Foundation
import Messages
import Testing

@Suite struct EnvelopeTests {
    private let started = RunStarted(run: "r1", number: 1, project: "p", pipeline: "ci", snapshot: nil)

    private func envelope(because: Causation) throws -> Envelope {
        Envelope(
            id: "e1", source: "/martlet/trigger-service", type: RunStarted.eventType, subject: "run/r1",
            time: Timestamp(milliseconds: 1_700_000_000_123), partitionkey: "r1", causation: because,
            dataschema: RunStarted.schemaURI, data: try Wire.decode(JSONValue.self, from: try Wire.encode(started)))
    }

    @Test func `an envelope is CloudEvents JSON with sorted keys and plain slashes`() throws {
        let text = String(decoding: try Wire.encode(try envelope(because: .first(actor: "user:ada"))), as: UTF8.self)
        #expect(
            text == """
                {"actor":"user:ada","causationdepth":0,"correlationid":"e1","data":{"number":1,"pipeline":"ci",\
                "project":"p","run":"r1"},"datacontenttype":"application/json",\
                "dataschema":"https://martlet.dev/events/run.started.v1.json","id":"e1","partitionkey":"r1",\
                "source":"/martlet/trigger-service","specversion":"1.0","subject":"run/r1",\
                "time":"2023-11-14T22:13:20.123Z",\
                "traceparent":"00-088e7b07b539b88334cbf1cb03a32066-088e7b07b539b883-01",\
                "type":"dev.martlet.run.started.v1"}
                """)
    }

    @Test func `P6 what an event makes carries its correlation and is one deeper`() throws {
        let first = try envelope(because: .first(actor: "user:ada"))
        let next = try envelope(because: first.consequence)
        #expect(next.correlationid == "e1")
        #expect(next.causationid == "e1")
        #expect(next.causationdepth == 1)
        #expect(next.actor == "user:ada")
        // The ids of both are the same here, so are their places.
        #expect(next.traceparent == first.traceparent)
    }

    @Test func `a body is read as its own type and as no other`() throws {
        let envelope = try envelope(because: .first(actor: "user:ada"))
        #expect(try envelope.body(RunStarted.self) == started)
        #expect(try envelope.body(RunFinished.self) == nil)
    }

    @Test func `a body that does not fit its type is an error, not a nil`() throws {
        var envelope = try envelope(because: .first(actor: "user:ada"))
        envelope.data = ["run": 7]
        #expect(throws: DecodingError.self) { try envelope.body(RunStarted.self) }
    }

    @Test func `every type is named subject dot past participle and is listed once`() {
        let names = allEventBodies.map { $0.name }
        #expect(Set(names).count == names.count)
        for name in names { #expect(name.wholeMatch(of: /[a-z_]+\.[a-z_]+/) != nil, "\(name)") }
    }

    @Test(arguments: [
        ("dev.martlet.run.finished.v1", "run.finished"), ("dev.martlet.run", "dev.martlet.run"),
        ("acme.x.v1", "acme.x.v1"),
    ])
    func `a type's short name drops our prefix and the version`(type: String, short: String) {
        #expect(shortEventName(type) == short)
    }
}
