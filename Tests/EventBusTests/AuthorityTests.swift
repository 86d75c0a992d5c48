import Bus
import EventLog
import Foundation
import Messages
import ServiceKit
import Testing

@testable import EventBus

/// I9: nothing outside of the authority of a key is delivered (bus.md 8), over real sockets.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct AuthorityTests {
    private static let header = "MB1 E 1700000000000 1 \(String(repeating: "a", count: 32))"
    private static let speaker = "pub=e/registry-service/*,t/registry-service/* req=fetch"
    private static let listener = "sub=feed req=fetch"

    private func event(_ topic: String) -> [Data] { frames(topic, Self.header, "{}") }

    /// Sends all of them over and over until the last one is heard; returns what was heard.
    private func heard(
        _ messages: [[Data]], from sender: String, by listener: String = "kim", _ harness: SecureHarness
    ) throws -> [[Data]] {
        let mouth = try RawClient(harness.credentials(sender))
        let ear = try RawClient(harness.credentials(listener))
        let pub = try mouth.dial(.pub, harness.address.events)
        let sub = try ear.dial(.sub, harness.address.feed, subscriptions: ["e/", "t/"])
        var seen: [[Data]] = []
        try harness.wait {
            for message in messages { _ = pub.send(message) }
            seen += sub.heard()
            return seen.contains { $0.first == messages.last?.first }
        }
        return seen
    }

    @Test func `events are published, heard and caught up with over CURVE`() async throws {
        let harness = try await SecureHarness(["registry-service": Self.speaker, "kim": Self.listener])
        let log = MemoryLog()
        log.append(500)
        let publishing = try harness.connection("registry-service")
        let publisher = Publisher(bus: publishing, reader: log, sources: [log.source], logger: harness.logger)
        let speaking = Task { await publisher.run() }
        let follower = MemoryFollower()
        let listening = try harness.connection("kim")
        let subscriber = Subscriber(bus: listening, sources: [log.source], follower: follower, logger: harness.logger)
        let following = Task { try await subscriber.run() }
        try await within(.seconds(60)) { await follower.reached(500) }
        log.append(100)
        publisher.wake()
        try await within(.seconds(60)) { await follower.reached(600) }
        #expect(follower.applied == log.records && follower.forks.isEmpty)
        speaking.cancel()
        following.cancel()
        _ = await (speaking.value, following.result)
        for connection in [publishing, listening] { await connection.shutdown() }
        await harness.bus.stop()
    }

    @Test func `a forged source and a foreign type are dropped, counted and not delivered`() async throws {
        let harness = try await SecureHarness(["registry-service": Self.speaker, "kim": Self.listener])
        let good = event("e/registry-service/dev.martlet.model.registered.v1")
        let bad = [
            event("e/deployer/dev.martlet.deployment.started.v1"),
            event("e/registry-service/dev.martlet.run.started.v1"),
            event("e/ingest/org.acme.load"), frames("h/deployer", Self.header.replacing(" E ", with: " H "), ""),
            frames("t/deployer/load", "{}"), frames("e/event-bus/x", Self.header, "{}"),
        ]
        let seen = try heard(bad + [good], from: "registry-service", harness)
        #expect(Set(seen) == [good])
        #expect(harness.drops["publish", default: 0] > 0 && harness.drops["foreign_type", default: 0] > 0)
        let text = try await within { () -> String in
            while true {
                let text = await harness.metrics.render()
                if text.contains(#"{reason="foreign_type",client="registry-service"}"#) { return text }
                try await Task.sleep(for: .milliseconds(50))
            }
        }
        #expect(!text.contains(#"client="kim""#))
        await harness.bus.stop()
    }

    @Test(arguments: ["unknown key", "no CURVE at all", "a key without the right"])
    func `a stranger hears nothing and says nothing`(who: String) async throws {
        let harness = try await SecureHarness([
            "registry-service": Self.speaker, "kim": Self.listener, "mute": "req=fetch",
        ])
        let name = who == "unknown key" ? "mallory" : "mute"
        let stranger = try RawClient(who == "no CURVE at all" ? nil : harness.credentials(name))
        let pub = try stranger.dial(.pub, harness.address.events)
        let sub = try stranger.dial(.sub, harness.address.feed, subscriptions: [""])
        let good = event("e/registry-service/org.good")
        let forged = event("e/registry-service/org.forged")
        _ = try heard([good], from: "registry-service", harness)
        switch who {
        case "unknown key": try harness.wait { harness.drops["handshake", default: 0] >= 2 }
        case "no CURVE at all": break
        default: try harness.wait { harness.drops["subscribe", default: 0] >= 1 }
        }
        for _ in 0..<5 { _ = pub.send(forged) }
        let seen = try heard([good], from: "registry-service", harness)
        #expect(!seen.contains(forged))
        #expect(sub.heard(.milliseconds(300)).isEmpty)
        await harness.bus.stop()
    }

    @Test func `without a ZAP handler our options let nobody in`() async throws {
        let keys = KeyFolder(path: "/tmp/mb-\(UUID().uuidString.prefix(8))")
        defer { try? FileManager.default.removeItem(atPath: keys.path) }
        let bus = try keys.generate("event-bus").pair
        _ = try keys.generate("acme")
        #expect(try letsIn(SocketOption.server(bus, domain: "feed"), keys) == false)
        // The same without the domain's enforcement: this is what the option is for.
        let careless = Array(SocketOption.server(bus, domain: "feed").dropLast())
        #expect(try letsIn(careless, keys) == true)
    }

    private func letsIn(_ options: [SocketOption], _ keys: KeyFolder) throws -> Bool {
        let context = try SocketContext()
        let server = try Socket(.xpub, in: context, options: SocketOption.xpub + options)
        var address = ""
        for _ in 0..<50 where address.isEmpty {
            let candidate = "tcp://127.0.0.1:\(Int.random(in: 20_000...60_000))"
            if (try? server.bind(to: candidate)) != nil { address = candidate }
        }
        let client = try RawClient(keys.credentials(of: "acme"))
        let sub = try client.dial(.sub, address, subscriptions: ["e/"])
        for _ in 0..<100 {
            if !server.heard().isEmpty { return true }
            _ = sub.heard(.milliseconds(1))
        }
        return false
    }

    @Test func `subscriptions count within the rights of their key only`() async throws {
        let harness = try await SecureHarness([
            "registry-service": "pub=e/registry-service/*,e/deployer/*", "kim": Self.listener,
            "narrow": "sub=e/deployer/",
        ])
        let narrow = try RawClient(harness.credentials("narrow"))
        let sub = try narrow.dial(
            .sub, harness.address.feed, subscriptions: ["", "e/", "e/registry-service/", "e/deployer/"])
        let (secret, open) = (event("e/registry-service/org.secret"), event("e/deployer/org.open"))
        var seen: [[Data]] = []
        try harness.wait {
            _ = try heard([secret, open], from: "registry-service", harness)
            seen += sub.heard()
            return seen.contains(open)
        }
        #expect(Set(seen) == [open])
        #expect(harness.drops["subscribe", default: 0] >= 3)
        await harness.bus.stop()
    }

    @Test func `a subscriber that confuses libzmq's bookkeeping hears nothing of what others subscribed to`()
        async throws
    {
        let harness = try await SecureHarness([
            "registry-service": Self.speaker, "kim": Self.listener, "narrow": "sub=e/deployer/",
        ])
        let secret = event("e/registry-service/org.secret")
        let attacker = try RawClient(harness.credentials("narrow"))
        let socket = try attacker.dial(.xsub, harness.address.feed)
        var seen: [[Data]] = []
        try harness.wait {
            for _ in 0..<20 { _ = socket.send(frames("nothing")) }
            _ = socket.send(frames("\u{1}e/deployer/"))
            _ = try heard([secret], from: "registry-service", harness)
            seen += socket.heard(.milliseconds(1))
            return harness.drops["upstream", default: 0] > 0
        }
        for _ in 0..<5 {
            _ = try heard([secret], from: "registry-service", harness)
            seen += socket.heard(.milliseconds(1))
        }
        #expect(!seen.contains(secret))
        // Shut out: it does not get in again.
        let again = try attacker.dial(.sub, harness.address.feed, subscriptions: ["e/deployer/"])
        try harness.wait { harness.drops["handshake", default: 0] > 0 }
        #expect(again.heard(.milliseconds(50)).isEmpty)
        await harness.bus.stop()
    }

    @Test func `a flood is cut to its rate, others are not`() async throws {
        let harness = try await SecureHarness([
            "registry-service": Self.speaker, "kim": Self.listener, "loud": "pub=t/loud/* rate=20",
        ])
        let loud = try RawClient(harness.credentials("loud"))
        let pub = try loud.dial(.pub, harness.address.events)
        try harness.wait {
            for _ in 0..<50 { _ = pub.send(frames("t/loud/x", "{}")) }
            usleep(1000)
            return harness.drops["rate", default: 0] > 200
        }
        let good = event("e/registry-service/org.good")
        #expect(try heard([good], from: "registry-service", harness).contains(good))
        await harness.bus.stop()
    }

    @Test func `over tcp no bus starts without its key`() throws {
        let harness = try Harness()
        let address = try BusAddress("tcp://127.0.0.1:5550")
        let keys = KeyFolder(path: harness.folder + "/keys")
        for keys in [nil, keys] {
            #expect {
                _ = try BusServer(address: address, keys: keys, metrics: .init(), logger: harness.logger)
            } throws: {
                "\($0)".contains("martlet keys generate event-bus")
            }
        }
    }
}
