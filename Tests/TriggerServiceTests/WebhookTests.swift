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
        on: { push: { branches: [main, 'release/**'] } }
        jobs: { a: { steps: [ { id: s, run: "true" } ] } }
      release:
        on: { tag: { match: ['v*'] } }
        jobs: { a: { steps: [ { id: s, run: "echo ${{ git.tag }} ${{ git.ref_name }} ${{ event.kind }}" } ] } }
    """

struct WebhookTests {
    @Test func `a signed push is stored before it is answered, and starts what git says changed`() async throws {
        try await Forgery.open(project: project) { forgery in
            let before = try await forgery.upstream.git("rev-parse", "HEAD")
            let sha = try await forgery.upstream.commit(["src/a.py": "1"], "one")
            let answer = try await forgery.github("push", try forgery.push("refs/heads/main", sha), id: "d1")
            #expect(answer.status == 202 && answer.json["delivery"] == "github/d1")
            #expect(answer.json["repository"] == "demo" && answer.json["repeated"] == false)
            #expect(try await forgery.waiting() == 1)
            try await forgery.installation.settle()
            let change = try #require(try await forgery.installation.published(ChangePushed.self).last)
            // The payload speaks of other files; and of another commit before.
            #expect(change.sha == sha && change.before == before && change.paths == ["src/a.py"])
            #expect(change.delivery == "github/d1" && change.author == "Ann Author <ann@example.org>")
            #expect(try await forgery.installation.published(TriggerMatched.self).map(\.pipeline) == ["ci", "ci"])
            #expect(try await forgery.waiting() == 0)
        }
    }

    @Test func `a push that a webhook and a look at git tell of is one cause, whoever is first`() async throws {
        try await Forgery.open(project: project) { forgery in
            let first = try await forgery.upstream.commit(["a": "1"], "one")
            _ = try await forgery.github("push", try forgery.push("refs/heads/main", first), id: "d1")
            try await forgery.installation.settle()
            try await forgery.installation.look()
            let second = try await forgery.upstream.commit(["a": "2"], "two")
            try await forgery.installation.look()
            _ = try await forgery.github("push", try forgery.push("refs/heads/main", second), id: "d2")
            try await forgery.installation.settle()
            #expect(
                try await forgery.installation.published(ChangePushed.self).map(\.sha).suffix(2) == [first, second])
            #expect(try await forgery.installation.published(ChangePushed.self).count == 3)
            #expect(try await forgery.verdicts(of: "d2").map(\.code) == ["already_seen"])
        }
    }

    @Test func `a redelivery is recognised, also after a restart`() async throws {
        try await Forgery.open(project: project) { forgery in
            let sha = try await forgery.upstream.commit(["a": "1"], "one")
            let payload = try forgery.push("refs/heads/main", sha)
            #expect(try await forgery.github("push", payload, id: "d1").json["repeated"] == false)
            try await forgery.installation.settle()
            try await Forgery.with(forgery.installation, forgery.upstream, ["WEBHOOK_GITHUB": "s3cret"]) { again in
                let answer = try await again.github("push", payload, id: "d1")
                #expect(answer.status == 202 && answer.json["repeated"] == true)
            }
            try await forgery.installation.settle()
            #expect(try await forgery.installation.published(ChangePushed.self).count == 2)
        }
    }

    @Test func `two pushes delivered before either is looked up are two causes, in their order`() async throws {
        try await Forgery.open(project: project) { forgery in
            let one = try await forgery.upstream.commit(["a": "1"], "one")
            let two = try await forgery.upstream.commit(["b": "1"], "two")
            for (id, sha) in [("d1", one), ("d2", two)] {
                _ = try await forgery.github("push", try forgery.push("refs/heads/main", sha), id: id)
            }
            try await forgery.installation.settle()
            let changes = try await forgery.installation.published(ChangePushed.self).suffix(2)
            #expect(changes.map(\.sha) == [one, two] && changes.map(\.before).last == one)
            #expect(changes.map(\.paths) == [["a"], ["b"]])
        }
    }

    @Test func `what is not on the branch any more starts nothing, and the verdict says why`() async throws {
        try await Forgery.open(project: project) { forgery in
            let lost = try await forgery.upstream.commit(["a": "1"], "lost")
            try await forgery.upstream.git("reset", "-q", "--hard", "HEAD~1")
            let kept = try await forgery.upstream.commit(["a": "2"], "kept")
            _ = try await forgery.github("push", try forgery.push("refs/heads/main", lost), id: "d1")
            _ = try await forgery.github("push", try forgery.push("refs/heads/main", kept), id: "d2")
            try await forgery.installation.settle()
            #expect(try await forgery.verdicts(of: "d1").map(\.code) == ["superseded"])
            #expect(try await forgery.installation.published(ChangePushed.self).map(\.sha).last == kept)
        }
    }

    @Test func `S4-2 a tag starts a release, as delivered and as seen in git, once`() async throws {
        try await Forgery.open(project: project) { forgery in
            let sha = try await forgery.upstream.git("rev-parse", "HEAD")
            try await forgery.upstream.git("tag", "-a", "v1.0.0", "-m", "one")
            let object = try await forgery.upstream.git("rev-parse", "v1.0.0")
            _ = try await forgery.github("push", try forgery.push("refs/tags/v1.0.0", object), id: "d1")
            try await forgery.installation.settle()
            try await forgery.installation.look()
            try await forgery.upstream.git("tag", "v1.0.1")
            try await forgery.upstream.git("tag", "other")
            try await forgery.installation.look()
            let tags = try await forgery.installation.published(TagCreated.self)
            #expect(tags.map(\.tag) == ["v1.0.0", "other", "v1.0.1"] && Set(tags.map(\.sha)) == [sha])
            #expect(tags.first?.delivery == "github/d1" && tags.last?.delivery == nil)
            let runs = try await forgery.installation.published(RunQueued.self).filter { $0.pipeline == "release" }
            #expect(runs.compactMap { $0.git?.ref } == ["refs/tags/v1.0.0", "refs/tags/v1.0.1"])
            #expect(
                try await forgery.installation.published(TriggerIgnored.self).contains {
                    $0.pipeline == "release" && $0.code == "tag_filter"
                })
            let session = try await forgery.installation.open()
            let works = try await forgery.installation.claim(session)
            let release = try #require(works.first { $0.run.pipeline == "release" })
            #expect(Set(release.variables.values).isSuperset(of: ["v1.0.0", "tag", "refs/tags/v1.0.0"]))
        }
    }

    @Test func `S4-2 a release branch starts what listens to it; its end is told of`() async throws {
        try await Forgery.open(project: project) { forgery in
            try await forgery.upstream.git("switch", "-q", "-c", "release/1.0")
            let sha = try await forgery.upstream.commit(["r": "1"], "release")
            _ = try await forgery.github("push", try forgery.push("refs/heads/release/1.0", sha), id: "d1")
            try await forgery.installation.settle()
            #expect(try await forgery.installation.published(RunQueued.self).last?.git?.branch == "release/1.0")
            #expect(try await forgery.installation.published(BranchCreated.self).map(\.branch) == ["release/1.0"])
            try await forgery.upstream.git("switch", "-q", "main")
            try await forgery.upstream.git("branch", "-q", "-D", "release/1.0")
            let zeros = String(repeating: "0", count: 40)
            _ = try await forgery.github("push", try forgery.push("refs/heads/release/1.0", zeros), id: "d2")
            try await forgery.installation.settle()
            try await forgery.installation.look()
            #expect(try await forgery.installation.published(BranchDeleted.self).map(\.before) == [sha])
        }
    }

    @Test func `without the secret nothing gets in, and nothing is stored`() async throws {
        try await Forgery.open(project: project) { forgery in
            let sha = try await forgery.upstream.commit(["a": "1"], "one")
            let payload = try forgery.push("refs/heads/main", sha)
            let wrong = try await forgery.github("push", payload, id: "d1", secret: "other")
            #expect(wrong.status == 401 && wrong.challenge != nil)
            #expect(wrong.json["hint"]?.string?.contains("differ") == true)
            let none = try await forgery.post("/github", Wire.encode(payload), ["X-GitHub-Event": "push"])
            #expect(none.status == 401)
            // Not even what is wrong with it is told.
            #expect(try await forgery.github("push", Data("{".utf8), id: "d2", secret: "other").status == 401)
            #expect(try await forgery.waiting() == 0)
        }
        try await Forgery.open(project: project, secrets: [:]) { forgery in
            let answer = try await forgery.github("push", [:], id: "d1")
            #expect(answer.status == 401 && answer.json["hint"]?.string?.contains("WEBHOOK_GITHUB") == true)
        }
    }

    @Test func `bad input has an error with its place, and changes nothing`() async throws {
        try await Forgery.open(project: project) { forgery in
            func error(_ body: String) async throws -> (Int, String) {
                let answer = try await forgery.github("push", Data(body.utf8), id: "d1")
                return (answer.status, answer.json["error"]?.string ?? "")
            }
            let broken = try await error(#"{"ref": "refs/heads/main", }"#)
            #expect(broken.0 == 400 && broken.1.contains("byte 2"))
            let empty = try await error("{}")
            #expect(empty.0 == 400 && empty.1.hasPrefix("repository.clone_url"))
            let name = try await forgery.github("push", try forgery.push("refs/heads/../x", "1"), id: "d1")
            #expect(name.status == 400 && name.json["error"]?.string?.hasPrefix("ref: ") == true)
            #expect(try await error(String(repeating: " ", count: 1 << 21)).0 == 413)
            #expect(try await error(String(repeating: "[", count: 100_000)).0 == 400)
            #expect(try await forgery.github("push", [:], id: "d1", path: "/bitbucket").status == 404)
            let other = try await forgery.post("/gitlab", Data(), ["X-GitHub-Event": "push"])
            #expect(other.status == 400 && other.json["hint"]?.string?.contains("/webhooks/github") == true)
            #expect(try await forgery.waiting() == 0)
            #expect(try await forgery.installation.published(ChangePushed.self).count == 1)
        }
    }

    @Test func `what is delivered before the repository's first look waits for that look, and asks for nothing`()
        async throws
    {
        let installation = try Installation()
        let upstream = try await Upstream(in: installation, project: project)
        try await installation.command(
            RepositoryAddRequested(repository: "demo", url: upstream.path, forgeURL: Forgery.address))
        try await Forgery.with(installation, upstream, ["WEBHOOK_GITHUB": "s3cret"]) { forgery in
            let sha = try await upstream.git("rev-parse", "HEAD")
            _ = try await forgery.github("push", try forgery.push("refs/heads/main", sha), id: "d1")
            try await installation.settle()
            let intents = try await installation.store.read { db in
                try Int.fetchOne(db, sql: "SELECT count(*) FROM intent WHERE kind = ?", arguments: [IntentKind.deliver])
            }
            #expect(try await forgery.waiting() == 1 && intents == 0)
            try await installation.look()
            #expect(try await forgery.waiting() == 0)
            #expect(try await forgery.verdicts(of: "d1").map(\.code) == ["already_seen"])
        }
    }

    @Test func `each webhook is counted by what became of it`() async throws {
        try await Forgery.open(project: project) { forgery in
            let sha = try await forgery.upstream.commit(["a": "1"], "one")
            let payload = try forgery.push("refs/heads/main", sha)
            let unknown = payload.replacing("repository", ["clone_url": "https://github.com/evil/demo.git"])
            _ = try await forgery.github("ping", [:], id: "p")
            for id in ["d1", "d2", "d2"] { _ = try await forgery.github("push", payload, id: id) }
            _ = try await forgery.github("star", payload, id: "d3")
            _ = try await forgery.github("push", unknown, id: "d4")
            _ = try await forgery.github("push", payload, id: "d5", secret: "other")
            _ = try await forgery.github("push", Data("{".utf8), id: "d6")
            _ = try await forgery.github("push", Data(repeating: 32, count: 1 << 21), id: "d7")
            #expect(await forgery.counted("accepted") == 2)
            #expect(await forgery.counted("repeated") == 1)
            for verdict in ["ping", "not_a_cause", "not_watched", "unproven", "malformed", "too_large"] {
                #expect(await forgery.counted(verdict) == 1, "\(verdict)")
            }
        }
    }

    @Test func `a ping is answered; what starts nothing is stored with a verdict, once`() async throws {
        try await Forgery.open(project: project) { forgery in
            #expect(try await forgery.github("ping", try Recorded.json("github/ping.json"), id: "p").status == 200)
            let star = try forgery.push("refs/heads/main", "1")
            for _ in 1...2 { #expect(try await forgery.github("star", star, id: "d1").status == 202) }
            let verdict = try #require(try await forgery.verdicts(of: "d1").first)
            #expect(verdict.code == "not_a_cause" && verdict.pipeline == "*" && verdict.project == "demo")
            #expect(try await forgery.verdicts(of: "d1").count == 1)
        }
    }

    @Test func `what nobody watched counts when it is delivered again and watched`() async throws {
        try await Forgery.open(project: project, forgeURL: "https://github.com/acme/other") { forgery in
            let sha = try await forgery.upstream.commit(["a": "1"], "one")
            let payload = try forgery.push("refs/heads/main", sha)
            for _ in 1...2 { #expect(try await forgery.github("push", payload, id: "d1").status == 404) }
            try await forgery.installation.command(
                RepositoryAddRequested(repository: "demo", url: forgery.upstream.path, forgeURL: Forgery.address))
            for repeated in [false, true] {
                let answer = try await forgery.github("push", payload, id: "d1")
                #expect(answer.status == 202 && answer.json["repeated"] == .bool(repeated))
            }
            try await forgery.installation.settle()
            #expect(try await forgery.installation.published(ChangePushed.self).map(\.sha).last == sha)
        }
    }

    @Test func `a payload about another repository than its secret's is refused, with a verdict`() async throws {
        try await Forgery.open(project: project, secrets: ["A": "a", "B": "b"]) { forgery in
            let other = try await Upstream(
                in: forgery.installation, "other", project: project.replacing("demo", with: "other"))
            try await forgery.installation.command(
                RepositoryAddRequested(repository: "demo", url: forgery.upstream.path, webhookSecret: "A"))
            try await forgery.installation.command(
                RepositoryAddRequested(
                    repository: "other", url: other.path, forgeURL: "https://github.com/acme/other",
                    webhookSecret: "B"))
            let sha = try await forgery.upstream.commit(["a": "1"], "one")
            let payload = try forgery.push("refs/heads/main", sha)
            let foreign = try await forgery.github("push", payload, id: "d1", secret: "b")
            #expect(foreign.status == 403)
            #expect(try await forgery.verdicts(of: "d1").map(\.code) == ["other_repository"])
            // Also where the path names the repository.
            #expect(
                try await forgery.github("push", payload, id: "d2", secret: "b", path: "/github/other").status == 403)
            #expect(
                try await forgery.github("push", payload, id: "d3", secret: "b", path: "/github/demo").status == 401)
            #expect(
                try await forgery.github("push", payload, id: "d4", secret: "a", path: "/github/demo").status == 202)
            let unknown = payload.replacing(
                "repository", ["clone_url": "https://github.com/evil/demo.git"])
            #expect(try await forgery.github("push", unknown, id: "d5", secret: "a").status == 404)
            #expect(try await forgery.verdicts(of: "d5").map(\.code) == ["not_watched"])
        }
    }

    @Test func `GitHub's form, and a Gitea that is set up as GitHub`() async throws {
        try await Forgery.open(
            project: project, secrets: ["WEBHOOK_GITHUB": "s3cret", "WEBHOOK_GITEA": "tea"]
        ) { forgery in
            let sha = try await forgery.upstream.commit(["a": "1 + 1 & 2"], "one")
            let text = String(decoding: try Wire.encode(try forgery.push("refs/heads/main", sha)), as: UTF8.self)
            let form = "payload=" + (text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "")
            let answer = try await forgery.github(
                "push", Data(form.utf8), id: "d1", type: "application/x-www-form-urlencoded")
            #expect(answer.status == 202)
            let two = try await forgery.upstream.commit(["a": "2"], "two")
            let body = try Wire.encode(try forgery.push("refs/heads/main", two))
            let signature = Forgery.signature(body, "tea")
            for attempt in 1...2 {
                let gitea = try await forgery.post(
                    "/github", body,
                    [
                        "X-GitHub-Event": "push", "X-Gitea-Event": "push", "X-Gitea-Delivery": "attempt-\(attempt)",
                        "X-Gitea-Signature": signature, "X-Hub-Signature-256": "sha256=\(signature)",
                    ])
                #expect(gitea.status == 202 && gitea.json["repeated"] == .bool(attempt == 2))
                #expect(gitea.json["delivery"]?.string?.hasPrefix("gitea/") == true)
            }
            try await forgery.installation.settle()
            #expect(try await forgery.installation.published(ChangePushed.self).map(\.sha).suffix(2) == [sha, two])
        }
    }

    @Test func `Azure DevOps: one push, several references, one delivery`() async throws {
        try await Forgery.open(
            project: project,
            forgeURL: "https://dev.azure.com/fabrikam-fiber-inc/DefaultCollection/_git/Fabrikam-Fiber-Git",
            secrets: ["WEBHOOK_AZURE_DEVOPS": "s3cret"]
        ) { forgery in
            let sha = try await forgery.upstream.commit(["a": "1"], "one")
            try await forgery.upstream.git("branch", "release/2")
            try await forgery.upstream.git("tag", "v2")
            let recorded = try Recorded.json("azure-devops/git.push.json")
            let updates = ["refs/heads/main", "refs/heads/release/2", "refs/tags/v2"].map { name -> JSONValue in
                ["name": .string(name), "newObjectId": .string(sha)]
            }
            let payload = recorded.replacing(
                "resource", (recorded["resource"] ?? [:]).replacing("refUpdates", .array(updates)))
            let basic = "Basic " + Data("martlet:s3cret".utf8).base64EncodedString()
            let answer = try await forgery.post("/azure-devops", Wire.encode(payload), ["Authorization": basic])
            #expect(answer.status == 202 && answer.json["changes"] == 3)
            let wrong = try await forgery.post("/azure-devops", Wire.encode(payload), [:])
            #expect(wrong.status == 401 && wrong.challenge?.hasPrefix("Basic ") == true)
            try await forgery.installation.settle()
            let pushed = try await forgery.installation.published(ChangePushed.self).map(\.branch)
            #expect(pushed.suffix(2) == ["main", "release/2"])
            #expect(try await forgery.installation.published(TagCreated.self).map(\.tag) == ["v2"])
        }
    }

    @Test func `deliveries are forgotten after a month, not before`() async throws {
        try await Forgery.open(project: project) { forgery in
            let star = try forgery.push("refs/heads/main", "1")
            _ = try await forgery.github("star", star, id: "d1")
            for (days, left) in [(29, 1), (2, 0)] {
                forgery.installation.advance(.seconds(days * 86_400))
                try await forgery.installation.store.write { try $0.forgetDeliveries() }
                let count = try await forgery.installation.store.read { db in
                    try Int.fetchOne(db, sql: "SELECT count(*) FROM delivery")
                }
                #expect(count == left)
            }
        }
    }
}
