import Bus
import Foundation
import Messages
import ServiceKit
import Testing

@testable import Martlet

struct RestartPolicyTests {
    @Test func `a child that keeps dying is started ever later, at last once a minute, until it lives`() {
        var restarts = RestartPolicy()
        var pauses: [Duration] = []
        while case .again(let pause) = restarts.died(after: .milliseconds(100)) { pauses.append(pause) }
        #expect(pauses.count == RestartPolicy.mostQuickDeaths - 1)
        #expect(pauses.prefix(3) == [.milliseconds(200), .milliseconds(400), .milliseconds(800)])
        #expect(pauses.last == RestartPolicy.longest)
        #expect(restarts.died(after: .zero) == .rest(RestartPolicy.resting, isNew: false))
        #expect(restarts.died(after: .seconds(60)) == .again(after: RestartPolicy.first))
    }

    @Test func `that a child is tried seldom from now on is news once`() {
        var restarts = RestartPolicy(resting: .seconds(7))
        let verdicts = (0..<RestartPolicy.mostQuickDeaths + 2).map { _ in restarts.died(after: .zero) }
        let rests: [RestartPolicy.Verdict] = [true, false, false].map { .rest(.seconds(7), isNew: $0) }
        #expect(verdicts.suffix(3) == rests[...])
    }

    @Test func `a child that lived is started again soon`() {
        var restarts = RestartPolicy()
        for _ in 0..<5 { _ = restarts.died(after: .zero) }
        #expect(restarts.died(after: .seconds(60)) == .again(after: RestartPolicy.first))
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

    @Test func `a log that has grown begins anew under its writer, and what it held is kept`() throws {
        let path = NSTemporaryDirectory() + UUID().uuidString
        defer { for end in ["", ".1"] { try? FileManager.default.removeItem(atPath: path + end) } }
        try Data(repeating: 10, count: ServiceLog.largest).write(to: URL(fileURLWithPath: path))
        let log = ServiceLog(path: path)
        #expect(!log.rotate())
        let file = try #require(FileHandle(forWritingAtPath: path))
        try file.seekToEnd()
        try file.write(contentsOf: Data("last\n".utf8))
        try file.close()
        #expect(log.rotate() && log.size == 0)
        #expect(ServiceLog(path: path + ".1").lastLines(from: 0) == ["last"])
    }

    @Test func `only members with a known port can be moved by an option`() {
        let members = SuitePorts().members
        #expect(members.count == 8)
        #expect(members.first?.source == .eventBus)
        #expect(members.allSatisfy { ($0.port == 0) == ($0.portOption == nil) })
    }

    @Test func `of two buses each is a process of its own, and everybody dials both`() throws {
        let buses = try ["tcp://127.0.0.1:5550", "tcp://*:5560"].map { try BusAddress($0) }
        let members = SuitePorts().members(on: buses)
        #expect(members.count == 9 && members.filter(\.isBus).map(\.source.name) == ["event-bus", "event-bus-2"])
        let paths = DataPaths(root: "/data")
        let words = members.map { $0.arguments(paths: paths, executables: "/bin", parent: 7) }
        #expect(words[0].prefix(1) == ["/bin/event-bus"] && words[0].suffix(2) == ["--bus", "tcp://127.0.0.1:5550"])
        #expect(words[1].prefix(1) == ["/bin/event-bus"])
        #expect(words[1].suffix(4) == ["--bus", "tcp://*:5560", "--name", "event-bus-2"])
        #expect(words[2].suffix(4) == ["--bus", "tcp://127.0.0.1:5550", "--bus", "tcp://127.0.0.1:5560"])
    }
}
