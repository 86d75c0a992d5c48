import Bus
import Foundation
import Messages
import Store
import Testing

@testable import TriggerService

struct PublicationTests {
    private let installation: Installation

    init() throws { installation = try Installation() }

    private func publish(_ id: String, _ kind: String = "a") async throws -> BusReply {
        let event: JSONValue = [
            "specversion": "1.0", "id": .string(id), "source": "/acme", "type": "com.acme.data.arrived",
            "data": ["kind": .string(kind)],
        ]
        let request = BusRequest(
            method: "publish", user: "acme", params: [:], body: [try Wire.encode(event)], deadline: .seconds(5))
        return try #require(await installation.requests["publish"]?(request))
    }

    private func forget() async throws {
        try await installation.store.write { try $0.forgetOldPublications() }
    }

    @Test func `an id counts as long as the log keeps its event, and no longer`() async throws {
        let first = try await publish("1")
        try await forget()
        #expect(try await publish("1") == first)
        #expect(try await publish("1", "b").status == 409)
        _ = try await publish("2")
        installation.advance(.seconds(8 * 86_400))
        let rule = Retention(events: 1)
        while try await installation.store.prune(.ingest, by: rule) {}
        try await forget()
        let again = try await publish("1", "b")
        #expect(again.status == 200 && again.params["seq"] == 3)
        #expect(try await publish("2", "b").status == 409)
    }
}
