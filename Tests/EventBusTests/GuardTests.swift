import Bus
import EventLog
import Foundation
import Messages
import Testing

@testable import EventBus

/// What strangers send to the bus, over raw sockets.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct GuardTests {
    private static let chain = String(repeating: "a", count: 32)

    private func frames(_ texts: String...) -> [Data] { texts.map { Data($0.utf8) } }

    /// Sends from a PUB, over and over until the last message has been heard, and returns what a SUB heard.
    private func heard(_ messages: [[Data]], last: Data, harness: Harness) throws -> [[Data]] {
        let context = try SocketContext()
        let pub = try Socket(.pub, in: context, options: [])
        try pub.connect(to: harness.address.events)
        let sub = try Socket(.sub, in: context, options: [], subscriptions: ["e/", "t/", "h/registry"])
        try sub.connect(to: harness.address.feed)
        var poll = PollSet()
        poll.add(sub)
        var seen: [[Data]] = []
        for _ in 0..<2000 where !seen.contains(where: { $0.first == last }) {
            for message in messages { _ = pub.send(message) }
            poll.wait(.milliseconds(5))
            while let (frames, _) = sub.receive() { seen.append(frames) }
        }
        return seen
    }

    @Test func `I9 I10 only well-formed messages pass, the others are counted by reason`() async throws {
        let harness = try Harness()
        let bus = try await harness.bus()
        let event = "MB1 E 1700000000000 1 \(Self.chain)"
        let good = frames("e/registry-service/t", event, "{}")
        let outsider = frames("t/acme/load", "{\"a\":1}")
        let seen = try heard(
            [
                frames("e/registry-service/t"), frames("e/registry-service/t", "{}"),
                frames("e/registry-service/t", event, "{}", "more"), frames("e/registry-service/t", event, "no json"),
                frames("h/registry-service", event, "{}"), frames("e/registry-service/t", "MB1 E 1 1 x", "{}"),
                frames("e/Registry/t", event, "{}"), frames("e/event-bus/t", event, "{}"),
                [Data("e/registry-service/t".utf8), Data(event.utf8), Data("{".utf8) + Data(count: 70_000)],
                good, outsider, frames("t/last/word", "{}"),
            ], last: Data("t/last/word".utf8), harness: harness)
        let expected = Set([
            good, [outsider[0], LiveHeader.telemetry.bytes, outsider[1]],
            [Data("t/last/word".utf8), LiveHeader.telemetry.bytes, Data("{}".utf8)],
        ])
        #expect(Set(seen).isSubset(of: expected))
        #expect(seen.contains(expected.first { $0[0] == Data("t/last/word".utf8) } ?? []))
        let drops = bus.counts.drops
        for reason in LiveDrop.allCases { #expect(drops[reason.rawValue, default: 0] > 0, "\(reason)") }
        await bus.stop()
    }

    @Test func `I9 what a subscriber sends upstream is not passed on`() async throws {
        let harness = try Harness()
        let bus = try await harness.bus()
        try sendUpstream(harness, until: { bus.counts.drops["upstream", default: 0] > 0 })
        #expect(bus.counts.drops["upstream", default: 0] > 0)
        await bus.stop()
    }

    private func sendUpstream(_ harness: Harness, until done: () -> Bool) throws {
        let context = try SocketContext()
        let intruder = try Socket(.xsub, in: context, options: [])
        try intruder.connect(to: harness.address.feed)
        var poll = PollSet()
        poll.add(intruder)
        _ = intruder.send([Data([1]) + Data("h/event-bus".utf8)])
        for _ in 0..<1000 where !done() {
            _ = intruder.send([Data("e/registry-service/forged".utf8)])
            poll.wait(.milliseconds(5))
            while intruder.receive() != nil {}
        }
    }

    @Test func `I10 raw garbage at the router is dropped and requests go on`() async throws {
        let harness = try Harness()
        let bus = try await harness.bus()
        try sendGarbage(harness)
        let client = try harness.connection()
        let reply = try await client.request("m", to: "nobody", params: [:], timeout: .seconds(5))
        #expect(reply.status == 503)
        #expect(bus.counts.drops["request_magic", default: 0] > 0)
        #expect(bus.counts.drops["request_frame_count", default: 0] > 0)
        await client.shutdown()
        await bus.stop()
    }

    private func sendGarbage(_ harness: Harness) throws {
        let context = try SocketContext()
        let dealer = try Socket(.dealer, in: context, options: [])
        try dealer.connect(to: harness.address.requests)
        _ = dealer.send([Data()])
        _ = dealer.send(frames("", "MB9", String(repeating: "c", count: 16), "m", "t", "1", "{}"))
        _ = dealer.send(Array(repeating: Data("x".utf8), count: 3000))
        // The answer to a good one shows that the others have been read.
        _ = dealer.send(frames("", "MB1", String(repeating: "c", count: 16), "m", "t", "1000", "{}"))
        var poll = PollSet()
        poll.add(dealer)
        for _ in 0..<1000 {
            poll.wait(.milliseconds(5))
            if dealer.receive() != nil { return }
        }
    }
}
