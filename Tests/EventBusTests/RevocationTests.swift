import Bus
import EventLog
import Foundation
import Messages
import ServiceKit
import Testing

@testable import EventBus

/// What a revoked key can still do, and how soon (bus.md 8), and who may ask what.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct RevocationTests {
    private static let header = "MB1 E 1700000000000 1 \(String(repeating: "a", count: 32))"
    private static let service = "pub=e/registry-service/*,t/registry-service/* req=fetch,echo"

    private func event(_ topic: String) -> [Data] { frames(topic, Self.header, "{}") }

    @Test func `a revoked key publishes nothing after a second and hears nothing after two`() async throws {
        let everybody = ["registry-service": Self.service, "kim": "sub=feed", "eve": "pub=e/acme/* sub=feed"]
        let harness = try await SecureHarness(everybody)
        let eve = try RawClient(harness.credentials("eve"))
        let service = try RawClient(harness.credentials("registry-service"))
        let kim = try RawClient(harness.credentials("kim"))
        let evePub = try eve.dial(.pub, harness.address.events)
        let evilEar = try eve.dial(.sub, harness.address.feed, subscriptions: [""])
        let pub = try service.dial(.pub, harness.address.events)
        let ear = try kim.dial(.sub, harness.address.feed, subscriptions: [""])
        let (forged, good) = (event("e/acme/org.x"), event("e/registry-service/org.y"))
        var (heard, evil): ([[Data]], [[Data]]) = ([], [])
        func talk() {
            _ = evePub.send(forged)
            _ = pub.send(good)
            heard += ear.heard(.milliseconds(5))
            evil += evilEar.heard(.milliseconds(5))
        }
        try harness.wait {
            talk()
            return heard.contains(forged) && evil.contains(good)
        }
        try harness.authorize(everybody.filter { $0.key != "eve" })
        let revoked = ContinuousClock.now
        try harness.wait {
            talk()
            return ContinuousClock.now - revoked > .seconds(1)
        }
        // What was under way is read; from here on nothing of hers may come.
        _ = ear.heard(.milliseconds(50))
        heard = []
        try harness.wait {
            talk()
            return ContinuousClock.now - revoked > .seconds(2)
        }
        _ = evilEar.heard(.milliseconds(50))
        evil = []
        // The others go on: they have found the newly opened feed.
        try harness.wait {
            talk()
            return heard.contains(good) && ContinuousClock.now - revoked > .seconds(4)
        }
        #expect(!heard.contains(forged))
        #expect(evil.isEmpty)
        #expect(harness.drops["unknown_key", default: 0] > 0)
        await harness.bus.stop()
    }

    @Test func `a revoked key is refused at once, its waiting requests end, and nobody waits for its answers`()
        async throws
    {
        let everybody = [
            "registry-service": Self.service, "eve": "req=echo,stuck pub=e/acme/*", "kim": "req=slow,echo",
        ]
        let harness = try await SecureHarness(everybody)
        let (arrivals, arrival) = AsyncStream.makeStream(of: Void.self)
        let (gates, gate) = AsyncStream.makeStream(of: Void.self)
        let wait: RequestHandler = { _ in
            arrival.yield()
            for await _ in gates {}
            return .ok()
        }
        let server = try harness.connection("registry-service")
        server.serve(as: "registry-service", ["echo": { .ok(["user": .string($0.user)]) }, "stuck": wait])
        let (eve, kim) = (try harness.connection("eve"), try harness.connection("kim"))
        eve.serve(as: "acme", ["slow": wait])
        let said = try await answer(eve, "echo", "registry-service", ["user": "root"], until: 200)
        #expect(said.params["user"] == "eve")
        let stuck = Task { try await eve.request("stuck", to: "registry-service", params: [:], timeout: .seconds(100)) }
        let slow = Task { try await answer(kim, "slow", "acme", until: 503, without: [404]) }
        var seen = 0
        for await _ in arrivals {
            seen += 1
            if seen == 2 { break }
        }
        try harness.authorize(everybody.filter { $0.key != "eve" })
        #expect(try await within(.seconds(30)) { try await stuck.value.status } == 401)
        #expect(try await within(.seconds(30)) { try await slow.value.status } == 503)
        #expect(try await answer(eve, "echo", "registry-service", until: 401).error == "this key is not authorized")
        #expect(try await answer(kim, "echo", "registry-service", until: 200).params["user"] == "kim")
        gate.finish()
        for connection in [server, eve, kim] { await connection.shutdown() }
        await harness.bus.stop()
    }

    /// Asks until it is answered so.
    private func answer(
        _ client: BusConnection, _ method: String, _ target: String, _ params: JSONValue = [:], until status: Int,
        without impossible: [Int] = []
    ) async throws -> BusReply {
        try await within(.seconds(60)) {
            while true {
                if let reply = try? await client.request(method, to: target, params: params, timeout: .seconds(60)) {
                    if reply.status == status { return reply }
                    #expect(!impossible.contains(reply.status))
                }
                try await Task.sleep(for: .milliseconds(10))
            }
        }
    }

    @Test func `nobody says hello for a log that is not theirs, nor asks what they have no right to`() async throws {
        let harness = try await SecureHarness([
            "registry-service": Self.service, "eve": "pub=t/eve/* req=fetch:deployer",
        ])
        let server = try harness.connection("registry-service")
        server.serve(as: "registry-service", ["echo": { _ in .ok() }, "fetch": { _ in .ok() }])
        _ = try await answer(server, "echo", "registry-service", until: 200)
        let eve = try harness.connection("eve")
        let hello = try await answer(eve, "hello", "bus", ["source": "registry-service"], until: 403)
        #expect(hello.error?.contains("pub=e/registry-service/*") == true)
        #expect(try await answer(eve, "echo", "registry-service", until: 403).error?.contains("no right") == true)
        _ = try await answer(eve, "fetch", "registry-service", until: 403)
        _ = try await answer(eve, "fetch", "deployer", until: 503)
        #expect(harness.drops["request", default: 0] >= 3)
        for connection in [server, eve] { await connection.shutdown() }
        await harness.bus.stop()
    }

    @Test func `who may send some events of a log does not say how far it is`() async throws {
        let harness = try await SecureHarness(["acme": "pub=e/acme/*", "eve": "pub=e/acme/org.x", "kim": "sub=feed"])
        let eve = try RawClient(harness.credentials("eve"))
        let kim = try RawClient(harness.credentials("kim"))
        let pub = try eve.dial(.pub, harness.address.events)
        let sub = try kim.dial(.sub, harness.address.feed, subscriptions: ["e/"])
        let far = frames("e/acme/org.x", "MB1 E 1700000000000 1000 \(String(repeating: "a", count: 32))", "{}")
        try harness.wait {
            _ = pub.send(far)
            return sub.heard().contains(far)
        }
        let acme = try harness.connection("acme")
        let hello: JSONValue = ["source": "acme", "epoch": 1_700_000_000_000, "first": 1, "last": 7, "chain": ""]
        _ = try await answer(acme, "hello", "bus", hello, until: 200, without: [409])
        await acme.shutdown()
        await harness.bus.stop()
    }

    @Test func `a peer that names its own connection is not answered`() async throws {
        let harness = try await SecureHarness(["eve": "req=*"])
        let context = try SocketContext()
        let options = SocketOption.client(try harness.credentials("eve")) + [.routingID("another")]
        let dealer = try Socket(.dealer, in: context, options: options)
        try dealer.connect(to: harness.address.requests)
        try harness.wait {
            _ = dealer.send(frames("", "MB1", String(repeating: "c", count: 16), "m", "t", "1000", "{}"))
            usleep(10_000)
            return harness.drops["identity", default: 0] > 0
        }
        #expect(dealer.heard().isEmpty)
        await harness.bus.stop()
    }

    @Test func `what was denied is told to ingest, once for many`() async throws {
        let harness = try await SecureHarness([
            "trigger-service": "pub=e/ingest/*,e/trigger-service/*", "eve": "pub=e/acme/* req=fetch",
        ])
        let eve = try RawClient(harness.credentials("eve"))
        let pub = try eve.dial(.pub, harness.address.events)
        try harness.wait {
            for _ in 0..<10 { _ = pub.send(event("e/deployer/org.x")) }
            usleep(5000)
            return harness.drops["publish", default: 0] > 100
        }
        // Only now is there somebody to be told.
        let (tellings, tell) = AsyncStream.makeStream(of: BusRequest.self)
        let server = try harness.connection("trigger-service")
        server.serve(
            as: .ingest,
            [
                "publish": {
                    tell.yield($0)
                    return .ok()
                }
            ])
        let request = try await within(.seconds(60)) { () -> BusRequest? in
            for await request in tellings { return request }
            return nil
        }
        let body = try #require(request?.body.first)
        #expect(request?.user == "event-bus")
        let told = try Wire.decode(JSONValue.self, from: body)
        #expect(told["type"]?.string == ClientDenied.eventType && told["source"] == "/martlet/event-bus")
        let denied = try Wire.decode(ClientDenied.self, from: Wire.encode(told["data"]))
        #expect(denied.client == "eve" && denied.example == "e/deployer/org.x")
        #expect(denied.reasons.map(\.reason) == ["publish"])
        #expect(denied.key == (try harness.credentials("eve").own.publicKey.text))
        await server.shutdown()
        await harness.bus.stop()
    }
}
