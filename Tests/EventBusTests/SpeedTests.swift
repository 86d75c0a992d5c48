import Bus
import Foundation
import Messages
import Testing

@testable import EventBus

/// Bounds far above what is usual, so that a busy machine passes and a lost wake-up (a second) does not.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct SpeedTests {
    private func median(_ times: [Duration]) -> Duration { times.sorted()[times.count / 2] }

    @Test func `an event is applied soon after its commit`() async throws {
        let harness = try Harness()
        let bus = try await harness.bus()
        let publisher = try RunningPublisher(MemoryLog(), harness)
        let subscriber = try RunningSubscriber(MemoryFollower(), harness)
        publisher.append()
        try await within { await subscriber.follower.reached(1) }
        var times: [Duration] = []
        for seq in 2...201 {
            let start = ContinuousClock.now
            publisher.append()
            try await within { await subscriber.follower.reached(Int64(seq)) }
            times.append(.now - start)
        }
        report("commit to apply", times)
        #expect(median(times) < .milliseconds(200))
        await subscriber.stop()
        await publisher.stop()
        await bus.stop()
    }

    @Test func `a request comes back soon`() async throws {
        let harness = try Harness()
        let bus = try await harness.bus()
        let server = try harness.connection()
        server.serve(as: "evaluator", ["echo": { .ok($0.params) }])
        let client = try harness.connection()
        var times: [Duration] = []
        while times.count < 200 {
            let start = ContinuousClock.now
            let reply = try await client.request("echo", to: "evaluator", params: ["n": 1], timeout: .seconds(5))
            if reply.status == 200 { times.append(.now - start) }
        }
        report("request", times)
        #expect(median(times) < .milliseconds(200))
        await client.shutdown()
        await server.shutdown()
        await bus.stop()
    }

    /// Shown with `MARTLET_FIGURES=1`.
    private func report(_ what: String, _ times: [Duration]) {
        guard ProcessInfo.processInfo.environment["MARTLET_FIGURES"] != nil else { return }
        let sorted = times.sorted()
        print(
            "\(what): median \(median(times)), 99 % \(sorted[sorted.count * 99 / 100]), most \(sorted[sorted.count - 1])"
        )
    }
}
