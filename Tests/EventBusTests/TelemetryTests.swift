import Bus
import Foundation
import Messages
import Synchronization
import Testing

@testable import EventBus

@Suite(.serialized, .timeLimit(.minutes(5)))
struct TelemetryTests {
    /// Says it until it was heard: whoever has just begun to listen may miss the first.
    private func heard(
        _ listener: BusConnection, _ prefix: String, saying: @escaping @Sendable () -> Void
    ) async throws -> TelemetryMessage {
        let stream = listener.hearTelemetry(prefix)
        let saying = Task {
            while !Task.isCancelled {
                saying()
                try? await Task.sleep(for: .milliseconds(20))
            }
        }
        defer { saying.cancel() }
        return try await within(.seconds(30)) {
            for await message in stream { return message }
            throw TookTooLong()
        }
    }

    @Test func `what one tells in passing another hears`() async throws {
        let harness = try Harness()
        let bus = try await harness.bus()
        let (teller, listener) = (try harness.connection(), try harness.connection())
        let message = try await heard(listener, "t/acme/") {
            teller.telemetry("other", "load", ["a": 2])
            teller.telemetry("acme", "load", ["a": 1])
        }
        #expect(message.topic == "t/acme/load" && message.client == "acme" && message.type == "load")
        #expect(message.body == Data(#"{"a":1}"#.utf8))
        await teller.shutdown()
        await listener.shutdown()
        await bus.stop()
    }

    @Test func `an outsider's two frames are heard as telemetry`() async throws {
        let harness = try Harness()
        let bus = try await harness.bus()
        let listener = try harness.connection()
        let address = harness.address.events
        let stop = Stop()
        let outsider = SocketThread("outsider") { try? Self.tell(address, until: stop) }
        let message = try await heard(listener, "t/") {}
        #expect(message.topic == "t/acme/gpu" && message.body == Data("{\"a\":1}".utf8))
        stop.set()
        await outsider.join()
        await listener.shutdown()
        await bus.stop()
    }

    private static func tell(_ address: String, until stop: Stop) throws {
        let context = try SocketContext()
        let pub = try Socket(.pub, in: context, options: [])
        try pub.connect(to: address)
        var poll = PollSet()
        while !stop.isSet {
            _ = pub.send([Data("t/acme/gpu".utf8), Data("{\"a\":1}".utf8)])
            poll.wait(.milliseconds(5))
        }
    }

    @Test func `I8 telemetry has a rate of its own`() throws {
        let key = try #require(PeerKey(String(repeating: "a", count: 40)))
        let keys = AuthorizedKeys(parsing: "\(key) acme pub=e/acme/*,t/acme/* rate=3\n", file: "authorized_keys")
        var gate = LiveGate(authority: Authority(keys))
        for _ in 1...3 { _ = try gate.enter(key, isTelemetry: true, now: .zero) }
        #expect(throws: Denial.rate) { try gate.enter(key, isTelemetry: true, now: .zero) }
        for _ in 1...3 { _ = try gate.enter(key, now: .zero) }
        #expect(throws: Denial.rate) { try gate.enter(key, now: .zero) }
        #expect(throws: Denial.rate) { try gate.enter(key, isTelemetry: true, now: .zero) }
    }

    @Test func `I8 a flood of telemetry loses no event and is dropped first`() async throws {
        let harness = try Harness()
        let bus = try await harness.bus()
        let log = MemoryLog()
        let publisher = try RunningPublisher(log, harness)
        let subscriber = try RunningSubscriber(MemoryFollower(), harness)
        let listener = try harness.connection()
        let listened = listener.hearTelemetry()
        publisher.append()
        try await within { await subscriber.follower.reached(1) }
        let connection = publisher.connection
        let outside = try harness.connection()
        for burst in 1...50 {
            publisher.append(100)
            // Ten times as much as there are events, through the publisher's own connection and through another.
            for number in 0..<1_000 {
                connection.telemetry("registry-service", "flood", ["n": number])
                outside.telemetry("acme", "flood", ["n": number])
            }
            try await within(.seconds(30)) { await subscriber.follower.reached(Int64(burst * 100 + 1)) }
        }
        #expect(subscriber.follower.applied == log.records)
        #expect(subscriber.follower.forks.isEmpty)
        #expect(connection.drops.byReason["telemetry", default: 0] > 0)
        let told = try await within {
            for await message in listened { return message }
            throw TookTooLong()
        }
        #expect(told.type == "flood")
        for one in [outside, listener] { await one.shutdown() }
        await subscriber.stop()
        await publisher.stop()
        await bus.stop()
    }
}

/// Tells a thread to end.
private final class Stop: Sendable {
    private let state = Mutex(false)
    var isSet: Bool { state.withLock { $0 } }
    func set() { state.withLock { $0 = true } }
}
