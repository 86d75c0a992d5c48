import Foundation
import Messages
import Testing

struct TraceTests {
    private let first = "01938f7e-7c00-7abc-8def-0123456789ab"
    private let second = "01938f7e-7c01-7abc-8def-ba9876543210"

    @Test func `a chain's trace is its correlation, an event's place in it its own id`() throws {
        let begun = Trace.parent(after: nil, correlation: first, event: first)
        #expect(begun == "00-01938f7e7c007abc8def0123456789ab-8def0123456789ab-01")
        let next = Trace.parent(after: begun, correlation: first, event: second)
        #expect(next == "00-01938f7e7c007abc8def0123456789ab-8defba9876543210-01")
    }

    @Test func `a trace that somebody else began goes on`() {
        let theirs = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        let ours = Trace.parent(after: theirs, correlation: "acme-17", event: second)
        #expect(Trace.id(ours) == "4bf92f3577b34da6a3ce929d0e0e4736" && Trace.span(ours) == "8defba9876543210")
    }

    @Test(arguments: [
        "", "00", "00-4bf92f3577b34da6a3ce929d0e0e4736", "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4bf92f35-00f067aa0ba902b7-01",
    ])
    func `what is no traceparent begins a trace of its own`(text: String) {
        #expect(Trace.id(text) == nil)
        #expect(
            Trace.id(Trace.parent(after: text, correlation: first, event: first)) == "01938f7e7c007abc8def0123456789ab")
    }

    @Test func `ids that are no UUIDs have traces and spans too`() throws {
        let made = Trace.parent(after: nil, correlation: "acme-17", event: "acme-17")
        #expect(try #require(Trace.id(made)).count == 32 && Trace.span(made)?.count == 16)
        #expect(Trace.span(of: "run/job/step/1") != Trace.span(of: "run/job/step/2"))
        #expect(Trace.span(of: "run/job/step/1") == Trace.span(of: "run/job/step/1"))
    }
}
