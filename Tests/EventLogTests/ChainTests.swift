import EventLog
import Foundation
import Messages
import Testing

@Suite struct ChainTests {
    private let start = Chain.start(of: .registryService, epoch: 1_700_000_000_000, parent: nil)

    @Test func `a chain begins with its source and epoch`() {
        #expect(start != Chain.start(of: .deployer, epoch: 1_700_000_000_000, parent: nil))
        #expect(start != Chain.start(of: .registryService, epoch: 1_700_000_000_001, parent: nil))
    }

    @Test func `a new epoch's chain depends on where it goes on from`() {
        let parent = LogParent(epoch: 1, seq: 7, chain: start)
        #expect(start != Chain.start(of: .registryService, epoch: 1_700_000_000_000, parent: parent))
    }

    @Test func `the same events give the same chain, any other body or topic another`() {
        let a = start.next(topic: "e/x/y", body: Data("1".utf8))
        #expect(a == start.next(topic: "e/x/y", body: Data("1".utf8)))
        #expect(a != start.next(topic: "e/x/y", body: Data("2".utf8)))
        #expect(a != start.next(topic: "e/x/z", body: Data("1".utf8)))
    }

    @Test func `a topic's end is marked: text moved from topic to body shows`() {
        #expect(start.next(topic: "ab", body: Data("c".utf8)) != start.next(topic: "a", body: Data("bc".utf8)))
    }

    @Test(arguments: ["", "zz", String(repeating: "A", count: 32), String(repeating: "a", count: 33)])
    func `only 32 lower-case hex digits are a chain`(text: String) {
        #expect(Chain(hex: text) == nil)
    }

    /// The value another implementation must reach: `printf 'MB1registry-service1700000000000' | sha256sum`.
    @Test func `golden: the first value of a log`() {
        #expect(start.hex == "7605ae322b67e7d305a11c49440d7306")
    }

    @Test func `golden: the test vectors of docs/protocol.md`() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let page = try String(contentsOf: root.appendingPathComponent("docs/protocol.md"), encoding: .utf8)
        let (log, epoch) = (Source.registryService, Int64(1_700_000_000_000))
        let first = start.next(
            topic: "e/\(log)/dev.martlet.model.registered.v1", body: Data(#"{"specversion":"1.0","id":"1"}"#.utf8))
        let second = first.next(topic: "e/\(log)/dev.martlet.model.tagged.v1", body: Data(#"{"note":"größer"}"#.utf8))
        let parent = LogParent(epoch: epoch, seq: 2, chain: second)
        let third = Chain.start(of: log, epoch: epoch + 1, parent: parent)
        for (index, chain) in [start, first, second, third].enumerated() {
            #expect(
                page.split(separator: "\n").contains {
                    $0.hasPrefix("| c\(index) |") && $0.hasSuffix("| `\(chain)` |")
                },
                "c\(index) is \(chain)")
        }
    }
}
