import Artifacts
import Foundation
import GRDB
import Messages
import Store
import Testing

@testable import TriggerService

private let project = """
    martlet: 1
    project: demo
    pipelines:
      code:
        on: { push: { branches: [main], paths: ['src/**'] } }
        jobs: { a: { steps: [ { id: s, run: "true" } ] } }
      everything:
        on: { push: {} }
        jobs: { a: { steps: [ { id: s, run: "true" } ] } }
    """

struct RepositoryTests {
    private func watched(_ installation: Installation, project text: String? = project) async throws -> Upstream {
        let upstream = try await Upstream(in: installation, project: text)
        try await installation.command(RepositoryAddRequested(repository: "demo", url: upstream.path))
        try await installation.look()
        return upstream
    }

    @Test func `adding a repository starts what its newest commit asks for, once`() async throws {
        let installation = try Installation()
        let upstream = try await watched(installation)
        let sha = try await upstream.git("rev-parse", "HEAD")
        let changes = try await installation.published(ChangePushed.self)
        #expect(changes.map(\.sha) == [sha])
        #expect(changes.first?.before == nil && changes.first?.paths == ["martlet.yml"])
        #expect(changes.first?.author == "Ann Author <ann@example.org>")
        #expect(try await installation.published(RunStarted.self).map(\.pipeline) == ["everything"])
        try await installation.look()
        #expect(try await installation.published(ChangePushed.self).count == 1)
    }

    @Test func `removed and added again, a repository goes on where it was`() async throws {
        let installation = try Installation()
        let upstream = try await watched(installation)
        func again(_ url: String) async throws {
            try await installation.command(RepositoryRemoveRequested(repository: "demo"))
            try await installation.command(RepositoryAddRequested(repository: "demo", url: url))
            try await installation.look()
        }
        let before = try await upstream.git("rev-parse", "HEAD")
        try await again(upstream.path)
        #expect(try await installation.published(ChangePushed.self).count == 1)
        // What came while nobody watched is one change.
        try await installation.command(RepositoryRemoveRequested(repository: "demo"))
        let sha = try await upstream.commit(["src/a.py": "1"], "meanwhile")
        try await installation.command(RepositoryAddRequested(repository: "demo", url: upstream.path))
        try await installation.look()
        let changes = try await installation.published(ChangePushed.self)
        #expect(changes.count == 2 && changes.last?.before == before && changes.last?.sha == sha)
        // Another repository of the same name begins anew.
        let other = try await Upstream(in: installation, "other", project: project)
        try await again(other.path)
        #expect(try await installation.published(ChangePushed.self).count == 3)
    }

    @Test func `several pushes between two looks: nothing of them is lost`() async throws {
        let installation = try Installation()
        let upstream = try await watched(installation)
        let before = try await upstream.git("rev-parse", "HEAD")
        try await upstream.commit(["src/a.py": "1"], "one")
        try await upstream.commit(["docs/b.md": "1"], "two")
        let sha = try await upstream.commit(["src/c.py": "1"], "three")
        try await installation.look()
        let change = try #require(try await installation.published(ChangePushed.self).last)
        #expect(change.before == before && change.sha == sha && change.message == "three")
        #expect(change.paths == ["docs/b.md", "src/a.py", "src/c.py"])
    }

    @Test func `S0-6 a push elsewhere starts nothing, and the verdict says why`() async throws {
        let installation = try Installation()
        let upstream = try await watched(installation)
        try await upstream.commit(["docs/b.md": "1"], "docs")
        try await installation.look()
        let cause = try #require(try await installation.envelopes().last { $0.type == ChangePushed.eventType })
        let verdicts = try await installation.store.read { try CauseQueries.verdicts(of: cause.id, in: $0) }
        #expect(verdicts.map(\.pipeline) == ["code", "everything"])
        #expect(verdicts.map(\.matched) == [false, true])
        #expect(verdicts.first?.code == "path_filter")
        #expect(try await installation.published(TriggerIgnored.self).last?.reason == verdicts.first?.reason)
        #expect(try await installation.published(RunStarted.self).last?.snapshot != nil)
    }

    @Test func `events of runs and models pass in silence where no pipeline listens to their kind, pushes do not`()
        async throws
    {
        let installation = try Installation()
        let upstream = try await watched(
            installation, project: project.replacing("on: { push: {} }", with: "on: { manual: {} }"))
        let push = try await installation.published(TriggerIgnored.self)
        #expect(push.contains { $0.pipeline == "everything" && $0.code == "no_trigger" })
        let verdicts = try await installation.published(TriggerIgnored.self).count
        let sha = try await upstream.git("rev-parse", "HEAD")
        let git = GitReference(repository: "demo", url: upstream.path, branch: "main", sha: sha, message: "")
        let artifact = ModelArtifact(digest: Digest(of: Data("x".utf8)), size: 1, files: [])
        try await installation.event(
            ModelRegistered(
                model: "demo", version: 1, project: "demo", artifact: artifact, metrics: [:], params: [:], tags: [:],
                git: git),
            from: .registryService, actor: "service:registry-service")
        #expect(try await installation.published(TriggerIgnored.self).count == verdicts)
        let stored = try await installation.store.read {
            try Int.fetchOne(
                $0, sql: "SELECT count(*) FROM verdict WHERE code = 'no_trigger' AND cause LIKE 'registry%'")
        }
        #expect(stored == 0)
    }

    @Test func `a new branch is compared with where it left the default branch, a deleted one is forgotten`()
        async throws
    {
        let installation = try Installation()
        let upstream = try await watched(installation)
        try await upstream.git("checkout", "-q", "-b", "feature/x")
        try await upstream.commit(["src/new.py": "1"], "new")
        try await upstream.git("checkout", "-q", "main")
        try await upstream.commit(["README": "1"], "main goes on")
        try await installation.look()
        let changes = try await installation.published(ChangePushed.self)
        let feature = try #require(changes.last { $0.branch == "feature/x" })
        #expect(feature.before == nil && feature.paths == ["src/new.py"])
        try await upstream.git("branch", "-q", "-D", "feature/x")
        try await installation.look()
        #expect(try await installation.published(ChangePushed.self).count == changes.count)
        let heads = try await installation.store.read { try RepositoryQueries.heads(of: "demo", in: $0) }
        #expect(Array(heads.keys) == ["main"])
    }

    @Test func `tags that were there before start nothing, also where no branch was watched yet`() async throws {
        let installation = try Installation()
        let upstream = try await Upstream(in: installation, project: project)
        try await upstream.git("tag", "v0")
        try await installation.command(
            RepositoryAddRequested(repository: "demo", url: upstream.path, branches: ["release/*"]))
        for _ in 0..<2 { try await installation.look() }
        try await upstream.git("checkout", "-q", "-b", "release/1")
        try await installation.look()
        #expect(try await installation.published(TagCreated.self).isEmpty)
        try await upstream.git("tag", "v1")
        try await installation.look()
        #expect(try await installation.published(TagCreated.self).map(\.tag) == ["v1"])
    }

    @Test func `a tag of a tag is about the same commit here as on another machine`() async throws {
        let installation = try Installation()
        let upstream = try await Upstream(in: installation, project: project)
        let sha = try await upstream.git("rev-parse", "HEAD")
        try await upstream.git("tag", "-a", "one", "-m", "one")
        try await upstream.git("tag", "-a", "two", "-m", "two", "one")
        let here = try await Git().branches(in: ["-C", upstream.path])
        let listed = try await upstream.git(
            "ls-remote", "--symref", upstream.path, "HEAD", "refs/heads/*", "refs/tags/*")
        #expect(here.tags == ["one": sha, "two": sha] && here.tags == Git.parse(remote: listed).tags)
        #expect(here.commits == ["main": sha] && here.head == "main")
    }

    @Test func `a force-push is a change from what was seen to what is there`() async throws {
        let installation = try Installation()
        let upstream = try await watched(installation)
        let lost = try await upstream.commit(["src/a.py": "1"], "will be rewritten")
        try await installation.look()
        try await upstream.git("reset", "-q", "--hard", "HEAD~1")
        let sha = try await upstream.commit(["src/b.py": "1"], "instead")
        try await installation.look()
        let change = try #require(try await installation.published(ChangePushed.self).last)
        #expect(change.before == lost && change.sha == sha)
        #expect(change.paths == ["src/a.py", "src/b.py"])
    }

    @Test func `a repository that cannot be read is told once, tried again later and recovers by itself`() async throws
    {
        let installation = try Installation()
        let upstream = try await Upstream(in: installation, project: project)
        let hidden = upstream.path + "-hidden"
        try await installation.command(RepositoryAddRequested(repository: "demo", url: upstream.path))
        try FileManager.default.moveItem(atPath: upstream.path, toPath: hidden)
        var waits: [Duration?] = []
        for _ in 0..<3 { waits.append(try await installation.look()) }
        #expect(waits == [.seconds(1), .seconds(2), .seconds(5)])
        #expect(try await installation.published(RepositoryUnreachable.self).count == 1)
        try FileManager.default.moveItem(atPath: hidden, toPath: upstream.path)
        #expect(try await installation.look() == nil)
        #expect(try await installation.published(RepositoryRecovered.self).count == 1)
        #expect(try await installation.published(RunStarted.self).count == 1)
    }

    @Test func `an empty repository waits for its first push`() async throws {
        let installation = try Installation()
        let upstream = try await watched(installation, project: nil)
        #expect(try await installation.published(ChangePushed.self).isEmpty)
        try await upstream.commit(["martlet.yml": project, "src/a.py": "1"], "first")
        try await installation.look()
        #expect(try await installation.published(RunStarted.self).map(\.pipeline) == ["code", "everything"])
    }

    @Test func `a file with errors starts nothing and tells all of them, the next commit mends it`() async throws {
        let installation = try Installation()
        let upstream = try await watched(installation)
        let runs = try await installation.published(RunQueued.self).count
        try await upstream.commit(["martlet.yml": project.replacing("steps", with: "stepps") + "\nzzz: 1\n"], "broken")
        try await installation.look()
        let rejected = try #require(try await installation.published(ProjectRejected.self).last)
        #expect(rejected.errors.count >= 2)
        #expect(try await installation.published(RunQueued.self).count == runs)
        let ignored = try await installation.published(TriggerIgnored.self).suffix(2)
        #expect(ignored.map(\.pipeline) == ["code", "everything"])
        #expect(ignored.allSatisfy { $0.code == "project_rejected" })
        try await upstream.commit(["martlet.yml": project], "mended")
        try await installation.look()
        #expect(try await installation.published(RunQueued.self).count == runs + 1)
        #expect(try await installation.published(ProjectLoaded.self).count == 1)
        #expect(try await installation.published(ProjectUnchanged.self).count == 1)
    }

    @Test func `S0-19 a model that another repository's project declares is not taken over, until that one is gone`()
        async throws
    {
        let installation = try Installation()
        let model = "\nmodel: { name: churn, stages: { preset: trunk } }\n"
        _ = try await watched(installation, project: project + model)
        let other = try await Upstream(
            in: installation, "other", project: project.replacing("project: demo", with: "project: rival") + model)
        try await installation.command(RepositoryAddRequested(repository: "rival", url: other.path))
        try await installation.look("rival")
        let rejected = try #require(try await installation.published(ProjectRejected.self).last)
        let reason = try #require(rejected.errors.first?.message)
        #expect(reason.contains("the model 'churn' belongs to the project 'demo' of the repository 'demo'"))
        #expect(try await installation.published(ProjectLoaded.self).map(\.project) == ["demo"])
        try await installation.command(RepositoryRemoveRequested(repository: "demo"))
        try await other.commit(["src/a.py": "1"], "again")
        try await installation.look("rival")
        #expect(try await installation.published(ProjectLoaded.self).map(\.project) == ["demo", "rival"])
    }

    @Test func `a project that gets another name keeps its models`() async throws {
        let installation = try Installation()
        let text = project + "\nmodel: { name: churn, stages: { preset: trunk } }\n"
        let upstream = try await watched(installation, project: text)
        try await upstream.commit(
            ["martlet.yml": text.replacing("project: demo", with: "project: renamed")], "another name")
        try await installation.look()
        #expect(try await installation.published(ProjectLoaded.self).map(\.project) == ["demo", "renamed"])
    }

    @Test func `what every branch may say is not what holds for the project`() async throws {
        let installation = try Installation()
        let upstream = try await watched(installation)
        try await upstream.git("checkout", "-q", "-b", "loose")
        try await upstream.commit(["martlet.yml": project + "\nenvironments: { prod: {} }\n"], "loosened")
        try await installation.look()
        #expect(try await installation.published(ProjectLoaded.self).count == 1)
        #expect(try await installation.published(RunQueued.self).last?.git?.branch == "loose")
    }

    @Test func `credentials, bad names and a second address are refused with the reason`() async throws {
        let installation = try Installation()
        let upstream = try await watched(installation)
        for wish in [
            RepositoryAddRequested(repository: "x", url: "https://me:secret@host/x"),
            RepositoryAddRequested(repository: "../x", url: upstream.path),
            RepositoryAddRequested(repository: "demo", url: "/elsewhere"),
            RepositoryAddRequested(repository: "x", url: upstream.path, pollSeconds: 0.01),
        ] {
            let answer = try await installation.answer(to: try await installation.command(wish))
            #expect(!answer.accepted && answer.reason != nil)
            #expect(answer.reason?.contains("secret@") != true)
        }
        let again = RepositoryAddRequested(repository: "demo", url: upstream.path)
        #expect(try await installation.answer(to: try await installation.command(again)).accepted)
        #expect(try await installation.published(RepositoryAdded.self).count == 1)
    }

    @Test func `an idle look at a folder of this machine asks git once more and then not again`() async throws {
        let installation = try Installation()
        let upstream = try await Upstream(in: installation, project: project)
        var references = LocalReferences()
        var seen: [Bool] = []
        for _ in 0..<4 { seen.append(references.mayHaveMoved(in: upstream.path)) }
        #expect(seen == [true, true, false, false])
        try await upstream.commit([:], "again")
        let moved = references.mayHaveMoved(in: upstream.path)
        #expect(moved)
    }
}
