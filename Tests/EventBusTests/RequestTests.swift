import Bus
import Foundation
import Messages
import ServiceKit
import Testing

@testable import EventBus

@Suite(.serialized, .timeLimit(.minutes(5)))
struct RequestTests {
    /// Asks until the target has been registered.
    private func ask(
        _ client: BusConnection, _ method: String, _ target: String, until status: Int
    ) async throws -> BusReply {
        try await within {
            while true {
                if let reply = try? await client.request(method, to: target, params: [:], timeout: .seconds(5)),
                    reply.status == status
                {
                    return reply
                }
                try await Task.sleep(for: .milliseconds(5))
            }
        }
    }

    @Test func `a request is answered, and the bus says who asks`() async throws {
        let harness = try Harness()
        let bus = try await harness.bus()
        let server = try harness.connection()
        server.serve(
            as: "trigger-service",
            ["echo": { .ok(["user": .string($0.user), "said": $0.params["say"] ?? nil], body: $0.body) }])
        let client = try harness.connection()
        _ = try await ask(client, "echo", "trigger-service", until: 200)
        let reply = try await client.request(
            "echo", to: "trigger-service", params: ["say": "hello", "user": "somebody else"],
            body: [Data("a".utf8), Data()], timeout: .seconds(5))
        #expect(reply == .ok(["user": "local", "said": "hello"], body: [Data("a".utf8), Data()]))
        let unknown = try await client.request("other", to: "trigger-service", params: [:], timeout: .seconds(5))
        #expect(unknown.status == 404)
        await client.shutdown()
        await server.shutdown()
        await bus.stop()
    }

    @Test func `a target that is not there is refused at once`() async throws {
        let harness = try Harness()
        let bus = try await harness.bus()
        let client = try harness.connection()
        let reply = try await within(.seconds(2)) {
            try await client.request("echo", to: "nobody", params: [:], timeout: .seconds(60))
        }
        #expect(reply.status == 503)
        await client.shutdown()
        await bus.stop()
    }

    @Test func `a target that does not answer times out`() async throws {
        let harness = try Harness()
        let bus = try await harness.bus()
        let server = try harness.connection()
        let (gates, gate) = AsyncStream.makeStream(of: Void.self)
        server.serve(
            as: "deployer",
            [
                "stuck": { _ in
                    for await _ in gates {}
                    return .ok()
                },
                "echo": { _ in .ok() },
            ])
        let client = try harness.connection()
        _ = try await ask(client, "echo", "deployer", until: 200)
        await #expect(throws: BusError.timedOut(method: "stuck", target: "deployer")) {
            try await client.request("stuck", to: "deployer", params: [:], timeout: .milliseconds(50))
        }
        gate.finish()
        await client.shutdown()
        await server.shutdown()
        await bus.stop()
    }

    @Test func `without a bus a request ends with its timeout, and says that the bus was not there`() async throws {
        let harness = try Harness()
        let client = try harness.connection()
        await #expect(throws: BusError.unreachable(method: "echo", target: "deployer")) {
            try await client.request("echo", to: "deployer", params: [:], timeout: .milliseconds(50))
        }
        await client.shutdown()
    }

    @Test func `a canceled request ends`() async throws {
        let harness = try Harness()
        let client = try harness.connection()
        let asking = Task { try await client.request("echo", to: "deployer", params: [:], timeout: .seconds(60)) }
        asking.cancel()
        let result = await asking.result
        #expect(throws: BusError.canceled) { try result.get() }
        await client.shutdown()
    }

    @Test func `a target that starts again takes over, and its parked requests are given up`() async throws {
        let harness = try Harness()
        let bus = try await harness.bus()
        let first = try harness.connection()
        let (gates, gate) = AsyncStream.makeStream(of: Void.self)
        let (arrivals, arrival) = AsyncStream.makeStream(of: Void.self)
        first.serve(
            as: "trigger-service",
            [
                "claim": { _ in
                    arrival.yield()
                    for await _ in gates {}
                    return .ok()
                }
            ])
        let client = try harness.connection()
        _ = try await ask(client, "nothing", "trigger-service", until: 404)
        let parked = Task {
            try await client.request("claim", to: "trigger-service", params: [:], timeout: .seconds(60))
        }
        for await _ in arrivals { break }
        let second = try harness.connection()
        second.serve(as: "trigger-service", ["claim": { _ in .ok(["from": "second"]) }])
        let lost = try await within { try await parked.value }
        #expect(lost.status == 503)
        let reply = try await ask(client, "claim", "trigger-service", until: 200)
        #expect(reply.params["from"] == "second")
        gate.finish()
        for connection in [client, first, second] { await connection.shutdown() }
        await bus.stop()
    }

    @Test func `a restart of the bus ends open requests and targets register again by themselves`() async throws {
        let harness = try Harness()
        let bus = try await harness.bus()
        let server = try harness.connection()
        let (arrivals, arrival) = AsyncStream.makeStream(of: Void.self)
        let (gates, gate) = AsyncStream.makeStream(of: Void.self)
        server.serve(
            as: "evaluator",
            [
                "stuck": { _ in
                    arrival.yield()
                    for await _ in gates {}
                    return .ok()
                },
                "echo": { _ in .ok() },
            ])
        let client = try harness.connection()
        _ = try await ask(client, "echo", "evaluator", until: 200)
        let open = Task { try await client.request("stuck", to: "evaluator", params: [:], timeout: .seconds(60)) }
        for await _ in arrivals { break }
        await bus.stop()
        let result = try await within(.seconds(3)) { await open.result }
        #expect(throws: BusError.connectionLost(method: "stuck", target: "evaluator")) { try result.get() }
        let next = try await harness.bus()
        _ = try await ask(client, "echo", "evaluator", until: 200)
        gate.finish()
        await client.shutdown()
        await server.shutdown()
        await next.stop()
    }

    @Test func `more requests than places wait their turn`() async throws {
        let harness = try Harness()
        let bus = try await harness.bus()
        let server = try harness.connection()
        server.serve(as: "notifier", ["echo": { .ok(["n": $0.params["n"] ?? nil]) }])
        let client = try harness.connection()
        _ = try await ask(client, "echo", "notifier", until: 200)
        let answers = try await withThrowingTaskGroup { group in
            for number in 0..<200 {
                group.addTask {
                    try await client.request("echo", to: "notifier", params: ["n": .int(number)], timeout: .seconds(20))
                }
            }
            return try await group.reduce(into: Set<Int>()) { $0.insert($1.params["n"]?.int ?? -1) }
        }
        #expect(answers == Set(0..<200))
        await client.shutdown()
        await server.shutdown()
        await bus.stop()
    }

    @Test func `a second bus on the same folder is refused, and the first goes on`() async throws {
        let harness = try Harness()
        let bus = try await harness.bus()
        await #expect(throws: BusError.self) { _ = try await harness.bus() }
        let client = try harness.connection()
        let reply = try await client.request("echo", to: "nobody", params: [:], timeout: .seconds(5))
        #expect(reply.status == 503)
        await client.shutdown()
        await bus.stop()
    }
}
