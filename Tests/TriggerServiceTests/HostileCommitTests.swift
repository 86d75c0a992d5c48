import Foundation
import Messages
import Processes
import ServiceKit
import Store
import Testing

@testable import TriggerService

private let project = """
    martlet: 1
    project: demo
    pipelines:
      ci:
        on: { push: {} }
        jobs: { a: { steps: [ { id: s, run: "true" } ] } }
    """

private let huge = String(repeating: "m", count: 100_000)

/// What somebody puts into a commit so that nothing else of the repository is heard any more.
struct HostileCommitTests {
    private func watched() async throws -> (Installation, Upstream) {
        let installation = try Installation()
        let upstream = try await Upstream(in: installation, project: project)
        try await installation.command(RepositoryAddRequested(repository: "demo", url: upstream.path))
        try await installation.look()
        return (installation, upstream)
    }

    private func change(_ branch: String, _ sha: String, message: String = "m") -> BranchChange {
        let news = BranchChange.News(paths: ["a"], truncated: false, author: "Ann", email: "a@x.org", message: message)
        return BranchChange(branch: branch, sha: sha, news: news)
    }

    @Test func `names of files count as they are written in an event`() throws {
        let name = String(repeating: "\u{1}", count: 3_900) + "\""
        let change = ChangePushed(
            repository: "r", url: "/r", branch: "main", sha: "s", paths: ["a", name, name], pathsTruncated: false,
            author: "a", message: "m")
        let fitting = change.fitting()
        #expect(fitting.paths == ["a", name] && fitting.pathsTruncated)
        #expect(try Wire.encode(fitting).count < 25 << 10)
    }

    @Test func `an author's name and address are cut to what an event has room for`() async throws {
        let (installation, upstream) = try await watched()
        let name = String(repeating: "n", count: 40_000)
        try await upstream.git(
            "commit", "-q", "--allow-empty", "--author", "\(name) <\(name)@x.org>", "-m", name)
        let sha = try await upstream.git("rev-parse", "HEAD")
        try await upstream.git("tag", "v1")
        try await installation.look()
        let pushed = try #require(try await installation.published(ChangePushed.self).last)
        #expect(pushed.sha == sha && pushed.author.utf8.count < 600)
        #expect(try await installation.published(TagCreated.self).map(\.sha) == [sha])
        #expect(try await installation.published(RunQueued.self).last?.git?.sha == sha)
    }

    @Test func `a subject of few characters and very many bytes is cut as well`() async throws {
        let (installation, upstream) = try await watched()
        try await upstream.git(
            "commit", "-q", "--allow-empty", "-m", "a" + String(repeating: "\u{301}", count: 40_000))
        try await installation.look()
        let pushed = try #require(try await installation.published(ChangePushed.self).last)
        #expect(pushed.message.utf8.count <= 1 << 10)
    }

    @Test func `a branch that comes to more than an event can tell keeps no other from being told`() async throws {
        let (installation, upstream) = try await watched()
        let sha = try await upstream.git("rev-parse", "HEAD")
        let look = Look(
            repository: "demo", defaultBranch: "main", changes: [change("a", sha, message: huge), change("b", sha)])
        let dispatcher = installation.dispatcher
        for _ in 0..<2 { try await installation.store.write { try dispatcher.observed(look, $0) } }
        try await installation.settle()
        #expect(try await installation.published(ChangePushed.self).map(\.branch) == ["main", "b"])
        let verdicts = try await installation.published(TriggerIgnored.self).filter { $0.code == "too_large" }
        #expect(verdicts.map(\.cause) == [sha] && verdicts.first?.reason.contains("change.pushed") == true)
        let heads = try await installation.store.read { try RepositoryQueries.heads(of: "demo", in: $0) }
        #expect(heads == ["main": sha, "a": sha, "b": sha])
    }

    @Test func `nor does a delivery`() async throws {
        let (installation, upstream) = try await watched()
        let sha = try await upstream.git("rev-parse", "HEAD")
        let dispatcher = installation.dispatcher
        let (large, small) = (change("a", sha, message: huge), change("b", sha))
        try await installation.store.write { transaction in
            for id in ["d1", "d2"] {
                let delivery = StoredDelivery(forge: .github, id: id, repository: "demo", event: "push", changes: [])
                _ = try dispatcher.accept(delivery, refusal: nil, transaction)
            }
            let waiting = try DeliveryQueries.waiting(for: "demo", in: transaction.db)
            let found = zip(waiting, [large, small]).map { FoundDelivery(delivery: $0, findings: [.branch($1)]) }
            try dispatcher.delivered(found, to: "demo", transaction)
        }
        #expect(try await installation.published(ChangePushed.self).map(\.branch) == ["main", "b"])
        let verdicts = try await installation.published(TriggerIgnored.self).filter { $0.cause == "d1" }
        #expect(verdicts.map(\.code) == ["too_large"])
        let waiting = try await installation.store.read { try DeliveryQueries.waiting(for: "demo", in: $0).count }
        #expect(waiting == 0)
    }

    @Test func `of folders that list without end nobody can tell what changed, and that is all`() async throws {
        let git = Git { _, _ in throw ProcessError.tooMuchOutput(program: "git", limit: 64 << 20) }
        let changed = try await Mirror(path: "/nowhere", git: git).changedPaths(from: nil, to: "c0ffee")
        #expect(changed.paths.isEmpty && changed.truncated)
    }

    @Test func `a request that cannot be looked up has its own verdict, and what waits behind it is told`() async throws
    {
        try await Forgery.open(project: project) { forgery in
            let (installation, upstream) = (forgery.installation, forgery.upstream)
            let sha = try await upstream.commit(["src/a.py": "1"], "second")
            _ = try await forgery.github("pull_request", try forgery.pullRequest(sha: sha, fork: true), id: "d1")
            _ = try await forgery.github("push", try forgery.push("refs/heads/main", sha), id: "d2")
            let git = Git { arguments, timeout in
                if arguments.contains("refs/pull/2/head") {
                    throw ProcessError.timedOut(program: "git", after: timeout)
                }
                return try await runCommand(["git"] + arguments, timeout: timeout)
            }
            let reading = DeliveryReading(
                store: installation.store, dispatcher: installation.dispatcher,
                mirrors: Mirrors(folder: installation.folder + "/mirrors", git: git))
            let effect = try #require(reading.effects[IntentKind.deliver])
            // It may be the network's doing.
            let first = await effect(try Intent(kind: IntentKind.deliver, id: "demo", payload: "demo"))
            guard case .later = first else {
                Issue.record("\(first)")
                return
            }
            let second = await effect(try Intent(kind: IntentKind.deliver, id: "demo", payload: "demo", attempts: 1))
            guard case .done(let commit) = second else {
                Issue.record("\(second)")
                return
            }
            try await installation.store.write { try commit($0) }
            #expect(try await forgery.verdicts(of: "d1").map(\.code) == ["unreadable"])
            #expect(try await installation.published(ChangePushed.self).last?.sha == sha)
            #expect(try await forgery.waiting() == 0)
        }
    }
}
