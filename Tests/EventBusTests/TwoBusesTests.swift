import Bus
import EventLog
import Foundation
import Messages
import Synchronization
import Testing

@testable import EventBus

/// Two buses side by side (bus.md 2): either may go at any time.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct TwoBusesTests {
    private struct Pair {
        let first: Harness
        let second: Harness

        init() throws { (first, second) = (try Harness(), try Harness()) }

        func connection() throws -> BusConnection {
            let connection = BusConnection(addresses: [first.address, second.address], logger: first.logger)
            try connection.start()
            return connection
        }
    }

    private func answer(_ client: BusConnection, _ method: String, until status: Int) async throws {
        try await within(.seconds(60)) {
            while true {
                let reply = try? await client.request(method, to: "deployer", params: [:], timeout: .seconds(5))
                if reply?.status == status { return }
                try await Task.sleep(for: .milliseconds(10))
            }
        }
    }

    @Test func `I1 I2 events count once, and the loss of either bus loses none`() async throws {
        let pair = try Pair()
        var (one, two): (BusServer?, BusServer?) = (try await pair.first.bus(), try await pair.second.bus())
        let log = MemoryLog()
        let speaking = try pair.connection()
        let publisher = Publisher(bus: speaking, reader: log, sources: [log.source], logger: pair.first.logger)
        let publishing = Task { await publisher.run() }
        let follower = MemoryFollower()
        let listening = try pair.connection()
        let subscriber = Subscriber(
            bus: listening, sources: [log.source], follower: follower, logger: pair.first.logger)
        let following = Task { try await subscriber.run() }
        func say(_ count: Int) async throws {
            log.append(count)
            publisher.wake()
            let last = log.head.last
            try await within(.seconds(60)) { await follower.reached(last) }
        }
        try await say(500)
        await one?.stop()
        try await say(500)
        one = try await pair.first.bus()
        try await say(500)
        await two?.stop()
        try await say(500)
        two = try await pair.second.bus()
        try await say(500)
        #expect(follower.applied == log.records && follower.forks.isEmpty)
        publishing.cancel()
        following.cancel()
        _ = await (publishing.value, following.result)
        for connection in [speaking, listening] { await connection.shutdown() }
        await one?.stop()
        await two?.stop()
    }

    @Test func `a request goes over the bus that is there`() async throws {
        let pair = try Pair()
        let two = try await pair.second.bus()
        let (server, client) = (try pair.connection(), try pair.connection())
        server.serve(as: "deployer", ["fetch": { _ in .ok() }])
        try await answer(client, "fetch", until: 200)
        let one = try await pair.first.bus()
        try await answer(client, "fetch", until: 200)
        await two.stop()
        try await answer(client, "fetch", until: 200)
        for connection in [server, client] { await connection.shutdown() }
        await one.stop()
    }

    @Test(arguments: [("fetch", true), ("claim", false)])
    func `what was being asked of a bus that dies is asked again where that is safe`(
        method: String, isRepeated: Bool
    ) async throws {
        let pair = try Pair()
        let (one, two) = (try await pair.first.bus(), try await pair.second.bus())
        let (arrivals, arrival) = AsyncStream.makeStream(of: Void.self)
        let (gates, gate) = AsyncStream.makeStream(of: Void.self)
        let asked = Mutex(0)
        let handler: RequestHandler = { _ in
            let number = asked.withLock { asked -> Int in
                asked += 1
                return asked
            }
            arrival.yield()
            if number == 1 { for await _ in gates {} }
            return .ok(["number": .int(number)])
        }
        let (server, client) = (try pair.connection(), try pair.connection())
        server.serve(as: "deployer", [method: handler, "ready": { _ in .ok() }])
        try await answer(client, "ready", until: 200)
        // It must be known at both buses, or the answer of the second would be that nobody is there.
        for harness in [pair.first, pair.second] {
            let single = try harness.connection()
            try await answer(single, "ready", until: 200)
            await single.shutdown()
        }
        let open = Task { try await client.request(method, to: "deployer", params: [:], timeout: .seconds(60)) }
        for await _ in arrivals { break }
        await one.stop()
        let result = try await within(.seconds(30)) { await open.result }
        if isRepeated {
            #expect(try result.get().params["number"] == 2)
        } else {
            #expect(throws: BusError.connectionLost(method: method, target: "deployer")) { try result.get() }
        }
        gate.finish()
        for connection in [server, client] { await connection.shutdown() }
        await two.stop()
    }

    @Test func `a target that one bus does not know is asked over the other`() async throws {
        let pair = try Pair()
        let (one, two) = (try await pair.first.bus(), try await pair.second.bus())
        let server = try pair.second.connection()
        server.serve(as: "deployer", ["fetch": { _ in .ok() }])
        let client = try pair.connection()
        try await answer(client, "fetch", until: 200)
        let unknown = try await client.request("fetch", to: "evaluator", params: [:], timeout: .seconds(20))
        #expect(unknown.status == 503)
        for connection in [server, client] { await connection.shutdown() }
        for bus in [one, two] { await bus.stop() }
    }

    @Test func `a log that one of the buses knows as newer is welcome at neither`() async throws {
        let pair = try Pair()
        let (one, two) = (try await pair.first.bus(), try await pair.second.bus())
        let hello: JSONValue = ["source": "deployer", "epoch": 1_700_000_000_000, "first": 1, "last": 7, "chain": ""]
        let older: JSONValue = ["source": "deployer", "epoch": 1_700_000_000_000, "first": 1, "last": 5, "chain": ""]
        let single = try pair.second.connection()
        #expect(try await single.request("hello", to: "bus", params: hello, timeout: .seconds(20)).status == 200)
        let both = try pair.connection()
        try await within(.seconds(60)) {
            // Until both are connected: a bus that is away is told when it is back.
            while try await both.request("hello", to: "bus", params: older, timeout: .seconds(20)).status != 409 {}
        }
        for connection in [single, both] { await connection.shutdown() }
        for bus in [one, two] { await bus.stop() }
    }

    @Test func `without any bus a request ends with its timeout`() async throws {
        let pair = try Pair()
        let client = try pair.connection()
        await #expect(throws: BusError.unreachable(method: "fetch", target: "deployer")) {
            try await client.request("fetch", to: "deployer", params: [:], timeout: .milliseconds(600))
        }
        let open = Task { try await client.request("fetch", to: "deployer", params: [:], timeout: .seconds(60)) }
        open.cancel()
        let result = await open.result
        #expect(throws: BusError.canceled) { try result.get() }
        await client.shutdown()
    }
}
