import Testing

@testable import ServiceKit

struct RequestPaceTests {
    private let start = ContinuousClock.now
    private func at(_ seconds: Int) -> ContinuousClock.Instant { start + .seconds(seconds) }

    @Test func `who says nothing, or a byte now and then, has ten seconds`() {
        var pace = RequestPace(at: start)
        #expect(pace.deadline == at(10))
        for second in 1...9 { pace.received(1, at: at(second)) }
        #expect(pace.deadline == at(10))
    }

    @Test func `what really comes buys time`() {
        var pace = RequestPace(at: start)
        pace.received(100 * 1024, at: at(5))
        #expect(pace.deadline == at(110))
    }

    @Test func `nothing is expected while a request is answered and between two`() {
        var pace = RequestPace(at: start)
        pace.received(50, at: at(1))
        pace.requestEnded()
        #expect(pace.deadline == nil)
        // The next request's beginning came early.
        pace.received(5, at: at(2))
        #expect(pace.deadline == nil)
        pace.answerEnded()
        #expect(pace.deadline == nil)
        pace.received(1, at: at(60))
        #expect(pace.deadline == at(70))
    }

    @Test func `an answer before the end of the request leaves the next one watched as well`() {
        var pace = RequestPace(at: start)
        pace.received(50, at: at(1))
        pace.answerEnded()
        #expect(pace.deadline == at(10))
        pace.requestEnded()
        #expect(pace.deadline == nil)
        pace.received(1, at: at(20))
        #expect(pace.deadline == at(30))
    }
}
