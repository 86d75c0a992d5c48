import Bus
import Foundation
import Messages
import Testing

@testable import EventBus

struct RouterTableTests {
    private let heads = RememberedHeads()
    private let client = RouterTable.Peer(identity: Data("client".utf8))
    private let target = RouterTable.Peer(identity: Data("target".utf8))

    private func request(
        _ method: String, _ to: String, _ params: String = "{}", number: UInt8 = 1, deadline: Duration = .seconds(5)
    ) -> RequestFrames {
        RequestFrames(
            correlation: Data(repeating: number, count: 16), method: method, target: to, deadline: deadline,
            params: Data(params.utf8))
    }

    private func status(_ output: RouterTable.Output?) -> Int? {
        guard let output, case .reply(let reply) = try? RequestMessage(parsing: output.frames) else { return nil }
        return reply.status
    }

    private func hello(_ table: inout RouterTable, from identity: RouterTable.Peer, _ params: String) -> [RouterTable
        .Output]
    {
        table.request(request("hello", "bus", params), from: identity, heads: heads, now: .zero)
    }

    @Test func `a request goes to whoever said hello, and the answer goes back to the asker`() throws {
        var table = RouterTable(life: 7)
        #expect(status(hello(&table, from: target, #"{"source":"deployer"}"#).first) == 200)
        let asked = table.request(
            request("m", "deployer", #"{"user":"root","a":1}"#), from: client, heads: heads, now: .zero)
        let onward = try #require(asked.first)
        #expect(onward.to == target.identity && asked.count == 1)
        guard case .request(let seen) = try RequestMessage(parsing: onward.frames) else { return }
        #expect(String(decoding: seen.params, as: UTF8.self) == #"{"a":1,"user":"local"}"#)
        let reply = ReplyFrames(correlation: seen.correlation, status: 200, params: Data("{}".utf8))
        #expect(table.reply(reply, from: client) == nil)
        let answered = table.reply(reply, from: target)
        let back = try #require(answered)
        #expect(back.to == client.identity)
        guard case .reply(let answer) = try RequestMessage(parsing: back.frames) else { return }
        #expect(answer.correlation == Data(repeating: 1, count: 16))
        #expect(table.reply(reply, from: target) == nil)
        #expect(table.openCount == 0)
    }

    @Test(arguments: [
        ("m", "nobody", "{}", 503), ("m", "bus", "{}", 404), ("m", "nobody", "[]", 400), ("m", "nobody", "{", 400),
        ("hello", "bus", "{}", 400), ("hello", "bus", #"{"source":"No"}"#, 400),
        ("hello", "bus", #"{"source":"bus"}"#, 400),
    ])
    func `what cannot be answered is refused at once`(method: String, to: String, params: String, expected: Int) {
        var table = RouterTable(life: 7)
        let outputs = table.request(request(method, to, params), from: client, heads: heads, now: .zero)
        #expect(outputs.map { status($0) } == [expected])
        #expect(table.openCount == 0)
    }

    @Test func `who asks, and how often, counts before what they ask is read; what cannot be read counts too`() {
        let (known, strange) = (String(repeating: "a", count: 40), String(repeating: "b", count: 40))
        let keys = AuthorizedKeys(parsing: "\(known) acme req=m rate=1", file: "keys")
        var table = RouterTable(life: 7, authority: Authority(keys))
        func ask(_ key: String) -> RouterTable.Output? {
            let peer = RouterTable.Peer(identity: Data("acme".utf8), key: PeerKey(key))
            return table.request(request("m", "nobody", "{"), from: peer, heads: heads, now: .zero).first
        }
        let answers = [ask(strange), ask(known), ask(known)]
        #expect(answers.map { status($0) } == [401, 400, 429])
        #expect(answers.map { $0?.denial } == [.key, .params, .rate])
    }

    @Test func `I6 a log older than what the bus has heard is refused`() {
        var table = RouterTable(life: 7)
        let say = { (epoch: Int, last: Int) in #"{"source":"deployer","epoch":\#(epoch),"last":\#(last)}"# }
        #expect(status(hello(&table, from: target, say(1_700_000_000_000, 10)).first) == 200)
        heads.observe("deployer", .init(epoch: 1_700_000_000_000, last: 12))
        let refused = hello(&table, from: client, say(1_700_000_000_000, 11))
        #expect(status(refused.first) == 409)
        #expect(status(hello(&table, from: client, say(1_600_000_000_000, 99)).first) == 409)
        // The one that publishes it has only not kept up with itself.
        #expect(status(hello(&table, from: target, say(1_700_000_000_000, 11)).first) == 200)
        #expect(status(hello(&table, from: target, say(1_700_000_000_000, 12)).first) == 200)
        #expect(status(hello(&table, from: target, say(1_700_000_000_001, 0)).first) == 200)
    }

    @Test func `a target that says hello anew takes over and what its former life owed is given up`() {
        var table = RouterTable(life: 7)
        _ = hello(&table, from: target, #"{"source":"deployer"}"#)
        _ = table.request(request("m", "deployer", number: 2), from: client, heads: heads, now: .zero)
        let outputs = hello(&table, from: RouterTable.Peer(identity: Data("new".utf8)), #"{"source":"deployer"}"#)
        #expect(outputs.map { status($0) } == [200, 503])
        let again = table.request(request("m", "deployer", number: 3), from: client, heads: heads, now: .zero)
        #expect(again.first?.to == Data("new".utf8))
    }

    @Test func `a replica that publishes no log does not take the place of one that does`() {
        var table = RouterTable(life: 7)
        _ = hello(&table, from: target, #"{"source":"deployer","epoch":1700000000000,"last":1}"#)
        #expect(status(hello(&table, from: client, #"{"source":"deployer"}"#).first) == 200)
        #expect(
            table.request(request("m", "deployer"), from: client, heads: heads, now: .zero).first?.to == target.identity
        )
        let later = RouterTable.leadership
        _ = table.request(request("hello", "bus", #"{"source":"deployer"}"#), from: client, heads: heads, now: later)
        #expect(
            table.request(request("m", "deployer"), from: target, heads: heads, now: later).first?.to == client.identity
        )
    }

    @Test func `a target that is gone is forgotten`() throws {
        var table = RouterTable(life: 7)
        _ = hello(&table, from: target, #"{"source":"deployer"}"#)
        let asked = table.request(request("m", "deployer"), from: client, heads: heads, now: .zero)
        let correlation = try #require(asked.first?.correlation)
        #expect(table.undelivered(correlation, isGone: true).map { status($0) } == [503])
        #expect(table.knownTargets.isEmpty && table.openCount == 0)
    }

    @Test func `a deadline that passes is answered with 504`() {
        var table = RouterTable(life: 7)
        _ = hello(&table, from: target, #"{"source":"deployer"}"#)
        _ = table.request(request("m", "deployer", deadline: .seconds(2)), from: client, heads: heads, now: .seconds(1))
        #expect(table.nextDeadline == .seconds(3))
        #expect(table.expire(now: .seconds(2)).isEmpty)
        #expect(table.expire(now: .seconds(3)).map { status($0) } == [504])
    }

    @Test func `one target cannot take all places`() {
        var table = RouterTable(life: 7)
        _ = hello(&table, from: target, #"{"source":"deployer"}"#)
        for _ in 0..<RouterTable.entriesOfTarget {
            _ = table.request(request("m", "deployer"), from: client, heads: heads, now: .zero)
        }
        let refused = table.request(request("m", "deployer"), from: client, heads: heads, now: .zero)
        #expect(refused.map { status($0) } == [429])
    }
}
