import Bus
import Foundation
import Messages
import Testing

@testable import TriggerService

struct EventAnswerTests {
    private func waiting() async throws -> (Installation, ApprovalRequested) {
        let installation = try await Installation.watching(
            """
            martlet: 1
            project: demo
            environments: { prod: { approvals: { required: 1, from: [key:acme, user:bob] } } }
            pipelines:
              p:
                on: { push: { branches: [main] } }
                jobs:
                  a: { steps: [ { id: s, run: "1" } ], outputs: { version: "${{ steps.s.version }}" } }
                  b: { needs: a, environment: prod, steps: [ { id: s, run: "1" } ] }
            """)
        let work = try #require(try await installation.claim(try await installation.open()).first)
        #expect(work.approval == nil)
        try await installation.complete(work, StepResult(.succeeded, outputs: ["version": 4]))
        return (installation, try #require(try await installation.published(ApprovalRequested.self).first))
    }

    private func publish(
        _ installation: Installation, _ data: JSONValue, id: String, user: String, actor: String? = nil
    ) async throws -> CommandAnswered {
        let event: JSONValue = [
            "specversion": "1.0", "id": .string(id), "source": "/acme", "type": .string(EventAnswer.type), "data": data,
        ]
        let reply = try await installation.request(
            "publish", ["actor": actor.map(JSONValue.string) ?? .null], body: [try Wire.encode(event)], user: user)
        #expect(reply.status == 200)
        return try await installation.answer(to: id)
    }

    @Test func `A7 a client that the list names answers by an event of its own, once`() async throws {
        let (installation, asked) = try await waiting()
        let data: JSONValue = [
            "approval": .string(asked.approval), "approve": true, "version": 4, "comment": "scanned",
        ]
        let answer = try await publish(installation, data, id: "1", user: "acme")
        #expect(answer.accepted && answer.run == asked.run)
        let finished = try #require(try await installation.published(ApprovalFinished.self).last)
        #expect(finished.result == .granted && finished.by == "key:acme" && finished.comment == "scanned")
        // The same event again is known; another one comes too late.
        #expect(try await publish(installation, data, id: "1", user: "acme").accepted)
        #expect(
            try await publish(installation, data, id: "2", user: "acme").reason == "the approval is granted already")
        #expect(try await installation.published(ApprovalFinished.self).count == 1)
    }

    @Test func `C-3 who works for a job is told of the approval that it was granted`() async throws {
        let (installation, asked) = try await waiting()
        let data: JSONValue = ["approval": .string(asked.approval), "approve": true, "version": 4]
        #expect(try await publish(installation, data, id: "1", user: "acme").accepted)
        let work = try #require(try await installation.claim(try await installation.open()).first)
        #expect(work.job == "b" && work.approval == asked.approval)
    }

    @Test func `nobody else does: other keys, a bus without keys, a person who may only publish`() async throws {
        let (installation, asked) = try await waiting()
        let data: JSONValue = ["approval": .string(asked.approval), "approve": true, "version": "4"]
        for (number, (user, actor)) in [
            ("mallory", nil), ("local", nil), ("local", "service:acme"), ("local", "key:acme"), ("console", "user:bob"),
            ("console", "key:acme"),
        ].enumerated() {
            let answer = try await publish(installation, data, id: "n\(number)", user: user, actor: actor)
            #expect(!answer.accepted, "\(user) \(actor ?? "")")
        }
        #expect(try await installation.published(ApprovalFinished.self).isEmpty)
    }

    @Test(
        arguments: [
            ([:], "data.approval"), (["approval": "x"], "data.approve"),
            (["approval": "x", "approve": true], "no approval"),
            (["approval": "$", "approve": true], "data.version"),
            (["approval": "$", "approve": true, "version": 5], "about version 5"),
        ] as [(JSONValue, String)])
    func `it says what it agrees to, and hears what is wrong`(_ data: JSONValue, _ reason: String) async throws {
        let (installation, asked) = try await waiting()
        var members = data.object ?? [:]
        if members["approval"] == "$" { members["approval"] = .string(asked.approval) }
        let answer = try await publish(installation, .object(members), id: "1", user: "acme")
        #expect(answer.reason?.contains(reason) == true, "\(answer)")
    }
}
