import Foundation
import GRDB
import Messages
import Store
import Testing

@testable import Notifier

struct FileChannelTests {
    @Test func `each message is one line of JSON`() async throws {
        let desk = try await finishedRuns(2)
        try await desk.carryOut()
        let lines = try lines(desk)
        #expect(lines.count == 2)
        #expect(lines.allSatisfy { $0["type"] == "run.finished" && $0["project"] == "diabetes" })
        #expect(try await desk.deliveries().map(\.state) == [.sent, .sent])
    }

    @Test func `a line cut off by a crash is written whole, once`() async throws {
        let desk = try await finishedRuns(1)
        try await interrupt(desk)
        try FileManager.default.createDirectory(atPath: desk.notifications, withIntermediateDirectories: true)
        try Data("{\"delivery\":\"ea".utf8).write(to: file(desk))
        try await desk.carryOut()
        #expect(try lines(desk).count == 1)
        #expect(try await desk.deliveries().map(\.state) == [.sent])
    }

    @Test func `a line that was written before a crash is not written again`() async throws {
        let desk = try await finishedRuns(1)
        let delivery = try #require(try await desk.deliveries().first)
        _ = await NotificationFiles(root: desk.notifications).append(delivery, to: "all.jsonl")
        try await interrupt(desk)
        try await desk.carryOut()
        #expect(try lines(desk).count == 1)
    }

    @Test(arguments: ["../out", "/etc/x", "a/../../out", "", "a//b", "."])
    func `a channel cannot lead out of the folder`(path: String) async throws {
        #expect(ChannelPath(path) == nil)
    }

    @Test func `a link cannot lead out of the folder either`() async throws {
        let desk = try await finishedRuns(1, path: "out/all.jsonl")
        try FileManager.default.createDirectory(atPath: desk.notifications, withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(
            atPath: desk.notifications + "/out", withDestinationPath: desk.folder.path)
        try await desk.carryOut()
        #expect(try await desk.deliveries().map(\.state) == [.waiting])
        #expect(!FileManager.default.fileExists(atPath: desk.folder.path + "/all.jsonl"))
    }

    private func finishedRuns(_ count: Int, path: String = "all.jsonl") async throws -> Desk {
        let desk = try Desk()
        try await desk.prepare([fileRule(["run.finished"], path: path)])
        for _ in 0..<count { try await desk.hear(event(runFinished(.succeeded))) }
        return desk
    }

    private func interrupt(_ desk: Desk) async throws {
        let delivery = try #require(try await desk.deliveries().first)
        try await desk.store.write { try $0.move(delivery, to: .sending) }
    }

    private func file(_ desk: Desk) -> URL { URL(fileURLWithPath: desk.notifications + "/all.jsonl") }

    private func lines(_ desk: Desk) throws -> [JSONValue] {
        try Data(contentsOf: file(desk)).split(separator: 10).map { try Wire.decode(JSONValue.self, from: Data($0)) }
    }
}
