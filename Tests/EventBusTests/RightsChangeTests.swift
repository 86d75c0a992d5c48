import Foundation
import Testing

@testable import Bus
@testable import EventBus

/// What a change of rights does to those whose rights stay as they are, over real sockets.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct RightsChangeTests {
    @Test func `whoever comes back to a feed that was opened anew has subscribed once`() async throws {
        let harness = try await SecureHarness(["kim": "sub=feed", "eve": "sub=feed"])
        // More than half of what the bus keeps.
        let prefixes = (0..<3000).map { "e/\(String(repeating: "x", count: 190))\($0)" }
        let context = try SocketContext()
        let options = SocketOption.sub(harness.address) + SocketOption.client(try harness.credentials("kim"))
        let ear = try Socket(.sub, in: context, options: options, subscriptions: prefixes + ["h/event-bus"])
        try ear.connect(to: harness.address.feed)
        let eve = try RawClient(harness.credentials("eve"))
        let revoked = try eve.dial(.sub, harness.address.feed, subscriptions: ["h/event-bus"])
        try harness.wait { !ear.heard().isEmpty }
        try harness.wait { !revoked.heard().isEmpty }
        try harness.authorize(["kim": "sub=feed"])
        // She is refused by the new feed, of which everybody else hears from here on.
        try harness.wait { harness.drops["handshake", default: 0] > 0 }
        _ = ear.heard(.milliseconds(50))
        var beats = 0
        try harness.wait {
            beats += ear.heard().count
            return beats >= 3 || harness.drops["subscribe", default: 0] > 0
        }
        #expect(harness.drops["subscribe", default: 0] == 0)
        await harness.bus.stop()
    }
}
