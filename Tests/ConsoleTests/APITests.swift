import Artifacts
import Foundation
import Messages
import ServiceKit
import Store
import Testing

@testable import Console

struct APITests {
    @Test func `without a valid token nothing is answered`() async throws {
        try await Desk.open { desk in
            for token in ["", "mlt_0011223344556677_00", desk.token + "0", String(desk.token.dropLast()) + "x"] {
                let answer = try await desk.ask("GET", "/api/v1/runs", token: token)
                #expect(answer.status == 401)
                #expect(answer.json["hint"]?.string?.contains("Bearer") == true)
            }
            #expect(try await desk.ask("GET", "/api/v1/runs").status == 200)
        }
    }

    @Test(arguments: [
        ("viewer", [200, 403, 403, 403]), ("operator", [200, 202, 403, 403]), ("approver", [200, 202, 202, 403]),
        ("admin", [200, 202, 202, 200]),
    ])
    func `a role opens its own doors and no others`(role: String, expected: [Int]) async throws {
        try await Desk.open { desk in
            try await desk.chronicle.pushToProduction()
            let token = try await desk.newToken(role)
            let add: JSONValue = ["repository": "other", "url": "/srv/other"]
            let found = [
                try await desk.ask("GET", "/api/v1/runs", token: token).status,
                try await desk.ask("POST", "/api/v1/repositories", add, token: token).status,
                try await desk.ask(
                    "POST", "/api/v1/models/churn/2/transition", ["to": "archived"], token: token
                ).status,
                try await desk.ask("GET", "/api/v1/tokens", token: token).status,
            ]
            #expect(found == expected)
        }
    }

    @Test(arguments: [("operator", 403), ("approver", 202)])
    func `S0-19 taking an endpoint back moves stages, so it takes who may move them`(
        role: String, expected: Int
    ) async throws {
        try await Desk.open { desk in
            try await desk.chronicle.pushToProduction()
            let token = try await desk.newToken(role)
            let answer = try await desk.ask("POST", "/api/v1/endpoints/api/rollback", [:], token: token)
            #expect(answer.status == expected)
        }
    }

    @Test func `a revoked token opens nothing`() async throws {
        try await Desk.open { desk in
            let token = try await desk.newToken("viewer")
            #expect(try await desk.ask("GET", "/api/v1/whoami", token: token).json["groups"] == ["leads"])
            let id = TokenText(token)?.id ?? ""
            #expect(try await desk.ask("DELETE", "/api/v1/tokens/\(id)").status == 200)
            #expect(try await desk.ask("GET", "/api/v1/whoami", token: token).status == 401)
            let again = try await desk.ask("DELETE", "/api/v1/tokens/\(id)")
            #expect(again.status == 200 && again.json == ["revoked": .string(id), "repeated": true])
            #expect(try await desk.ask("DELETE", "/api/v1/tokens/0011223344556677").status == 404)
            let listed = try await desk.get("/tokens")
            #expect(!"\(listed)".contains(TokenText(token)?.secret ?? "?"))
        }
    }

    @Test func `the admin token is for its owner's eyes, and outlives a lost database`() async throws {
        let chronicle = try Chronicle()
        let path = chronicle.folder + "/admin"
        try await AdminToken.ensure(at: path, in: chronicle.store)
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        let text = try String(contentsOfFile: path, encoding: .utf8)
        let other = try Chronicle()
        try await AdminToken.ensure(at: path, in: other.store)
        #expect(try String(contentsOfFile: path, encoding: .utf8) == text)
        let id = try #require(TokenText(text.trimmingCharacters(in: .whitespacesAndNewlines))).id
        #expect(try await other.store.read { db in try db.token(id) }?.role == "admin")
    }

    @Test func `replicas that start together make one admin token`() async throws {
        let chronicle = try Chronicle()
        let (store, path) = (chronicle.store, chronicle.folder + "/tokens/admin")
        try FileManager.default.createDirectory(
            atPath: chronicle.folder + "/tokens", withIntermediateDirectories: true)
        for _ in 1...20 {
            try? FileManager.default.removeItem(atPath: path)
            let before = try await store.read { db in try db.tokens().count }
            try await withThrowingTaskGroup(of: Void.self) { replicas in
                for _ in 1...4 {
                    replicas.addTask { try await AdminToken.ensure(at: path, in: store) }
                }
                try await replicas.waitForAll()
            }
            #expect(try await store.read { db in try db.tokens().count } == before + 1)
        }
    }

    @Test func `requests under a foreign name or from a foreign page are refused`() async throws {
        try await Desk.open { desk in
            let host = try await desk.ask("GET", "/api/v1/runs", headers: [("Host", "evil.example")])
            #expect(host.status == 403)
            let origin = try await desk.ask("GET", "/api/v1/runs", headers: [("Origin", "http://evil.example")])
            #expect(origin.status == 403)
        }
    }

    @Test func `bad input is told with its place and a way out`() async throws {
        try await Desk.open { desk in
            for (path, body) in [
                ("/runs", ["project": 7]), ("/runs", [:]), ("/repositories", ["repository": "../x", "url": "/a"]),
                ("/repositories", ["repository": "x", "url": "https://kim:secret@host/x.git"]),
                ("/repositories", ["repository": "x", "url": "--upload-pack=evil"]), ("/tokens", ["role": "king"]),
            ] as [(String, JSONValue)] {
                let answer = try await desk.ask("POST", "/api/v1" + path, body)
                #expect(answer.status == 400, "\(path) \(body)")
                #expect(answer.json["error"]?.string != nil && answer.json["hint"]?.string != nil)
            }
            #expect(try await desk.ask("GET", "/api/v1/runs?limit=0").status == 400)
            #expect(try await desk.ask("GET", "/api/v1/runs?limit=501").status == 400)
            #expect(try await desk.ask("GET", "/api/v1/nothing").status == 404)
            #expect(try await desk.ask("POST", "/api/v1/runs", .array([])).status == 400)
        }
    }

    @Test func `an unknown pipeline is refused with the nearest name`() async throws {
        try await Desk.open { desk in
            try await desk.chronicle.say(
                ProjectLoaded(
                    project: "churn", repository: "churn", sha: "a", digest: "d", pipelines: ["train", "deploy"],
                    models: [], notifications: [], targets: [:]), id: "p")
            let project = try await desk.ask("POST", "/api/v1/runs", ["project": "chrun", "pipeline": "train"])
            #expect(project.status == 404)
            #expect(project.json["hint"] == "did you mean 'churn'?")
            let pipeline = try await desk.ask("POST", "/api/v1/runs", ["project": "churn", "pipeline": "trian"])
            #expect(pipeline.json == ["error": "churn has no pipeline 'trian'", "hint": "did you mean 'train'?"])
        }
    }

    @Test func `a command is an event once it is accepted, and its answer is found`() async throws {
        try await Desk.open { desk in
            let answer = try await desk.ask(
                "POST", "/api/v1/repositories", ["repository": "churn", "url": "/srv/churn", "pollSeconds": 2])
            #expect(answer.status == 202)
            let id = answer.json["command"]?.string ?? ""
            #expect(try await desk.get("/commands/\(id)")["state"] == "waiting")
            let event = try await desk.get("/events/\(id)")["event"]
            #expect(event?["type"] == .string(RepositoryAddRequested.eventType))
            #expect(event?["actor"] == "user:admin")
            #expect(event?["correlationid"] == .string(id))
            try await desk.chronicle.say(
                CommandAnswered(command: id, accepted: false, reason: "there is one of that name"), id: "answer")
            let command = try await desk.get("/commands/\(id)")
            #expect(command["state"] == "refused")
            #expect(command["reason"] == "there is one of that name")
        }
    }

    @Test func `the same idempotency key is the same command`() async throws {
        try await Desk.open { desk in
            let add: JSONValue = ["repository": "churn", "url": "/srv/churn"]
            let key = [(name: "Idempotency-Key", value: "once")]
            let first = try await desk.ask("POST", "/api/v1/repositories", add, headers: key)
            let second = try await desk.ask("POST", "/api/v1/repositories", add, headers: key)
            #expect(first.json["command"] == second.json["command"])
            #expect(second.json["repeated"] == true)
            let other: JSONValue = ["repository": "churn", "url": "/srv/elsewhere"]
            #expect(try await desk.ask("POST", "/api/v1/repositories", other, headers: key).status == 409)
            #expect(try await desk.get("/events?type=command.*")["items"]?.array?.count == 1)
        }
    }

    @Test func `an approval is answered by its id or by its run, with the groups of the person`() async throws {
        try await Desk.open { desk in
            try await desk.chronicle.say(
                RunQueued(
                    run: "run-9", number: 9, project: "churn", pipeline: "train", cause: "x", reason: "y", jobs: [],
                    parameters: [:]), id: "q", key: "run-9")
            try await desk.chronicle.say(
                ApprovalRequested(
                    approval: "a-9", run: "run-9", job: "deploy", project: "churn", pipeline: "train",
                    environment: "production", required: 1, from: [], requester: "user:x", requesterMayApprove: false,
                    expires: desk.chronicle.now), id: "r", key: "run-9")
            #expect(try await desk.get("/approvals")["items"]?[0]?["requesterMayApprove"] == false)
            let token = try await desk.newToken("approver")
            let answer = try await desk.ask(
                "POST", "/api/v1/approvals/9", ["approve": true, "comment": "ok"], token: token)
            #expect(answer.status == 202)
            let event = try await desk.get("/events/\(answer.json["command"]?.string ?? "")")["event"]
            #expect(event?["data"] == ["approval": "a-9", "approve": true, "comment": "ok", "groups": ["leads"]])
            #expect(event?["actor"] == "user:kim")
        }
    }

    @Test func `P8 why-not prints the stored verdict`() async throws {
        try await Desk.open { desk in
            try await desk.chronicle.pushToProduction()
            try await desk.chronicle.say(
                TriggerIgnored(
                    cause: "push", causeType: ChangePushed.eventType, project: "churn", pipeline: "nightly",
                    code: "branch_filter", reason: "main is not in release/*"), id: "ignored")
            let found = try await desk.get("/why-not?pipeline=nightly&event=push")["items"]?[0]
            #expect(found?["code"] == "branch_filter")
            #expect(found?["reason"] == "main is not in release/*")
            #expect(try await desk.ask("GET", "/api/v1/why-not?pipeline=nightly&event=nope").status == 404)
        }
    }

    @Test func `what is too long for an event is refused before it is accepted`() async throws {
        try await Desk.open { desk in
            try await desk.chronicle.say(
                ProjectLoaded(
                    project: "churn", repository: "churn", sha: "a", digest: "d", pipelines: ["train"],
                    models: [], notifications: [], targets: [:]), id: "p")
            let long: JSONValue = .string(String(repeating: "x", count: 17_000))
            let answer = try await desk.ask(
                "POST", "/api/v1/runs", ["project": "churn", "pipeline": "train", "parameters": ["a": long]])
            #expect(answer.status == 413)
            #expect(answer.json["hint"]?.string != nil)
        }
    }

    @Test func `unknown paths, states and token names are told in JSON`() async throws {
        try await Desk.open { desk in
            for path in ["/", "/nothing", "/api/nothing", "/a/b", "/api/v1/nothing"] {
                let answer = try await desk.ask("GET", path)
                #expect(answer.status == 404)
                #expect(answer.json["error"]?.string != nil, "\(path)")
            }
            #expect(try await desk.ask("GET", "/api/v1/runs?state=zzz").status == 400)
            #expect(try await desk.ask("GET", "/api/v1/runs?state=not_promoted").status == 200)
            for name in ["", "a\u{1b}b"] {
                let body: JSONValue = ["role": "viewer", "name": .string(name)]
                #expect(try await desk.ask("POST", "/api/v1/tokens", body).status == 400)
            }
        }
    }

    @Test func `the status says which Martlet answers`() async throws {
        try await Desk.open { desk in
            let status = try await desk.get("/status")
            #expect(status["version"] == .string(MartletVersion.number))
        }
    }

    @Test func `listings have pages`() async throws {
        try await Desk.open { desk in
            for number in 1...5 {
                try await desk.chronicle.say(
                    RunQueued(
                        run: "run-\(number)", number: number, project: "churn", pipeline: "train", cause: "x",
                        reason: "y", jobs: [], parameters: [:]), id: "q-\(number)", key: "run-\(number)")
            }
            let first = try await desk.get("/runs?limit=2")
            #expect(first["items"]?.array?.compactMap { $0["number"]?.int } == [5, 4])
            let second = try await desk.get("/runs?limit=2&after=\(first["next"]?.string ?? "")")
            #expect(second["items"]?.array?.compactMap { $0["number"]?.int } == [3, 2])
            let third = try await desk.get("/runs?limit=2&after=\(second["next"]?.string ?? "")")
            #expect(third["items"]?.array?.count == 1)
            #expect(third["next"] == .null)
            let events = try await desk.get("/events?limit=2")
            let more = try await desk.get("/events?limit=50&after=\(events["next"]?.string ?? "")")
            #expect(more["items"]?.array?.count == 3)
        }
    }

    @Test func `a follower of events waits for the next one`() async throws {
        try await Desk.open { desk in
            let caller = desk.caller
            async let waiting = caller.get("/events?wait=20&type=repository.*")
            try await desk.chronicle.say(RepositoryRecovered(repository: "churn"), id: "e")
            #expect(try await waiting["items"]?[0]?["name"] == "repository.recovered")
        }
    }

    @Test func `a step's log is read live and after its end`() async throws {
        try await Desk.open { desk in
            try await desk.chronicle.pushToProduction()
            let log = try desk.artifacts.liveLog("run-1/train/fit/1")
            try await log.append(Data("epoch 1\n".utf8))
            let path = "/runs/1/logs/train/fit"
            let first = try await desk.get(path)
            #expect(first == ["text": "epoch 1\n", "next": 8, "ended": false])
            try await log.append(Data("epoch 2\n".utf8))
            #expect(try await desk.get(path + "?offset=8")["text"] == "epoch 2\n")
            _ = try await log.seal()
            #expect(try await desk.get(path + "?offset=16")["ended"] == true)
            let steps = try await desk.get("/runs/1/logs")["steps"]
            #expect(steps?[0]?["step"] == "fit")
        }
    }

    @Test(arguments: [("retry", "retried", true), ("drop", "dropped", false)])
    func `a dead letter is listed, shown with its event, and retried or dropped once`(
        word: String, result: String, isRetry: Bool
    ) async throws {
        try await Desk.open { desk in
            try await desk.chronicle.pushToProduction()
            try await desk.chronicle.say(
                DeadLetterCreated(
                    letter: "l-1", service: "deployer", source: "registry-service", epoch: 1, seq: 2, event: "moved",
                    type: ModelStageChanged.eventType, key: "churn", reason: "no target", attempts: 5), id: "dead")
            #expect(try await desk.get("/dead-letters")["items"]?[0]?["type"] == "model.stage_changed")
            #expect(try await desk.get("/dead-letters/l-1")["content"]?["event"]?["id"] == "moved")
            let asked = try await desk.ask("POST", "/api/v1/dead-letters/l-1/\(word)")
            #expect(asked.status == 202)
            let id = asked.json["command"]?.string ?? ""
            let command = try #require(try await desk.chronicle.store.read { db in try EventQueries.event(id, db) })
            let wish = try #require(try command.body(DeadLetterAnswered.self))
            #expect(wish.letter == "l-1" && wish.service == "deployer" && wish.retry == isRetry)
            try await desk.chronicle.say(
                DeadLetterClosed(letter: "l-1", service: "deployer", result: result, by: "user:admin"), id: "closed",
                because: command)
            #expect(try await desk.get("/commands/\(id)")["state"] == "accepted")
            #expect(try await desk.get("/dead-letters")["items"] == [])
            #expect(try await desk.get("/dead-letters?state=\(result)")["items"]?[0]?["id"] == "l-1")
            #expect(try await desk.ask("POST", "/api/v1/dead-letters/l-1/drop").status == 409)
        }
    }

    @Test func `an event of an outsider is published by operators, in their name`() async throws {
        try await Desk.open { desk in
            let event: JSONValue = ["id": "1", "source": "/acme", "type": "com.acme.arrived", "data": ["rows": 7]]
            let viewer = try await desk.newToken("viewer")
            #expect(try await desk.ask("POST", "/api/v1/events", event, token: viewer).status == 403)
            let taken = try await desk.ask("POST", "/api/v1/events", event, token: try await desk.newToken("operator"))
            #expect(taken.status == 200 && taken.json["source"] == "ingest" && taken.json["seq"] == 1)
            #expect(desk.published.all.map { $0.actor } == ["user:kim"])
            #expect(desk.published.all.map { $0.event } == [event])
            let refused = try await desk.ask("POST", "/api/v1/events", ["source": "/acme"])
            #expect(refused.status == 400 && refused.json["error"]?.string?.contains("'id'") == true)
        }
    }

    @Test func `a person's address goes along with what they answer and ask for`() async throws {
        try await Desk.open { desk in
            try await desk.chronicle.pushToProduction()
            try await desk.chronicle.say(
                ProjectLoaded(
                    project: "churn", repository: "churn", sha: git.sha, digest: "d", pipelines: ["train"], models: [],
                    notifications: [], targets: [:]),
                id: "loaded")
            let token = try await desk.newToken("approver", email: "Kim@example.org")
            #expect(try await desk.ask("GET", "/api/v1/whoami", token: token).json["email"] == "Kim@example.org")
            let run: JSONValue = ["project": "churn", "pipeline": "train"]
            let asked = try await desk.ask("POST", "/api/v1/runs", run, token: token)
            #expect(asked.status == 202)
            let said = try await desk.get("/events/\(asked.json["command"]?.string ?? "")")
            let isTold = "\(said)".contains("Kim@example.org")
            #expect(isTold)
            for wrong in ["kim", "@", "kim@", "@x", "a@b@c", "kim @x"] {
                let body: JSONValue = ["role": "viewer", "email": .string(wrong)]
                #expect(try await desk.ask("POST", "/api/v1/tokens", body).status == 400)
            }
        }
    }

    @Test func `whatever is too long is refused by its name`() async throws {
        try await Desk.open { desk in
            try await desk.chronicle.pushToProduction()
            let long = JSONValue.string(String(repeating: "x", count: 5000))
            for (path, body, name) in [
                ("/endpoints/api/rollback", ["reason": long], "reason"),
                ("/models/churn/2/transition", ["to": "archived", "reason": long], "reason"),
                ("/repositories", ["repository": "r", "url": "/a", "branches": [long]], "branches"),
                ("/tokens", ["role": "viewer", "name": long], "name"),
                ("/tokens", ["role": "viewer", "email": long], "email"),
                ("/tokens", ["role": "viewer", "groups": [long]], "groups"),
            ] as [(String, JSONValue, String)] {
                let answer = try await desk.ask("POST", "/api/v1" + path, body)
                #expect(answer.status == 413, "\(path): \(answer)")
                #expect(answer.json["error"]?.string?.contains("'\(name)'") == true)
            }
            let far = try await desk.ask("GET", "/api/v1/runs?branch=" + String(repeating: "x", count: 9000))
            #expect(far.status == 414)
        }
    }
}
