import Foundation
import Messages
import Testing

@testable import Martlet

struct BackOffTests {
    @Test func `a child that keeps dying is started ever later, and at last no more`() {
        var backOff = BackOff()
        var pauses: [Duration] = []
        while case .again(let pause) = backOff.died(after: .milliseconds(100)) { pauses.append(pause) }
        #expect(pauses.count == BackOff.mostQuickDeaths - 1)
        #expect(pauses.prefix(3) == [.milliseconds(200), .milliseconds(400), .milliseconds(800)])
        #expect(pauses.last == BackOff.longest)
    }

    @Test func `a child that lived is started again soon`() {
        var backOff = BackOff()
        for _ in 0..<5 { _ = backOff.died(after: .zero) }
        #expect(backOff.died(after: .seconds(60)) == .again(after: BackOff.first))
    }

    @Test func `what a child said since its start explains its end`() throws {
        let path = NSTemporaryDirectory() + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data("old error\n".utf8).write(to: URL(fileURLWithPath: path))
        let log = ServiceLog(path: path)
        let start = log.size
        #expect(log.lastLines(from: start).isEmpty)
        let file = try #require(FileHandle(forWritingAtPath: path))
        try file.seekToEnd()
        try file.write(contentsOf: Data("one\ntwo\n".utf8))
        #expect(log.lastLines(from: start) == ["one", "two"])
        #expect(log.lastLines(from: start, count: 1) == ["two"])
    }

    @Test func `only members with a known port can be moved by an option`() {
        let members = SuitePorts().members
        #expect(members.count == 8)
        #expect(members.first?.source == .eventBus)
        #expect(members.allSatisfy { ($0.port == 0) == ($0.portOption == nil) })
    }
}
