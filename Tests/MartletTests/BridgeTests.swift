import ArgumentParser
import EventLog
import Foundation
import Messages
import Testing

@testable import Martlet

struct BridgeTests {
    struct Vector: Decodable {
        var name: String
        var secret: String
        var id: String
        var timestamp: String
        var body: String
        var signature: String

        enum CodingKeys: String, CodingKey {
            case name, secret, body
            case id = "webhook-id"
            case timestamp = "webhook-timestamp"
            case signature = "webhook-signature"
        }
    }

    @Test func `signatures are those of Standard Webhooks`() throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let file = folder.appendingPathComponent("Fixtures/standard-webhooks/test-vectors.json")
        let vectors = try JSONDecoder().decode([Vector].self, from: Data(contentsOf: file))
        #expect(vectors.count == 2)
        for vector in vectors {
            let webhook = try StandardWebhook(secret: vector.secret)
            let headers = webhook.headers(
                id: vector.id, at: try #require(Int64(vector.timestamp)), body: Data(vector.body.utf8))
            #expect(headers.map(\.name) == ["webhook-id", "webhook-timestamp", "webhook-signature"])
            #expect(headers.map(\.value) == [vector.id, vector.timestamp, vector.signature], "\(vector.name)")
        }
    }

    @Test(arguments: ["", "whsec_", "whsec_short", "not base64 at all, but long enough to be one", "whsec_AAAA"])
    func `a secret that is none is refused, and not shown`(secret: String) {
        let problem = #expect(throws: StandardWebhook.Problem.self) { try StandardWebhook(secret: secret) }
        if secret.count > 8 { #expect(problem?.description.contains(secret) == false) }
    }

    @Test func `how far it came is read as it was written, and nonsense is refused with its path`() throws {
        let path = NSTemporaryDirectory() + "bridge-\(UUID().uuidString).json"
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(try BridgeState.read(path) == nil)
        let chain = Chain.start(of: .console, epoch: 7, parent: nil)
        let state = BridgeState(cursors: ["console": LogCursor(epoch: 7, seq: 3, chain: chain)])
        try state.write(path)
        #expect(try BridgeState.read(path) == state)
        try "{".write(toFile: path, atomically: true, encoding: .utf8)
        let failure = #expect(throws: Failure.self) { try BridgeState.read(path) }
        #expect(failure?.description.contains(path) == true)
    }

    @Test func `waits grow, are never the same for all, and stay below a minute and a bit`() {
        for failures in 1...20 {
            let pause = BridgeFollower.pause(after: failures)
            #expect(pause >= .milliseconds(800) && pause <= .seconds(72))
        }
        #expect(BridgeFollower.pause(after: 9) >= .seconds(48))
    }

    @Test func `what it tells is a line for people, or JSON for programs`() {
        let refused = BridgeProgress.refused(id: "console/1/2", reason: "it answered 503", retrySeconds: 4)
        #expect(refused.text == "console/1/2 is not accepted, trying again in 4 s: it answered 503")
        #expect(
            refused.json
                == ["progress": "refused", "id": "console/1/2", "reason": "it answered 503", "retrySeconds": 4])
        #expect(BridgeProgress.accepted(id: "console/1/2").text == nil)
        #expect(BridgeProgress.accepted(id: "console/1/2").json == ["progress": "accepted", "id": "console/1/2"])
        #expect(BridgeProgress.begins(state: "/b.json").json == ["progress": "begins", "state": "/b.json"])
        #expect(BridgeProgress.goesOn(state: "/b.json").json["progress"] == "goes on")
    }

    private func event(_ type: String, subject: String, _ data: JSONValue) -> Envelope {
        Envelope(
            id: "1", source: "/martlet/x", type: type, subject: subject, time: Timestamp(milliseconds: 0),
            partitionkey: "k", causation: .first(actor: "user:ada"), data: data)
    }

    private func filter(_ words: String...) throws -> EventFilter { try EventFilter.parse(words) }

    @Test func `streams are filtered by type, model and run, all of which must fit`() throws {
        let registered = event(
            "dev.martlet.model.registered.v1", subject: "model/churn/3", ["model": "churn", "run": "0192aa"])
        let started = event("dev.martlet.run.started.v1", subject: "run/0192bb", ["run": "0192bb"])
        #expect(try filter().passes(registered) && filter().passes(started))
        #expect(try filter("--type", "model.*").passes(registered))
        #expect(try !filter("--type", "model.*").passes(started))
        #expect(try filter("--type", "model.*", "--type", "run.*").passes(started))
        #expect(try filter("--type", "dev.martlet.run.started.v1").passes(started))
        #expect(try filter("--model", "churn").passes(registered) && !filter("--model", "chur").passes(registered))
        #expect(try !filter("--model", "churn").passes(started))
        #expect(try filter("--run", "0192b").passes(started) && !filter("--run", "0192b").passes(registered))
        #expect(try filter("--run", "0192aa", "--model", "churn").passes(registered))
        #expect(try !filter("--run", "0192bb", "--model", "churn").passes(registered))
        #expect(throws: (any Error).self) { try filter("--model", "") }
    }
}
