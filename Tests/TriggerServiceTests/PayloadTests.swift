import Crypto
import Foundation
import Messages
import Testing

@testable import TriggerService

/// What forges really send (Tests/Fixtures/webhooks).
enum Recorded {
    static func data(_ file: String) throws -> Data {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        return try Data(contentsOf: tests.appendingPathComponent("Fixtures/webhooks/\(file)"))
    }

    static func json(_ file: String) throws -> JSONValue { try Wire.decode(JSONValue.self, from: try data(file)) }

    static func payload(_ file: String) throws -> Payload { Payload(try json(file)) }

    /// With members of one of its objects changed.
    static func payload(_ file: String, _ object: String, _ members: [String: JSONValue]) throws -> Payload {
        let json = try Self.json(file)
        var part = json[object] ?? [:]
        for (name, value) in members { part = part.replacing(name, value) }
        return Payload(json.replacing(object, part))
    }
}

private let main = "refs/heads/main"

struct PayloadTests {
    @Test(arguments: [
        ("push", "push.branch.json", "refs/heads/master", "fd489864e7642b48eaad6e3f155c10e46810ec72" as String?),
        ("push", "push.branch-with-files.json", "refs/heads/main", "6113728f27ae82c7b1a177c8d03f9e96e0adf246"),
        ("push", "push.tag-created.json", "refs/tags/v1.2.0", "6113728f27ae82c7b1a177c8d03f9e96e0adf246"),
        ("push", "push.branch-deleted.json", "refs/heads/old", nil), ("push", "push.json", "refs/tags/simple-tag", nil),
    ]) func `GitHub: a push names its reference and where it points`(
        event: String, file: String, ref: String, after: String?
    ) throws {
        let reading = try GitHubPayload.read(event, try Recorded.payload("github/\(file)"))
        #expect(reading.changes == [.pushed(ref: ref, after: after)])
        #expect(reading.event == "push" && reading.nothing == nil)
    }

    @Test func `GitHub: pull requests, comments on them, releases`() throws {
        func read(_ event: String, _ file: String) throws -> ForgeReading {
            try GitHubPayload.read(event, try Recorded.payload("github/\(file)"))
        }
        var news = PullRequestNews(
            action: .opened, number: 2, title: "Update the README with new information.", author: "Codertocat",
            source: "changes", target: "master", sha: "ec26c3e57ca3a959ca5aad62de7213c562f8c821", fork: false,
            page: "https://github.com/Codertocat/Hello-World/pull/2")
        let opened = try read("pull_request", "pull_request.opened.json")
        #expect(opened.changes == [.pullRequest(news)] && opened.event == "pull_request.opened")
        #expect(opened.addresses.first == "https://github.com/Codertocat/Hello-World.git")
        news.action = .updated
        #expect(try read("pull_request", "pull_request.synchronize.json").changes == [.pullRequest(news)])
        news.action = .merged
        news.merged = "c4295bd74fb0f4fda03689c3df3f2803b658fd85"
        #expect(try read("pull_request", "pull_request.closed.merged.json").changes == [.pullRequest(news)])
        guard case .released(let release) = try read("release", "release.published.json").changes.first else {
            Issue.record("no release")
            return
        }
        #expect(release.tag == "0.0.1" && release.author == "Codertocat" && !release.prerelease)
    }

    @Test(arguments: [("create", "create.json"), ("delete", "delete.json"), ("star", "push.json")])
    func `GitHub: what the push tells of already, and what nobody asked for, starts nothing and says why`(
        event: String, file: String
    ) throws {
        let reading = try GitHubPayload.read(event, try Recorded.payload("github/\(file)"))
        #expect(reading.changes.isEmpty && reading.nothing != nil && !reading.addresses.isEmpty)
    }

    @Test func `GitLab: pushes, tags, merge requests, releases`() throws {
        func read(_ file: String) throws -> ForgeReading {
            try GitLabPayload.read(try Recorded.payload("gitlab/\(file)"))
        }
        let push = try read("push.json")
        #expect(
            push.changes == [.pushed(ref: "refs/heads/master", after: "da1560886d4f094c3e6c9ef40349f7d38b5d27d7")])
        #expect(push.addresses.contains("git@example.com:mike/diaspora.git"))
        #expect(
            try read("tag_push.json").changes
                == [.pushed(ref: "refs/tags/v1.0.0", after: "82b3d5ae55f7080f1e6022629cdb57bfae7cccc7")])
        var news = PullRequestNews(
            action: .opened, number: 1, title: "MS-Viewport", author: "user1", source: "ms-viewport", target: "master",
            sha: "da1560886d4f094c3e6c9ef40349f7d38b5d27d7", fork: false,
            page: "http://example.com/diaspora/merge_requests/1")
        #expect(try read("merge_request.json").changes == [.pullRequest(news)])
        let merged = try read("merge_request.merged.json")
        news.action = .merged
        guard case .pullRequest(let told) = merged.changes.first else {
            Issue.record("no merge request")
            return
        }
        #expect(told.action == .merged && told.merged != nil)
        guard case .released(let release) = try read("release.json").changes.first else {
            Issue.record("no release")
            return
        }
        #expect(release.tag == "1.0.0")
        #expect(try read("pipeline.json").nothing != nil)
    }

    @Test(arguments: [(nil, true), ("create", true), ("update", false)] as [(String?, Bool)])
    func `GitLab: a note that was only changed is no new comment`(action: String?, isNew: Bool) throws {
        let sha = "da1560886d4f094c3e6c9ef40349f7d38b5d27d7"
        let project = try #require(try Recorded.json("gitlab/merge_request.json")["project"])
        let note: JSONValue = [
            "object_kind": "note", "project": project, "user": ["username": "root"],
            "object_attributes": [
                "id": 1244, "note": "/build", "noteable_type": "MergeRequest",
                "action": action.map(JSONValue.string) ?? .null, "url": "http://example.com/note",
            ],
            "merge_request": ["iid": 1, "last_commit": ["id": .string(sha)]],
        ]
        let reading = try GitLabPayload.read(Payload(note))
        let told = CommentNews(
            number: 1, inPullRequest: true, text: "/build", author: "root", sha: sha, page: "http://example.com/note")
        #expect(reading.changes == (isNew ? [.commented(told)] : []))
        #expect((reading.nothing == "only new comments start something") == !isNew)
    }

    @Test func `Azure DevOps: several references in one push, and merges that were only tried`() throws {
        func read(_ json: JSONValue) throws -> ForgeReading { try AzureDevOpsPayload.read(Payload(json)) }
        let push = try Recorded.json("azure-devops/git.push.json")
        let sha = "33b55f7cb7e7e245323987634f960cf4a6e6bc74"
        #expect(try read(push).changes == [.pushed(ref: main, after: sha)])
        let update: JSONValue = ["name": "refs/heads/main", "newObjectId": .string(sha)]
        let tag: JSONValue = ["name": "refs/tags/v1", "newObjectId": .string(sha)]
        let gone: JSONValue = ["name": "refs/heads/old", "newObjectId": .string(String(repeating: "0", count: 40))]
        let many = push.replacing("resource", (push["resource"] ?? [:]).replacing("refUpdates", [update, tag, gone]))
        #expect(
            try read(many).changes
                == [
                    .pushed(ref: main, after: sha), .pushed(ref: "refs/tags/v1", after: sha),
                    .pushed(ref: "refs/heads/old", after: nil),
                ])
        let merged = try Recorded.json("azure-devops/git.pullrequest.merged.json")
        guard case .pullRequest(let news) = try read(merged).changes.first else {
            Issue.record("no pull request")
            return
        }
        #expect(news.action == .merged && news.source == "mytopic" && news.target == "master")
        let tried = merged.replacing("resource", (merged["resource"] ?? [:]).replacing("mergeStatus", "conflicts"))
        #expect(try read(tried).changes.isEmpty)
        let minimal = push.replacing("resource", ["refUpdates": [update]])
        #expect(throws: Refusal.self) { try read(minimal) }
    }

    @Test func `Gitea: its own words, and forks are known by their repository`() throws {
        func read(_ event: String) throws -> ForgeReading {
            try GitHubPayload.read(event, try Recorded.payload("gitea/\(event.replacing("_", with: "-"))-event.json"))
        }
        #expect(
            try read("push").changes
                == [.pushed(ref: "refs/heads/master", after: "67b56589a45103f891bdee7c0546e5d40bc02001")])
        guard case .pullRequest(let news) = try read("pull_request").changes.first else {
            Issue.record("no pull request")
            return
        }
        // The fork's branch is called like ours.
        #expect(news.fork && news.source == "master" && news.target == "master" && news.author == "example2")
        #expect(try read("create").changes.isEmpty && read("delete").changes.isEmpty)
        #expect(try read("release").changes.count == 1)
    }

    @Test(arguments: [
        "refs/heads/../../etc", "refs/heads/a b", "refs/heads/$(id)`x`\n", "refs/heads/-x", "refs/tags/.hidden",
        "refs/heads/a..b", "refs/heads/", "refs/heads/x.lock",
    ]) func `a name made to escape a path or a shell is refused with its place`(name: String) throws {
        let push = try Recorded.json("github/push.branch.json").replacing("ref", .string(name))
        #expect { try GitHubPayload.read("push", Payload(push)) } throws: { "\($0)".hasPrefix("ref: ") }
    }

    @Test(arguments: ["", "fd48", "--upload-pack=x", String(repeating: "g", count: 40)])
    func `what is no commit is refused with its place`(sha: String) throws {
        let push = try Recorded.json("github/push.branch.json").replacing("after", .string(sha))
        #expect { try GitHubPayload.read("push", Payload(push)) } throws: { "\($0)".hasPrefix("after: ") }
        let opened = try Recorded.json("github/pull_request.opened.json")
        let request = (opened["pull_request"] ?? [:]).replacing("head", ["ref": "x", "sha": .string(sha)])
        #expect { try GitHubPayload.read("pull_request", Payload(opened.replacing("pull_request", request))) } throws: {
            "\($0)".hasPrefix("pull_request.head.sha: ")
        }
    }

    @Test(arguments: [
        ("https://github.com/Acme/Churn.git", "git@github.com:acme/churn"),
        ("https://github.com/acme/churn/", "ssh://git@github.com:22/acme/churn.git"),
        ("http://gitea.local:3000/a/b.git", "https://kim@gitea.local/a/b"),
        ("https://org@dev.azure.com/org/My%20Project/_git/repo", "git@ssh.dev.azure.com:v3/org/My%20Project/repo"),
        ("/srv/git/churn.git", "file:///srv/git/churn"),
    ]) func `a repository is the same by whatever protocol`(one: String, other: String) {
        #expect(RepositoryIdentity(one) == RepositoryIdentity(other))
    }

    @Test func `other repositories are others`() {
        let all = [
            "https://github.com/acme/churn", "https://github.com/acme/churn2", "https://gitlab.com/acme/churn",
            "https://github.com/evil/acme/churn", "/acme/churn", "https://github.com.evil.example/acme/churn",
        ]
        #expect(Set(all.map(RepositoryIdentity.init)).count == all.count)
    }
}

struct WebhookProofTests {
    private func proof(_ forge: Forge, _ headers: [String: String], _ body: Data, now: Int64 = 0) -> WebhookProof {
        WebhookProof(forge: forge, header: { headers[$0] }, body: body, now: now)
    }

    @Test(arguments: ["github", "gitea"]) func `the documented signatures hold, and others do not`(folder: String)
        throws
    {
        let forge = try #require(Forge(rawValue: folder))
        for vector in try Recorded.json("\(folder)/signature-test-vectors.json").array ?? [] {
            let secret = try #require(vector["secret"]?.string)
            let body =
                try vector["payload"]?.string.map { Data($0.utf8) }
                ?? Recorded.data("\(folder)/\(vector["payload_file"]?.string ?? "")")
            for name in ["X-Hub-Signature-256", "X-Gitea-Signature"] {
                guard let signature = vector[name]?.string else { continue }
                #expect(proof(forge, [name: signature], body).holds(with: secret))
                #expect(!proof(forge, [name: signature], body).holds(with: secret + "x"))
                #expect(!proof(forge, [name: signature], body + Data(" ".utf8)).holds(with: secret))
                for wrong in [
                    "", "sha256=", String(signature.dropLast()), "sha1=" + signature.suffix(64), signature + "0",
                ] {
                    #expect(!proof(forge, [name: wrong], body).holds(with: secret))
                }
            }
            #expect(!proof(forge, [:], body).holds(with: secret))
        }
    }

    @Test func `an empty secret proves nothing`() {
        let digest = HMAC<SHA256>.authenticationCode(for: Data(), using: SymmetricKey(data: Data()))
        let hex = digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        #expect(!proof(.github, ["X-Hub-Signature-256": "sha256=" + hex], Data()).holds(with: ""))
        #expect(!proof(.gitlab, ["X-Gitlab-Token": ""], Data()).holds(with: ""))
    }

    @Test func `GitLab: the token itself, or a signature as Standard Webhooks have it`() {
        let body = Data("{}".utf8)
        #expect(proof(.gitlab, ["X-Gitlab-Token": "s3"], body).holds(with: "s3"))
        #expect(!proof(.gitlab, ["X-Gitlab-Token": "s4"], body).holds(with: "s3"))
        let key = Data("0123456789abcdef01234567".utf8)
        let signed = Data("msg_1.1000.{}".utf8)
        let code = Data(HMAC<SHA256>.authenticationCode(for: signed, using: SymmetricKey(data: key)))
        let headers = [
            "webhook-id": "msg_1", "webhook-timestamp": "1000",
            "webhook-signature": "v1,AAAA v1,\(code.base64EncodedString())",
        ]
        let secret = "whsec_" + key.base64EncodedString()
        #expect(proof(.gitlab, headers, body, now: 1200).holds(with: secret))
        #expect(!proof(.gitlab, headers, body, now: 1301).holds(with: secret))
        #expect(!proof(.gitlab, headers, body, now: 699).holds(with: secret))
        #expect(!proof(.gitlab, headers.merging(["webhook-id": "msg_2"]) { $1 }, body, now: 1000).holds(with: secret))
    }

    @Test func `Azure DevOps: the secret as password, or in a header of the subscription`() {
        let basic = "Basic " + Data("hook:s3".utf8).base64EncodedString()
        #expect(proof(.azureDevOps, ["Authorization": basic], Data()).holds(with: "s3"))
        #expect(proof(.azureDevOps, ["X-Martlet-Token": "s3"], Data()).holds(with: "s3"))
        #expect(!proof(.azureDevOps, ["Authorization": basic], Data()).holds(with: "s"))
        #expect(!proof(.azureDevOps, [:], Data()).holds(with: "s3"))
    }

    @Test func `Gitea is found before GitHub, whose headers it sends as well`() throws {
        let gitea = try Recorded.json("gitea/push.headers.json")
        #expect(Forge.detect { gitea[$0]?.string } == .gitea)
        let github = try Recorded.json("github/push.headers.json")
        #expect(Forge.detect { github[$0]?.string } == .github)
        let gitlab = try Recorded.json("gitlab/push.headers.json")
        #expect(Forge.detect { gitlab[$0]?.string } == .gitlab)
    }

    @Test func `a redelivery is the same, whatever is new about it`() {
        let (body, payload) = (Data("{}".utf8), Payload(["id": "azure-1"]))
        func id(_ forge: Forge, _ headers: [String: String], _ body: Data = body) -> String {
            proof(forge, headers, body).id(payload)
        }
        #expect(id(.github, ["X-GitHub-Delivery": "72d3"]) == "72d3")
        #expect(id(.gitlab, ["Idempotency-Key": "k", "X-Gitlab-Event-UUID": "e"]) == "k")
        #expect(id(.azureDevOps, [:]) == "azure-1")
        // Gitea's id is another one for each attempt.
        #expect(id(.gitea, ["X-Gitea-Delivery": "1"]) == id(.gitea, ["X-Gitea-Delivery": "2"]))
        #expect(id(.gitea, [:]) != id(.gitea, [:], Data("[]".utf8)))
        #expect(id(.gitlab, ["X-Gitlab-Event-UUID": "a"]) != id(.gitlab, ["X-Gitlab-Event-UUID": "b"]))
    }
}

extension JSONValue {
    /// A copy with one member changed.
    func replacing(_ name: String, _ value: JSONValue) -> JSONValue {
        var members = object ?? [:]
        members[name] = value
        return .object(members)
    }
}
