import Messages
import ServiceKit
import Testing

@testable import TriggerService

struct NamesTests {
    @Test(arguments: [
        "ftp://host/x", "ext::sh -c id", "-oProxyCommand=x", "--upload-pack=x", "git://host/x", "http://host/x",
        "https://user:secret@host/x", "https://token@host/x", "ssh://me:secret@host/x", "relative/path", "", "a\u{0}b",
        "https://-x/y",
    ])
    func `addresses that hold credentials or could become something else are refused`(_ address: String) {
        #expect(throws: Refusal.self) { try RepositoryAddress(address) }
    }

    @Test func `paths and https and ssh addresses are taken`() throws {
        #expect(try RepositoryAddress("/srv/git/x").path == "/srv/git/x")
        #expect(try RepositoryAddress("file:///srv/git/x").path == "/srv/git/x")
        for address in ["https://host/x.git", "ssh://git@host/x", "git@host:x/y.git"] {
            #expect(try RepositoryAddress(address).path == nil)
        }
    }

    @Test func `branch names are those of git`() {
        for good in ["main", "feature/a-b", "release/1.0", "Grüße"] { #expect(GitNames.isBranch(good)) }
        for bad in [
            "", "-x", "a..b", "a b", "a~1", "a^", "a:b", "x.lock", ".x", "a/.b", "a//b", "a@{1}", "x.", "a\u{7}",
        ] {
            #expect(!GitNames.isBranch(bad), "\(bad)")
        }
    }

    @Test func `the default branch is where HEAD points, else the usual names`() {
        #expect(GitNames.defaultBranch(head: "dev", branches: ["dev", "main"]) == "dev")
        #expect(GitNames.defaultBranch(head: "master", branches: ["x", "main"]) == "main")
        #expect(GitNames.defaultBranch(head: nil, branches: ["z", "x"]) == "x")
        // A branch that comes later, with a name that sorts before, takes nothing over.
        #expect(GitNames.defaultBranch(head: "main", before: "r/1", branches: ["r/0", "r/1"]) == "r/1")
        #expect(GitNames.defaultBranch(head: "main", before: "r/1", branches: ["main", "r/1"]) == "main")
        #expect(GitNames.defaultBranch(head: "main", before: "r/1", branches: ["r/0"]) == "r/0")
        #expect(GitNames.defaultBranch(head: nil, branches: [String]()) == nil)
    }

    @Test func `waits grow and stay bounded`() {
        #expect([1, 2, 3, 4, 5, 6, 100].map(BackOff.afterFailures) == [1, 2, 5, 10, 30, 60, 60].map { .seconds($0) })
        #expect(RetryWait.beforeAttempt(2, first: .seconds(10)) == .seconds(10))
        #expect(RetryWait.beforeAttempt(60, first: .seconds(10)) == .seconds(3600))
    }

    @Test func `selectors are numbers, words, stages and tags`() {
        #expect(Selector("7") == .version(7))
        #expect(Selector("stage=production") == .stage("production"))
        #expect(Selector("tag:a=b=c") == .tag("a", "b=c"))
        #expect(Selector("newest") == nil && Selector("0") == nil)
    }
}

struct ChangeTests {
    @Test func `a change of very many files still fits into an event`() throws {
        let paths = (0..<3_000).map { "some/folder/with/a/long/name/file-\($0).py" }
        let change = ChangePushed(
            repository: "r", url: "/r", branch: "main", sha: "s", paths: paths, pathsTruncated: false, author: "a",
            message: "m")
        let fitting = change.fitting()
        #expect(try Wire.encode(fitting).count < 48 << 10)
        #expect(fitting.pathsTruncated && !fitting.paths.isEmpty)
        let small = ChangePushed(
            repository: "r", url: "/r", branch: "main", sha: "s", paths: ["a"], pathsTruncated: false, author: "a",
            message: "m")
        #expect(small.fitting() == small)
    }
}

struct LeasesTests {
    @Test func `a session lives as long as it is heard of, and a late sign of life is none`() {
        var leases = Leases()
        leases.open("a", now: .seconds(0))
        let renewed1 = leases.renew("a", now: .seconds(14))
        #expect(renewed1)
        #expect(leases.expired(now: .seconds(28)).isEmpty)
        #expect(leases.expired(now: .seconds(29)) == ["a"])
        let renewed2 = leases.renew("a", now: .seconds(29))
        #expect(!renewed2)
        leases.end("a")
        #expect(leases.expired(now: .seconds(100)).isEmpty)
        let renewed3 = leases.renew("b", now: .seconds(0))
        #expect(!renewed3)
    }
}
