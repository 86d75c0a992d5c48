import Foundation
import Messages
import ServiceKit
import Testing

@testable import Console

struct RunStandingTests {
    private func queue(
        _ desk: Desk, _ number: Int, attempt: Int = 1, reason: String = "push", ahead: [String] = []
    ) async throws {
        try await desk.chronicle.say(
            RunQueued(
                run: "run-\(number)", number: number, project: "churn", pipeline: "train", cause: "c", reason: reason,
                jobs: plan, parameters: [:], attempt: attempt,
                concurrency: RunConcurrency(group: "churn/g", max: 1, ahead: ahead)),
            id: "queued-\(number)-\(attempt)")
    }

    private func begin(_ desk: Desk, _ number: Int, attempt: Int = 1) async throws {
        try await desk.chronicle.say(
            RunStarted(run: "run-\(number)", number: number, project: "churn", pipeline: "train"),
            id: "started-\(number)-\(attempt)")
    }

    private func end(_ desk: Desk, _ number: Int, _ outcome: Outcome, attempt: Int = 1) async throws {
        try await desk.chronicle.say(
            RunFinished(
                run: "run-\(number)", number: number, project: "churn", pipeline: "train", outcome: outcome,
                message: "so", failedStep: "train/fit", seconds: 3, outputs: [:]), id: "ended-\(number)-\(attempt)")
    }

    @Test func `a queued run of a group says what it waits for, as long as it does`() async throws {
        try await Desk.open { desk in
            for number in 1...3 { try await queue(desk, number) }
            try await begin(desk, 1)
            #expect(try await desk.get("/runs/run-3")["waitsFor"]?.array?.map { $0["number"] } == [1, 2])
            #expect(try await desk.get("/runs/run-1")["waitsFor"] == [])
            try await end(desk, 1, .succeeded)
            try await begin(desk, 2)
            #expect(try await desk.get("/runs/run-3")["waitsFor"]?.array?.map { $0["state"] } == ["running"])
        }
    }

    @Test func `a run is canceling until it is over, and can be listed by that`() async throws {
        try await Desk.open { desk in
            try await queue(desk, 1)
            try await begin(desk, 1)
            try await desk.chronicle.say(
                RunCancelBegun(
                    run: "run-1", number: 1, project: "churn", pipeline: "train", reason: "canceled by user:kim",
                    waitsFor: ["train/fit"]), id: "cancel")
            #expect(try await desk.get("/runs/run-1")["canceling"] == "canceled by user:kim")
            #expect(try await desk.get("/runs?state=canceling")["items"]?.array?.count == 1)
            try await end(desk, 1, .canceled)
            #expect(try await desk.get("/runs/run-1")["canceling"] == .null)
            #expect(try await desk.get("/runs?state=canceling")["items"] == [])
        }
    }

    @Test func `attempts of a run and tries of a step are kept beside the newest`() async throws {
        try await Desk.open { desk in
            for attempt in 1...2 {
                try await queue(desk, 1, attempt: attempt, reason: attempt == 1 ? "push" : "run again by user:kim")
                try await begin(desk, 1, attempt: attempt)
                try await desk.chronicle.say(
                    StepFinished(
                        run: "run-1", job: "train", step: "fit", attempt: attempt, verb: "run",
                        outcome: attempt == 1 ? .failed : .succeeded, message: "try \(attempt)", outputs: [:]),
                    id: "step-\(attempt)")
                try await end(desk, 1, attempt == 1 ? .failed : .succeeded, attempt: attempt)
            }
            let run = try await desk.get("/runs/run-1")
            #expect(run["attempt"] == 2 && run["outcome"] == "succeeded")
            #expect(run["attempts"]?.array?.map { $0["outcome"] } == ["failed", "succeeded"])
            #expect(run["attempts"]?[1]?["reason"] == "run again by user:kim")
            let tries = run["jobs"]?[0]?["steps"]?[0]?["attempts"]?.array
            #expect(tries?.map { $0["message"] } == ["try 1", "try 2"])
        }
    }
}

struct RevocationTests {
    private func asked(_ desk: Desk, required: Int = 1) async throws {
        try await desk.chronicle.say(
            ApprovalRequested(
                approval: "a-1", run: "run-1", job: "deploy", project: "churn", pipeline: "train",
                environment: "prod", required: required, from: [], requester: "user:x", requesterMayApprove: false,
                model: "churn", version: "4", decision: "sha256:d", expires: desk.chronicle.now), id: "asked")
    }

    private func revoked(given: Int, stillWaits: Bool, rollback: [String] = []) -> ApprovalRevoked {
        ApprovalRevoked(
            approval: "a-1", run: "run-1", job: "deploy", environment: "prod", by: "user:kim", comment: "leak",
            given: given, required: 2, stillWaits: stillWaits, tooLate: !rollback.isEmpty, rollback: rollback)
    }

    @Test func `A8 an answer about another version or decision is refused at once`() async throws {
        try await Desk.open { desk in
            try await asked(desk)
            for wrong in [["version": "5"], ["decision": "sha256:e"]] as [[String: JSONValue]] {
                let body = JSONValue.object(wrong.merging(["approve": true]) { $1 })
                let answer = try await desk.ask("POST", "/api/v1/approvals/a-1", body)
                #expect(answer.status == 409 && answer.json["error"]?.string?.contains("about another") == true)
            }
            let right = try await desk.ask(
                "POST", "/api/v1/approvals/a-1", ["approve": true, "version": "4", "decision": "sha256:d"])
            #expect(right.status == 202)
            let event = try await desk.get("/events/\(right.json["command"]?.string ?? "")")["event"]
            #expect(event?["data"]?["version"] == "4" && event?["data"]?["decision"] == "sha256:d")
        }
    }

    @Test func `C-12 only an approver takes back, and only what is there to take back`() async throws {
        try await Desk.open { desk in
            try await asked(desk)
            let path = "/api/v1/approvals/a-1/revoke"
            let viewer = try await desk.newToken("operator")
            #expect(try await desk.ask("POST", path, [:], token: viewer).status == 403)
            let answer = try await desk.ask("POST", path, ["comment": "leak"])
            #expect(answer.status == 202)
            let event = try await desk.get("/events/\(answer.json["command"]?.string ?? "")")["event"]
            #expect(event?["type"]?.string == ApprovalRevokeRequested.eventType)
            #expect(try await desk.ask("POST", "/api/v1/approvals/none/revoke", [:]).status == 404)
            try await desk.chronicle.say(
                ApprovalFinished(approval: "a-1", run: "run-1", job: "deploy", environment: "prod", result: .rejected),
                id: "rejected")
            #expect(try await desk.ask("POST", path, [:]).status == 409)
        }
    }

    @Test func `one agreement withdrawn leaves the others; a revoked approval says how to go back`() async throws {
        try await Desk.open { desk in
            try await asked(desk, required: 2)
            for (number, name) in ["user:kim", "user:lee"].enumerated() {
                try await desk.chronicle.say(
                    ApprovalGiven(approval: "a-1", run: "run-1", by: name, given: number + 1, required: 3),
                    id: "given-\(number)")
            }
            try await desk.chronicle.say(revoked(given: 1, stillWaits: true), id: "withdrawn")
            let waiting = try await desk.get("/approvals/a-1")
            #expect(waiting["state"] == "waiting" && waiting["given"] == 1)
            #expect(waiting["answers"]?.array?.map { $0["by"] } == ["user:lee"])
            try await desk.chronicle.say(revoked(given: 2, stillWaits: false, rollback: ["api"]), id: "revoked")
            let over = try await desk.get("/approvals/a-1")
            #expect(over["state"] == "revoked" && over["rollback"] == ["api"] && over["by"] == "user:kim")
        }
    }
}
