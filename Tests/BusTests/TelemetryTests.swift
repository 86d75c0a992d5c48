import EventLog
import Foundation
import Logging
import Messages
import Testing

@testable import Bus

struct TelemetryTests {
    private func message(_ number: Int, bytes: Int = 10) -> [Data] {
        [Data("t/acme/n\(number)".utf8), Data(count: bytes)]
    }

    @Test func `the queue keeps the newest messages and says how many had to go`() {
        var queue = TelemetryQueue()
        var dropped = 0
        for number in 0..<(BusLimits.telemetryMessages + 10) { dropped += queue.add(message(number)) }
        #expect(dropped == 10)
        let left = queue.takeAll()
        #expect(left.count == BusLimits.telemetryMessages)
        #expect(left.first == message(10))
        #expect(queue.takeAll().isEmpty)
    }

    @Test func `the queue is bounded in bytes too`() {
        var queue = TelemetryQueue()
        var dropped = 0
        for number in 0..<20 { dropped += queue.add(message(number, bytes: 60_000)) }
        let left = queue.takeAll()
        #expect(dropped + left.count == 20)
        #expect(left.reduce(0) { $0 + $1[0].count + $1[1].count } <= BusLimits.telemetryBytes)
        #expect(left.last == message(19, bytes: 60_000))
    }

    /// A bus that reads nothing: what telemetry takes of the sockets' room stays taken.
    @Test(.timeLimit(.minutes(5))) func `I8 telemetry takes no room of events`() async throws {
        let folder = "/tmp/mt-\(UUID().uuidString.prefix(8))"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let address = try BusAddress.embedded(in: folder)
        let over = try Wakeup()
        let stuck = SocketThread("stuck-bus") { try? Self.hold(address, until: over) }
        let bus = BusConnection(address: address, logger: Logger(label: "test"))
        try bus.start()
        let text = String(repeating: "x", count: 1_000)
        while !Task.isCancelled, bus.drops.byReason["telemetry", default: 0] < 500 {
            bus.telemetry("acme", "flood", ["text": text])
            // One at a time goes to the socket, so that it is the socket that fills and not the queue before it.
            _ = await bus.live?.publish([])
        }
        let header = LiveHeader(kind: .event, epoch: 1_700_000_000_000, seq: 1, chain: .unknown)
        let event = [Data("e/acme/t".utf8), header.bytes, Data("{}".utf8)]
        let sent = await bus.live?.publish(Array(repeating: event, count: 500))
        #expect(sent == 500)
        await bus.shutdown()
        over.wake()
        await stuck.join()
    }

    private static func hold(_ address: BusAddress, until over: Wakeup) throws {
        let context = try SocketContext()
        let events = try Socket(.xsub, in: context, options: SocketOption.xsub)
        try events.bind(to: address.events)
        _ = events.send([Data([1])])
        // Only a socket that is waited for lets a peer in; once something has come, it is left alone.
        var first = PollSet()
        first.add(events)
        first.add(over)
        first.wait(nil)
        var rest = PollSet()
        rest.add(over)
        rest.wait(nil)
        // A last use: the socket lives until here.
        _ = events.send([Data([0])])
    }

    @Test func `telemetry above the limit of a message is dropped and counted`() async throws {
        let folder = "/tmp/mt-\(UUID().uuidString.prefix(8))"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let bus = BusConnection(address: try BusAddress.embedded(in: folder), logger: Logger(label: "test"))
        try bus.start()
        bus.telemetry("acme", "large", ["text": String(repeating: "x", count: BusLimits.messageBytes)])
        #expect(bus.drops.byReason == ["telemetry": 1])
        await bus.shutdown()
    }
}
