import Foundation
import GRDB
import Messages
import ServiceKit
import Store
import Testing

@testable import TriggerService

private let project = """
    martlet: 1
    project: demo
    pipelines:
      ci:
        on: { push: { branches: [main] } }
        jobs: { a: { steps: [ { id: s, run: "true" } ] } }
    """

struct WebhookEdgeTests {
    @Test func `what is of no repository is stored with a verdict, and answered as the forge expects`() async throws {
        try await Forgery.open(
            project: project,
            secrets: ["WEBHOOK_GITHUB": "s3cret", "WEBHOOK_GITLAB": "lab", "WEBHOOK_AZURE_DEVOPS": "az"]
        ) { forgery in
            let member: JSONValue = ["action": "member_added", "organization": ["login": "acme"]]
            let answers = [
                try await forgery.github("organization", member, id: "d1"),
                try await forgery.github("organization", member, id: "d1"),
                try await forgery.post(
                    "/gitlab", Wire.encode(["event_name": "user_create", "name": "Ann"] as JSONValue),
                    ["X-Gitlab-Event": "System Hook", "X-Gitlab-Token": "lab", "Idempotency-Key": "l1"]),
                try await forgery.post(
                    "/azure-devops", Wire.encode(["id": "a1", "eventType": "workitem.created"] as JSONValue),
                    ["X-Martlet-Token": "az"]),
            ]
            #expect(answers.map(\.status) == [202, 202, 202, 202])
            #expect(answers.map { $0.json["repeated"] } == [false, true, false, false])
            for (delivery, kind) in [
                ("d1", "webhook.github.organization.member_added"), ("l1", "webhook.gitlab.user_create"),
                ("a1", "webhook.azure-devops.workitem.created"),
            ] {
                let verdicts = try await forgery.verdicts(of: delivery)
                #expect(verdicts.map(\.code) == ["not_a_cause"] && verdicts.map(\.causeType) == [kind])
                #expect(verdicts.map(\.project) == ["demo"])
            }
            // A push is always of a repository, and a payload of GitHub's says in a header what it is.
            #expect(try await forgery.github("push", member, id: "d2").status == 400)
            let body = try Wire.encode(member)
            let signature = "sha256=" + Forgery.signature(body, "s3cret")
            #expect(try await forgery.post("/github", body, ["X-Hub-Signature-256": signature]).status == 400)
        }
    }

    @Test func `whoever proves nothing makes nothing be written, whatever path and kind it takes`() async throws {
        try await Forgery.open(project: project) { forgery in
            func stored() async throws -> [Int?] {
                try await forgery.installation.store.read { db in
                    try ["delivery", "cause", "verdict", "outbox"].map {
                        try Int.fetchOne(db, sql: "SELECT count(*) FROM \($0)")
                    }
                }
            }
            let before = try await stored()
            for path in ["/bitbucket", "/bitbucket/demo", "/\(String(repeating: "x", count: 300))", "/github/a/b"] {
                #expect(try await forgery.github("push", [:], id: "d", path: path).status == 404)
            }
            for kind in ["star", "never-heard-of"] {
                #expect(try await forgery.github(kind, [:], id: "d", secret: "other").status == 401)
            }
            #expect(try await stored() == before)
            #expect(await forgery.counted("unknown_forge", of: "other") == 3)
        }
    }
}
