import Messages
import Testing

@testable import TriggerService

struct StepDeadlineTests {
    /// A run whose step has a timeout, half a minute after that is over; the worker has been told.
    private func overdue(_ job: String) throws -> (Simulation, item: String, token: Int64) {
        var simulation = try Simulation("jobs: { a: { \(job) } }")
        simulation.start()
        let (item, token) = try simulation.take("a/one")
        let (place, due) = (try simulation.place("a/one"), simulation.now.advanced(by: .seconds(330)))
        #expect(simulation.changes.last == .stepDeadline(place, at: due))
        simulation.now = due
        simulation.move { $0.stepTimedOut(item) }
        #expect(try simulation.step("a/one").canceling && simulation.run.status.phase == .running)
        return (simulation, item, token)
    }

    private let steps = "steps: [ { id: one, uses: acme/x, timeout: 5m }, { id: two, run: x } ]"

    @Test func `a step's timeout ends it whoever works it, as a failure`() throws {
        let (begun, item, token) = try overdue(steps)
        var simulation = begun
        simulation.move { _ = $0.complete(item, token: token, StepResult(.canceled, message: "stopped")) }
        #expect(try simulation.step("a/one").outcome == .failed && simulation.step("a/two").outcome == .skipped)
        #expect(simulation.run.status.outcome == .failed)
        #expect(simulation.run.status.message == "it took longer than its timeout of 300 s")
        #expect(simulation.run.status.failedStep == "a/one")
    }

    @Test func `a step that had succeeded when it was told to stop has succeeded`() throws {
        let (begun, item, token) = try overdue(steps)
        var simulation = begun
        simulation.move { _ = $0.complete(item, token: token, StepResult(.succeeded)) }
        #expect(simulation.offered == ["a/two"])
    }

    @Test func `a worker that does not confirm is not waited for any longer, and its word does not count`() throws {
        let (begun, item, token) = try overdue(steps)
        var simulation = begun
        let (place, due) = (try simulation.place("a/one"), simulation.now.advanced(by: .seconds(300)))
        #expect(simulation.changes.last == .stepConfirmation(place, at: due))
        simulation.now = due
        simulation.move { $0.stepUnconfirmed(item) }
        #expect(simulation.run.status.outcome == .failed)
        #expect(simulation.run.status.message?.contains("has not confirmed within 300 s") == true)
        let late = simulation.move { $0.complete(item, token: token, StepResult(.succeeded)) }
        #expect(late == .lost)
    }

    @Test func `a step whose time was over is tried again as any that failed, with a time of its own`() throws {
        let (begun, item, token) = try overdue("retry: 1, \(steps)")
        var simulation = begun
        simulation.move { _ = $0.complete(item, token: token, StepResult(.canceled)) }
        #expect(try simulation.step("a/one").phase == .delayed)
        simulation.move { $0.retryDue("run-1/a/one/2") }
        try simulation.take("a/one")
        let (place, due) = (try simulation.place("a/one"), simulation.now.advanced(by: .seconds(330)))
        #expect(simulation.changes.last == .stepDeadline(place, at: due))
        // The first attempt's reminder has nothing to say about the second.
        simulation.move { $0.stepTimedOut(item) }
        #expect(try !simulation.step("a/one").canceling)
    }

    @Test func `a step's time goes on while its worker is gone`() throws {
        var simulation = try Simulation("jobs: { a: { \(steps) } }")
        simulation.start()
        let (item, _) = try simulation.take("a/one")
        simulation.move { $0.release(session: "s", comesBack: false) }
        simulation.now = simulation.now.advanced(by: .seconds(330))
        simulation.move { $0.stepTimedOut(item) }
        #expect(simulation.run.status.message == "it took longer than its timeout of 300 s")
    }
}
