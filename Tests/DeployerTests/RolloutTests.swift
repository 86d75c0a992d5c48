import Foundation
import Messages
import Testing

@testable import Deployer

func deployment(_ id: String, version: Int = 1, run: String? = nil, drain: Double? = nil) throws -> Deployment {
    var target = try ProcessTarget(name: "api", declaration: ["kind": "process", "command": "serve"], healthSeconds: 1)
    target.drainSeconds = drain
    let digest = try #require(Digest("sha256:" + String(repeating: "a", count: 64)))
    return Deployment(
        id: id, item: "item-\(id)", endpoint: "api", project: "p", target: "api", model: "m", version: version,
        run: run ?? "run-\(id)", recipe: Recipe(target: target, artifact: digest), causation: .first(actor: "user:x"))
}

extension Rollout {
    /// Through all of it, forgetting the facts.
    fileprivate mutating func handleAll(_ events: Event...) throws {
        for event in events { _ = try handle(event) }
    }

    fileprivate func phase(_ id: String) -> Deployment.Phase? { self[id]?.phase }
}

@Suite struct RolloutTests {
    /// `a` serves and passed; `b` has taken over and is not tested yet.
    private func replaced() throws -> Rollout {
        var rollout = Rollout(endpoint: "api")
        try rollout.handleAll(
            .began(try deployment("a")), .healthy("a"), .passed("a"), .began(try deployment("b", version: 2)),
            .healthy("b"))
        return rollout
    }

    @Test func `what replaces a version says how long the requests of that one may take, else it does itself`() throws {
        var rollout = Rollout(endpoint: "api")
        try rollout.handleAll(
            .began(try deployment("a", drain: 10)), .healthy("a"), .passed("a"), .began(try deployment("b", drain: 20)),
            .healthy("b"))
        #expect(rollout.drain(of: "a") == 20)
        // Taken back, it is replaced by none that came after it.
        try rollout.handleAll(.testFailed("b", reason: "wrong"))
        #expect(rollout.drain(of: "b") == 20)
        try rollout.handleAll(.began(try deployment("c")), .healthy("c"), .passed("c"))
        #expect(rollout.drain(of: "a") == 10 && rollout.drain(of: "c") == nil)
    }

    @Test func `a healthy deployment takes the endpoint over and the former one waits in reserve`() throws {
        var rollout = Rollout(endpoint: "api")
        #expect(try rollout.handle(.began(try deployment("a"))) == [.began("a")])
        #expect(rollout.current == nil && rollout.state == .stopped)
        #expect(try rollout.handle(.healthy("a")) == [.finished("a", .succeeded, message: nil), .changed(.serving)])
        try rollout.handleAll(.passed("a"), .began(try deployment("b")))
        #expect(rollout.current == "a")
        _ = try rollout.handle(.healthy("b"))
        #expect(rollout.current == "b")
        #expect(rollout.phase("a") == .standby)
        #expect(rollout["b"]?.previous == "a")
    }

    @Test func `a passed test lets the former one go`() throws {
        var rollout = try replaced()
        #expect(try rollout.handle(.passed("b")) == [])
        #expect(rollout.phase("a") == .retiring)
        #expect(rollout["b"]?.isProven == true)
    }

    @Test func `a run that succeeded proves its version and lets the former one go`() throws {
        var rollout = try replaced()
        #expect(try rollout.handle(.runEnded("run-b", succeeded: true)) == [])
        #expect(rollout.phase("a") == .retiring)
        #expect(rollout["b"]?.isProven == true)
    }

    @Test func `X8 a version that nobody tested does not outlive a run that failed`() throws {
        var rollout = try replaced()
        let reason = "its run ended without success, and the version has passed no smoke test"
        #expect(
            try rollout.handle(.runEnded("run-b", succeeded: false)) == [
                .rolledBack("b", restored: "a", reason: reason), .changed(.serving),
            ])
        #expect(rollout.current == "a" && rollout.phase("b") == .retiring)
    }

    @Test func `a version that passed its test stays, whatever else its run fails at`() throws {
        var rollout = try replaced()
        _ = try rollout.handle(.passed("b"))
        #expect(try rollout.handle(.runEnded("run-b", succeeded: false)) == [])
        #expect(rollout.current == "b")
    }

    @Test func `only the version that serves can be in trouble, and it is over when its process answers`() throws {
        var rollout = try replaced()
        try rollout.handleAll(.troubled("a", reason: "exit code 3"), .died("b"), .troubled("b", reason: "exit code 3"))
        #expect(rollout["a"]?.trouble == nil && rollout["b"]?.trouble == "exit code 3")
        _ = try rollout.handle(.healthy("b"))
        #expect(rollout["b"]?.trouble == nil)
    }

    @Test func `D4 a failed test brings the former one back`() throws {
        var rollout = try replaced()
        let facts = try rollout.handle(.testFailed("b", reason: "500"))
        #expect(facts == [.rolledBack("b", restored: "a", reason: "500"), .changed(.serving)])
        #expect(rollout.current == "a" && rollout.phase("a") == .serving && rollout.phase("b") == .retiring)
        #expect(try rollout.handle(.testFailed("b", reason: "again")) == [])
    }

    @Test func `a failed test of the first version leaves the endpoint empty`() throws {
        var rollout = Rollout(endpoint: "api")
        try rollout.handleAll(.began(try deployment("a")), .healthy("a"))
        let facts = try rollout.handle(.testFailed("a", reason: "500"))
        #expect(facts == [.rolledBack("a", restored: nil, reason: "500"), .changed(.stopped)])
        #expect(rollout.current == nil && rollout.phase("a") == .retiring)
    }

    @Test func `a version that was never proven is not gone back to`() throws {
        var rollout = Rollout(endpoint: "api")
        for id in ["a", "b", "c"] { try rollout.handleAll(.began(try deployment(id)), .healthy(id)) }
        _ = try rollout.handle(.passed("a"))
        #expect(rollout.predecessor?.id == "a")
    }

    @Test func `X8 a deployment that never gets healthy changes nothing for the one that serves`() throws {
        var rollout = Rollout(endpoint: "api")
        try rollout.handleAll(.began(try deployment("a")), .healthy("a"), .passed("a"), .began(try deployment("b")))
        #expect(try rollout.handle(.failed("b", reason: "exit 3")) == [.finished("b", .failed, message: "exit 3")])
        #expect(rollout.current == "a" && rollout.state == .serving && rollout.phase("b") == .retiring)
        #expect(try rollout.handle(.healthy("b")) == [])
    }

    @Test func `a canceled start ends canceled, a canceled run takes nothing back that serves`() throws {
        var rollout = try replaced()
        _ = try rollout.handle(.began(try deployment("c", run: "run-c")))
        #expect(
            try rollout.handle(.runEnded("run-c", succeeded: false)) == [
                .finished("c", .canceled, message: "its run ended")
            ])
        #expect(try rollout.handle(.canceled("b")) == [.changed(.unhealthy)])
        #expect(rollout.current == "b")
    }

    @Test func `a process that dies and comes back is told once each`() throws {
        var rollout = try replaced()
        #expect(try rollout.handle(.died("b")) == [.changed(.unhealthy)])
        #expect(try rollout.handle(.died("b")) == [])
        #expect(try rollout.handle(.healthy("b")) == [.changed(.serving)])
        #expect(try rollout.handle(.died("a")) == [])
    }

    @Test func `D5 rolling back twice goes back two versions`() throws {
        var rollout = Rollout(endpoint: "api")
        for (version, id) in ["a", "b", "c"].enumerated() {
            try rollout.handleAll(.began(try deployment(id, version: version + 1)), .healthy(id), .passed(id))
        }
        try rollout.handleAll(.stopped("a"), .stopped("b"))
        try rollout.handleAll(.rollbackPrepared)
        #expect(rollout.phase("b") == .standby)
        try rollout.handleAll(.healthy("b"), .rollback(reason: "x"))
        #expect(rollout.current == "b" && rollout.phase("c") == .retiring)
        _ = try rollout.handle(.rollback(reason: "x"))
        #expect(rollout.current == "a")
        #expect(throws: Rollout.Refusal.self) { try rollout.handle(.rollback(reason: "x")) }
    }

    @Test func `D5 a deployment that was asked back is taken back once`() throws {
        var rollout = Rollout(endpoint: "api")
        for (version, id) in ["a", "b", "c"].enumerated() {
            try rollout.handleAll(.began(try deployment(id, version: version + 1)), .healthy(id), .passed(id))
        }
        _ = try rollout.handle(.rollback(reason: "x", of: "c"))
        #expect(rollout.current == "b")
        #expect(throws: Rollout.Refusal(description: "endpoint 'api' serves another deployment by now")) {
            try rollout.handle(.rollback(reason: "x", of: "c"))
        }
        #expect(rollout.current == "b")
    }

    @Test func `one that is wanted again while it ends goes on`() throws {
        var rollout = try replaced()
        try rollout.handleAll(.passed("b"), .rollbackPrepared, .stopped("a"))
        #expect(rollout.phase("a") == .standby && rollout["a"]?.isUp == false)
    }

    @Test func `there is at most one in reserve`() throws {
        var rollout = try replaced()
        try rollout.handleAll(.began(try deployment("c")), .healthy("c"))
        #expect(rollout.phase("a") == .retiring && rollout.phase("b") == .standby && rollout.current == "c")
    }

    @Test func `whatever happens to one that has ended changes nothing`() throws {
        var rollout = try replaced()
        try rollout.handleAll(.passed("b"), .stopped("a"))
        let before = rollout
        for event in [.healthy("a"), .failed("a", reason: ""), .canceled("a"), .died("a"), .stopped("a")]
            as [Rollout.Event]
        {
            #expect(try rollout.handle(event) == [])
        }
        #expect(rollout == before)
    }
}
