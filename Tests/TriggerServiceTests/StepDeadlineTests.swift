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

    private static let steps = "steps: [ { id: one, uses: acme/x, timeout: 5m }, { id: two, run: x } ]"

    @Test func `a step's timeout ends it whoever works it, as a failure`() throws {
        let (begun, item, token) = try overdue(Self.steps)
        var simulation = begun
        simulation.move { _ = $0.complete(item, token: token, StepResult(.canceled, message: "stopped")) }
        #expect(try simulation.step("a/one").outcome == .failed && simulation.step("a/two").outcome == .skipped)
        #expect(simulation.run.status.outcome == .failed)
        #expect(simulation.run.status.message == "it took longer than its timeout of 300 s")
        #expect(simulation.run.status.failedStep == "a/one")
    }

    @Test func `a step that had succeeded when it was told to stop has succeeded`() throws {
        let (begun, item, token) = try overdue(Self.steps)
        var simulation = begun
        simulation.move { _ = $0.complete(item, token: token, StepResult(.succeeded)) }
        #expect(simulation.offered == ["a/two"])
    }

    @Test func `a worker that does not confirm is not waited for any longer, and its word does not count`() throws {
        let (begun, item, token) = try overdue(Self.steps)
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
        let (begun, item, token) = try overdue("retry: 1, \(Self.steps)")
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
        var simulation = try Simulation("jobs: { a: { \(Self.steps) } }")
        simulation.start()
        let (item, _) = try simulation.take("a/one")
        simulation.move { $0.release(session: "s", comesBack: false) }
        simulation.now = simulation.now.advanced(by: .seconds(330))
        simulation.move { $0.stepTimedOut(item) }
        #expect(simulation.run.status.message == "it took longer than its timeout of 300 s")
    }

    @Test func `a job's timeout ends a worker that does not stop as well, before the step's own`() throws {
        var simulation = try Simulation(
            "jobs: { a: { timeout: 1h, steps: [ { id: one, uses: acme/x, timeout: 2h }, { id: two, run: x } ] } }")
        simulation.start()
        let (item, token) = try simulation.take("a/one")
        let begun = simulation.now
        simulation.now = begun.advanced(by: .seconds(3600))
        simulation.move { $0.timeOut("a", started: begun) }
        let due = simulation.now.advanced(by: .seconds(300))
        #expect(simulation.changes.last == .stepConfirmation(try simulation.place("a/one"), at: due))
        simulation.now = due
        simulation.move { $0.stepUnconfirmed(item) }
        #expect(try simulation.step("a/one").outcome == .canceled && simulation.step("a/two").outcome == .skipped)
        let message = try #require(try simulation.step("a/one").message)
        #expect(message.hasSuffix("w has not confirmed within 300 s that it stopped"))
        #expect(simulation.run.status.outcome == .failed)
        #expect(simulation.run.status.message == "job 'a' was stopped: it took longer than its timeout of 3600 s")
        let late = simulation.move { $0.complete(item, token: token, StepResult(.succeeded)) }
        #expect(late == .lost)
    }

    @Test(arguments: [steps, "steps: [ { id: one, run: x }, { id: two, run: x } ]"])
    func `a canceled run does not wait for ever for a worker that does not stop`(_ steps: String) throws {
        var simulation = try Simulation("jobs: { a: { \(steps) } }")
        simulation.start()
        let (item, _) = try simulation.take("a/one")
        simulation.move { $0.cancel("canceled by user:ann") }
        // The step's own time is over meanwhile: it was canceled before.
        simulation.move { $0.stepTimedOut(item) }
        #expect(simulation.run.status.phase == .running)
        // A worker that comes back and says nothing is not waited for anew.
        simulation.move { $0.release(session: "s", comesBack: true) }
        simulation.move { $0.stepUnconfirmed(item) }
        #expect(simulation.run.status.outcome == .canceled)
        let waits = simulation.changes.count { if case .stepConfirmation = $0 { true } else { false } }
        #expect(waits == 1)
    }
}
