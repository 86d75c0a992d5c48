import Foundation
import Logging
import Messages
import Synchronization
import Testing

@testable import ServiceKit

struct LineLogTests {
    private final class Lines: Sendable {
        private let held = Mutex<[String]>([])
        var all: [String] { held.withLock { $0 } }
        func add(_ line: String) { held.withLock { $0.append(line) } }
    }

    private let lines = Lines()

    private func logger(_ form: LineLog.Form, _ secrets: KnownSecrets = KnownSecrets()) -> Logger {
        Logger(label: "evaluator") { [lines] in LineLog(label: $0, form: form, secrets: secrets) { lines.add($0) } }
    }

    private func object() throws -> JSONValue {
        try Wire.decode(JSONValue.self, from: Data(try #require(lines.all.first).utf8))
    }

    @Test func `a line is one JSON object, whatever is said`() throws {
        logger(.json).warning("two\nlines \"quoted\"", metadata: ["source": "console"])
        #expect(lines.all.count == 1 && lines.all[0].split(separator: "\n").count == 1)
        let object = try object()
        #expect(object["message"]?.string == "two\nlines \"quoted\"" && object["level"]?.string == "warning")
        #expect(object["service"]?.string == "evaluator" && object["source"]?.string == "console")
        #expect(object["time"]?.string.flatMap(Timestamp.init) != nil)
    }

    @Test func `nobody's words can take the place of a line's own members, or begin a line of text`() throws {
        logger(.json).info("x", metadata: ["level": "error", "service": "console", "message": "y"])
        let object = try object()
        #expect(object["level"] == "info" && object["service"] == "evaluator" && object["message"] == "x")
        logger(.text).info("x\n2026-01-01T00:00:00.000Z error console: y")
        #expect(lines.all[1].split(separator: "\n").count == 1)
    }

    @Test func `what is said while an event is handled has its run and its trace`() throws {
        let event = Envelope(
            id: "01938f7e-7c00-7abc-8def-0123456789ab", source: "/martlet/x", type: "t", subject: "s",
            time: Timestamp(milliseconds: 0), partitionkey: "k", causation: .first(actor: "user:x"),
            data: ["run": "r-1"])
        WorkContext.$current.withValue(.event(event)) { logger(.json).info("x") }
        let object = try object()
        #expect(object["run"]?.string == "r-1" && object["event"]?.string == event.id)
        #expect(object["trace"]?.string == "01938f7e7c007abc8def0123456789ab")
    }

    @Test(arguments: LineLog.Form.allCases)
    func `a secret that was read is covered in what is said`(form: LineLog.Form) {
        let secrets = KnownSecrets()
        for value in ["hunter2", "hunter2-and-more", "short"] { secrets.note(value) }
        logger(form, secrets).error("refused: hunter2-and-more, short", metadata: ["url": "x?key=hunter2"])
        #expect(!lines.all[0].contains("hunter2") && !lines.all[0].contains("and-more"))
        #expect(lines.all[0].contains("refused: ***, short") && lines.all[0].contains("x?key=***"))
    }

    @Test func `a secret is known once it was read from its file`() throws {
        let paths = DataPaths(root: NSTemporaryDirectory() + "martlet-log-" + UUID().uuidString)
        try paths.prepare(for: .notifier)
        defer { try? FileManager.default.removeItem(atPath: paths.root) }
        let word = "word-\(UUID().uuidString)"
        try Data((word + "\n").utf8).write(to: URL(fileURLWithPath: paths.secrets + "/WORD"))
        #expect(KnownSecrets.shared.covered(word) == word)
        #expect(try Secrets(paths: paths).value(of: "WORD") == word)
        #expect(KnownSecrets.shared.covered("it is \(word)!") == "it is ***!")
    }
}
