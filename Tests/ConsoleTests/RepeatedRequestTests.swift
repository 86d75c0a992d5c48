import GRDB
import Messages
import Store
import Testing

@testable import Console

/// A request whose answer was lost is sent again with its key: what it names may be something else by then.
struct RepeatedRequestTests {
    private let key = [(name: "Idempotency-Key", value: "once")]

    @Test(arguments: ["latest", "production"])
    func `a transition said again is the first command, whoever is there by now`(word: String) async throws {
        try await Desk.open { desk async throws in
            try await desk.chronicle.pushToProduction()
            let token = try await desk.newToken("approver")
            func move(_ version: String) async throws -> (status: Int, json: JSONValue) {
                try await desk.ask(
                    "POST", "/api/v1/models/churn/\(version)/transition", ["to": "surpassed"], token: token,
                    headers: key)
            }
            let first = try await move(word)
            #expect(first.status == 202 && first.json["repeated"] == false)
            func isRepeated() async throws -> Bool {
                let again = try await move(word)
                return again.status == 202 && again.json["repeated"] == true
                    && again.json["command"] == first.json["command"]
            }
            #expect(try await isRepeated())
            try await desk.chronicle.say(
                ModelStageChanged(
                    model: "churn", version: 2, from: "production", to: "surpassed", replaced: [], reason: "asked"),
                id: "left", key: "churn")
            #expect(try await isRepeated(), "nobody is in production")
            try await desk.chronicle.say(
                ModelRegistered(
                    model: "churn", version: 3, run: "run-2", artifact: artifact, metrics: [:], params: [:], tags: [:],
                    git: git),
                id: "third", key: "churn")
            try await desk.chronicle.say(
                ModelStageChanged(
                    model: "churn", version: 3, from: nil, to: "production", replaced: [], reason: "asked"),
                id: "came", key: "churn")
            #expect(try await isRepeated(), "version 3 is the newest, and in production")
            let other = try await move("2")
            #expect(other.status == 409 && other.json["error"]?.string?.contains("another request") == true)
            #expect(try await desk.chronicle.list("SELECT id FROM commands").count == 1)
        }
    }

    @Test func `what has ended by a request is no reason against it when it is said again`() async throws {
        try await Desk.open { desk async throws in
            try await desk.chronicle.say(
                ApprovalRequested(
                    approval: "a-9", run: "run-9", job: "deploy", project: "churn", pipeline: "train",
                    environment: "production", required: 1, from: [], requester: "user:x", requesterMayApprove: false,
                    expires: desk.chronicle.now), id: "asked", key: "run-9")
            let answer: JSONValue = ["approve": true]
            let first = try await desk.ask("POST", "/api/v1/approvals/a-9", answer, headers: key)
            try await desk.chronicle.say(
                ApprovalFinished(
                    approval: "a-9", run: "run-9", job: "deploy", environment: "production", result: .granted,
                    by: "user:admin", comment: nil, version: nil), id: "granted", key: "run-9")
            let again = try await desk.ask("POST", "/api/v1/approvals/a-9", answer, headers: key)
            #expect(again.status == 202 && again.json["command"] == first.json["command"])
            #expect(try await desk.ask("POST", "/api/v1/approvals/a-9", answer).status == 409)
        }
    }

    @Test func `a command that an older version took down is known by what it came to`() async throws {
        try await Desk.open { desk async throws in
            let add: JSONValue = ["repository": "churn", "url": "/srv/churn"]
            let first = try await desk.ask("POST", "/api/v1/repositories", add, headers: key)
            try await desk.chronicle.store.write { try $0.db.execute(sql: "UPDATE commands SET written = NULL") }
            let again = try await desk.ask("POST", "/api/v1/repositories", add, headers: key)
            #expect(again.json["repeated"] == true && again.json["command"] == first.json["command"])
            let other: JSONValue = ["repository": "churn", "url": "/srv/elsewhere"]
            #expect(try await desk.ask("POST", "/api/v1/repositories", other, headers: key).status == 409)
        }
    }
}
