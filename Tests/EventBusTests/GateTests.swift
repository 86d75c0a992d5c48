import Bus
import Foundation
import Messages
import Testing

@testable import EventBus

struct TokenBucketTests {
    @Test func `a second's worth at once, then so many a second, and no more after a long pause`() {
        var bucket = TokenBucket(rate: 10, now: .zero)
        func taken(_ now: Duration) -> Int {
            var count = 0
            while bucket.take(now: now) { count += 1 }
            return count
        }
        #expect(taken(.zero) == 10)
        #expect(taken(.zero) == 0)
        #expect(taken(.milliseconds(500)) == 5)
        #expect(taken(.milliseconds(550)) == 0)
        #expect(taken(.milliseconds(600)) == 1)
        #expect(taken(.seconds(3600)) == 10)
        // A clock that goes back fills nothing.
        #expect(taken(.seconds(10)) == 0)
    }

    @Test func `another rate does not fill the bucket`() {
        var bucket = TokenBucket(rate: 10, now: .zero)
        for _ in 0..<10 { _ = bucket.take(now: .zero) }
        bucket = bucket.with(rate: 1000, now: .zero)
        let isFull = bucket.take(now: .zero)
        #expect(!isFull)
        var full = TokenBucket(rate: 1000, now: .zero).with(rate: 2, now: .zero)
        let taken = (0..<5).map { _ in full.take(now: .zero) }
        #expect(taken == [true, true, false, false, false])
    }

    @Test func `all keys of a client share its rate`() {
        var limits = RateLimits()
        let client = Authority.Client(name: "acme", rights: Rights(rate: 2))
        let taken = (0..<3).map { _ in limits.take(client, now: .zero) }
        #expect(taken == [true, true, false])
        limits.keep(["kim"])
        let isNew = limits.take(client, now: .zero)
        #expect(isNew)
    }
}

private func forty(_ letter: Character) -> String { String(repeating: letter, count: 40) }

private let everybody = """
    \(forty("a")) acme pub=e/acme/*,t/acme/* sub=e/acme/ rate=5
    \(forty("b")) kim sub=feed
    \(forty("c")) registry-service pub=e/registry-service/* req=fetch
    """

struct LiveGateTests {
    private func key(_ letter: Character) throws -> PeerKey { try #require(PeerKey(forty(letter))) }
    private func authority(_ text: String = everybody) -> Authority {
        Authority(AuthorizedKeys(parsing: text, file: "keys"))
    }

    @Test(
        arguments: [
            ("a", "e/acme/org.x", nil), ("a", "t/acme/x", nil), ("a", "h/acme", nil),
            ("a", "e/other/org.x", Denial.publish),
            ("a", "h/registry-service", .publish), ("a", "t/other/x", .publish),
            ("a", "e/acme/dev.martlet.run.finished.v1", .type), ("b", "e/kim/x", .publish), ("b", "h/kim", .publish),
            ("c", "e/registry-service/dev.martlet.model.registered.v1", nil),
            ("c", "e/registry-service/dev.martlet.run.finished.v1", .type), ("c", "t/registry-service/x", .publish),
            ("d", "e/acme/org.x", .key),
        ] as [(Character, String, Denial?)])
    func `a message passes by the rights of its key`(letter: Character, topic: String, expected: Denial?) throws {
        var gate = LiveGate(authority: authority())
        let parsed = try #require(LiveTopic(topic))
        let sender = try key(letter)
        var found: Denial?
        do throws(Denial) {
            try check(parsed, try gate.enter(sender, now: .zero), gate)
        } catch {
            found = error
        }
        #expect(found == expected)
    }

    private func check(_ topic: LiveTopic, _ client: Authority.Client, _ gate: LiveGate) throws(Denial) {
        let denial = Array(topic.text.utf8).withUnsafeBytes { bytes -> Denial? in
            do throws(Denial) {
                try gate.check(topic, bytes, of: client)
                return nil
            } catch {
                return error
            }
        }
        if let denial { throw denial }
    }

    @Test func `without a key nothing passes, except on a local bus`() throws {
        var gate = LiveGate(authority: authority())
        #expect(throws: Denial.key) { try gate.enter(nil, now: .zero) }
        var local = LiveGate(authority: .local)
        #expect(try local.enter(nil, now: .zero).name == "local")
        #expect(local.mayHear("", nil) && !gate.mayHear("h/event-bus", nil))
        let (known, stranger) = (try key("c"), try key("d"))
        #expect(gate.mayHear("h/event-bus", known) && !gate.mayHear("h/event-bus", stranger))
    }

    @Test func `the type of an event is checked on a local bus too`() throws {
        var gate = LiveGate(authority: .local)
        let client = try gate.enter(nil, now: .zero)
        let topic = try #require(LiveTopic("e/deployer/\(ModelStageChanged.eventType)"))
        #expect(throws: Denial.type) { try check(topic, client, gate) }
    }

    @Test func `rates are kept`() throws {
        var gate = LiveGate(authority: authority())
        let acme = try key("a")
        for _ in 0..<5 { _ = try gate.enter(acme, now: .zero) }
        #expect(throws: Denial.rate) { try gate.enter(acme, now: .zero) }
        _ = gate.adopt(authority(everybody + "\n"))
        #expect(throws: Denial.rate) { try gate.enter(acme, now: .zero) }
        _ = try gate.enter(acme, now: .seconds(1))
    }

    @Test func `a key is let in when a line authorizes it`() throws {
        let authority = authority()
        for letter in "abc" { #expect(authority.admits(try key(letter))) }
        #expect(!authority.admits(try key("d")))
    }
}

struct ZapTests {
    private let key = Data(repeating: 7, count: 32)

    private func request(_ change: (inout [Data]) -> Void = { _ in }) -> [Data] {
        var frames = frames("1.0", "1", "feed", "127.0.0.1", "", "CURVE") + [key]
        change(&frames)
        return frames
    }

    @Test func `a handshake names its door and its key`() throws {
        let read = try #require(ZapRequest(parsing: request()))
        #expect(read.door == .feed && read.address == "127.0.0.1" && read.key.text.utf8.count == 40)
        #expect(ZapReply.frames(to: request(), admitting: read.key)[2] == Data("200".utf8))
        #expect(ZapReply.frames(to: request(), admitting: read.key)[4] == Data(read.key.text.utf8))
    }

    @Test func `everything else is refused`() {
        let bad: [[Data]] = [
            [], [Data()], request { $0.removeLast() }, request { $0.append(Data()) },
            request { $0[0] = Data("2.0".utf8) },
            request { $0[2] = Data() }, request { $0[2] = Data("other".utf8) }, request { $0[5] = Data("NULL".utf8) },
            request { $0[5] = Data("PLAIN".utf8) }, request { $0[6] = Data(count: 31) }, request { $0[6] = Data() },
        ]
        for frames in bad {
            #expect(ZapRequest(parsing: frames) == nil)
            let reply = ZapReply.frames(to: frames, admitting: nil)
            #expect(reply.count == 6 && reply[2] == Data("300".utf8) && reply[4].isEmpty)
        }
    }
}

struct DenialLedgerTests {
    @Test func `the first is told at once, the next ones once a minute with their number`() throws {
        var ledger = DenialLedger()
        func due(_ second: Int) -> [ClientDenied] { ledger.due(now: .seconds(second)) }
        ledger.note("rate", client: "acme", now: .zero)
        #expect(due(0).map(\.client) == ["acme"])
        for second in 1...59 {
            ledger.note("rate", client: "acme", example: "t/acme/\(second)", now: .seconds(second))
            #expect(due(second).isEmpty)
        }
        ledger.note("publish", client: "acme", now: .seconds(59))
        let told = try #require(due(60).first)
        #expect(told.reasons == [.init(reason: "publish", count: 1), .init(reason: "rate", count: 59)])
        #expect(told.seconds == 59 && told.example == "t/acme/59")
        #expect(due(1000).isEmpty)
    }

    @Test func `many clients are told under one name`() {
        var ledger = DenialLedger()
        for number in 0..<1000 { ledger.note("rate", client: "c\(number)", now: .zero) }
        let told = ledger.due(now: .zero)
        #expect(told.count == DenialLedger.mostClients + 1)
        #expect(told.first { $0.client == "other" }?.reasons.first?.count == 1000 - DenialLedger.mostClients)
    }

    @Test func `reports wait for ingest, are sent again and are bounded`() throws {
        var reporter = DenialReporter()
        for number in 0..<300 {
            reporter.add(ClientDenied(client: "c\(number)", reasons: [], seconds: 0), at: Timestamp(milliseconds: 1))
        }
        #expect(reporter.count == DenialReporter.most && reporter.lost == 300 - DenialReporter.most)
        func next(_ second: Int) -> RequestFrames? { reporter.next(now: .seconds(second)) }
        let first = next(0)
        #expect(first?.target == "ingest" && first?.method == "publish")
        #expect(next(0) == nil)
        let correlation = try #require(first?.correlation)
        reporter.answered(ReplyFrames(correlation: correlation, status: 503, params: Data()), now: .zero)
        #expect(next(4) == nil)
        let again = next(5)
        #expect(again == first)
        reporter.answered(ReplyFrames(correlation: Data(count: 16), status: 200, params: Data()), now: .seconds(5))
        #expect(reporter.count == DenialReporter.most)
        reporter.answered(ReplyFrames(correlation: correlation, status: 200, params: Data()), now: .seconds(5))
        #expect(reporter.count == DenialReporter.most - 1)
        #expect(next(5)?.body != first?.body)
    }
}

struct SubscriptionLedgerTests {
    private let greedy = PeerKey(forty("g"))
    private let modest = PeerKey(forty("m"))

    @Test func `who asks for too much is found, whoever asked last`() throws {
        var ledger = SubscriptionLedger()
        let (greedy, modest) = (try #require(greedy), try #require(modest))
        var number = 0
        while !ledger.isFull {
            number += 1
            ledger.subscribed(greedy, Data("e/acme/\(number)".utf8))
        }
        ledger.subscribed(modest, Data("e/".utf8))
        #expect(ledger.greediest == greedy && number > 10_000)
    }

    @Test func `what was never asked for makes no room, what peers take along does`() throws {
        var ledger = SubscriptionLedger()
        let (greedy, modest) = (try #require(greedy), try #require(modest))
        ledger.subscribed(modest, Data("e/deployer/".utf8))
        for _ in 0..<100 { ledger.unsubscribed(greedy, Data("e/deployer/".utf8)) }
        ledger.unsubscribed(modest, Data("e/other/".utf8))
        #expect(ledger.held == 12)
        ledger.unsubscribed(modest, Data("e/deployer/".utf8))
        ledger.unsubscribed(modest, Data("e/deployer/".utf8))
        #expect(ledger.held == 0)
        ledger.subscribed(modest, Data("h/".utf8))
        ledger.gone(Data("h/".utf8))
        #expect(ledger.held == 0)
    }

    @Test func `whoever comes and goes often is not taken for whoever asked for most`() throws {
        var ledger = SubscriptionLedger()
        let (greedy, modest) = (try #require(greedy), try #require(modest))
        let (own, shared) = (Data(repeating: 0x74, count: 199), Data(repeating: 0x65, count: 199))
        ledger.subscribed(greedy, shared)
        for _ in 0..<50_000 {
            for prefix in [own, shared] { ledger.subscribed(modest, prefix) }
            for prefix in [own, shared] { ledger.gone(prefix) }
        }
        #expect(ledger.held == 200 && !ledger.isFull)
        ledger.subscribed(greedy, Data("e/acme/".utf8))
        #expect(ledger.greediest == greedy)
    }
}
