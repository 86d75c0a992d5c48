import Bus
import Foundation
import Messages
import Testing

@testable import Martlet

struct KeysTests {
    private static let key = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"

    private func entry(_ rights: Rights, client: String = "acme") throws -> AuthorizedKeys.Entry {
        AuthorizedKeys.Entry(key: try #require(PeerKey(Self.key)), client: client, rights: rights)
    }

    @Test func `every preset is written as it is read`() throws {
        let presets =
            Source.all.compactMap(Presets.service) + [
                Presets.operator, Presets.commandLine, Presets.integrator("acme"),
                Presets.worker("acme", verbs: ["acme/*"]),
            ]
        #expect(presets.count == Source.all.count + 3)
        for rights in presets {
            let read = AuthorizedKeys(parsing: try entry(rights).text, file: "keys")
            #expect(read.problems.isEmpty && read.entries.first?.rights == rights)
        }
    }

    @Test func `a service may write what only it may write`() throws {
        for body in allEventBodies {
            guard let owner = body.source else { continue }
            let topic = Array("e/\(owner)/\(body.eventType)".utf8)
            for source in Source.all where source != .ingest {
                let rights = try #require(Presets.service(source))
                let expected = source == owner || owner == .ingest && source == .triggerService
                #expect(topic.withUnsafeBytes { rights.mayPublish($0) } == expected, "\(source) \(body.name)")
            }
        }
    }

    @Test func `authorizing again changes nothing, other rights replace the line, comments stay`() throws {
        var lines = ["# kept", "\(Self.key) acme sub=feed", "broken"]
        #expect(lines.authorize(try entry(Presets.operator)))
        #expect(!lines.authorize(try entry(Presets.operator)))
        #expect(lines.count == 3 && lines[0] == "# kept" && lines[1].contains("req=fetch,snapshot"))
        lines.append("\(Self.key) acme sub=e/")
        #expect(lines.authorize(try entry(Presets.operator)))
        #expect(lines.filter { $0.hasPrefix(Self.key) }.count == 1)
    }

    @Test func `each client of a suite has a folder of its own, and a lost key is replaced with its line`() throws {
        let root = NSTemporaryDirectory() + "keys-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: root) }
        let clients = try SuiteKeys.prepare(each: root)
        #expect(clients.count == Source.all.count + 1 && clients.first == "event-bus" && clients.contains("martlet"))
        #expect(try SuiteKeys.prepare(each: root).isEmpty)
        let authorized = KeyFolder(path: root + "/event-bus").authorizedKeys
        for client in clients where client != "event-bus" {
            let folder = KeyFolder(path: "\(root)/\(client)")
            let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0 != ".lock" }
            #expect(names.sorted() == ["\(client).key", "event-bus.pub"].sorted())
            let own = try folder.credentials(of: client)
            #expect(try own.bus == KeyFolder(path: root + "/event-bus").pair(of: "event-bus").publicKey)
            #expect(AuthorizedKeys(reading: authorized).entries.count { $0.key == own.own.publicKey } == 1)
        }
        try FileManager.default.removeItem(atPath: root + "/notifier/notifier.key")
        #expect(try SuiteKeys.prepare(each: root) == ["notifier"])
        #expect(AuthorizedKeys(reading: authorized).entries.count { $0.client == "notifier" } == 1)
    }

    @Test func `revoking takes all lines of a client or of a key, also those with mistakes`() throws {
        let other = String(repeating: "a", count: 40)
        let all = [
            "\(Self.key) acme sub=feed", "\(other) acme sub=nonsense", "\(other.uppercased()) kim sub=feed", "# acme",
        ]
        var lines = all
        #expect(lines.revoke("acme").map(\.text) == [Self.key, other])
        #expect(lines == Array(all[2...]))
        #expect(lines.revoke("acme").isEmpty)
        #expect(lines.revoke(other.uppercased()).count == 1)
    }

    @Test func `the keys of a suite are made once, and what operators added stays`() throws {
        let folder = KeyFolder(path: FileManager.default.temporaryDirectory.path + "/keys-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(atPath: folder.path) }
        try SuiteKeys.prepare(folder)
        try folder.edit { $0.append("\(Self.key) kim sub=feed") }
        let before = try String(contentsOfFile: folder.authorizedKeys, encoding: .utf8)
        try SuiteKeys.prepare(folder)
        #expect(try String(contentsOfFile: folder.authorizedKeys, encoding: .utf8) == before)
        let keys = AuthorizedKeys(reading: folder.authorizedKeys)
        #expect(keys.problems.isEmpty && keys.entries.count == Source.all.count + 1)
        // `ingest` has no key: it belongs to trigger-service.
        #expect(!keys.entries.contains { $0.client == "ingest" })
    }

    @Test(arguments: [
        ["generate", "Acme"], ["generate", "local"], ["authorize", "acme"], ["authorize", "event-bus", "--operator"],
        ["authorize", "acme", "--operator", "--key", "short"], ["authorize", "acme", "--service", "acme"],
        ["authorize", "acme", "--pub", "e/*"], ["authorize", "acme", "--sub", "all"],
        ["authorize", "acme", "--rate", "5"],
        ["authorize", "acme", "--operator", "--rate", "0"], ["authorize", "acme", "--verbs", "*/x"], ["revoke", "A B"],
    ])
    func `what cannot be meant is a usage error`(words: [String]) async {
        let folder = FileManager.default.temporaryDirectory.path + "/keys-\(UUID().uuidString)"
        #expect(await CommandLineRun.run(["keys"] + words + ["--keys", folder]) == CommandLineRun.usage)
        #expect(!FileManager.default.fileExists(atPath: folder))
    }
}
