import Foundation
import Logging
import Messages
import Synchronization
import Testing

@testable import ServiceKit

struct MetricsTests {
    @Test func `a histogram counts each time in every bucket that it is not longer than`() async {
        let metrics = MetricsRegistry()
        for milliseconds in [5, 50, 500, 5000] {
            metrics.observe(
                "martlet_x_seconds", "X.", labels: [("verb", "run")], .milliseconds(milliseconds),
                buckets: [0.01, 0.1, 1])
        }
        let text = await metrics.render()
        #expect(
            text == """
                # HELP martlet_x_seconds X.
                # TYPE martlet_x_seconds histogram
                martlet_x_seconds_bucket{verb="run",le="0.01"} 1.0
                martlet_x_seconds_bucket{verb="run",le="0.1"} 2.0
                martlet_x_seconds_bucket{verb="run",le="1.0"} 3.0
                martlet_x_seconds_bucket{verb="run",le="+Inf"} 4.0
                martlet_x_seconds_sum{verb="run"} 5.555
                martlet_x_seconds_count{verb="run"} 4.0

                """)
    }

    @Test func `what is collected is as of the moment that it is asked for`() async {
        let metrics = MetricsRegistry()
        metrics.collect { $0.set("martlet_y", "Y.", to: 7) }
        #expect(await metrics.render().contains("martlet_y 7.0\n"))
    }
}

struct LineLogTests {
    private final class Lines: Sendable {
        private let held = Mutex<[String]>([])
        var all: [String] { held.withLock { $0 } }
        func add(_ line: String) { held.withLock { $0.append(line) } }
    }

    private func logger(_ form: LineLog.Form, _ lines: Lines) -> Logger {
        Logger(label: "evaluator") { LineLog(label: $0, form: form, write: { lines.add($0) }) }
    }

    @Test func `a line is one JSON object, whatever is said`() throws {
        let lines = Lines()
        logger(.json, lines).warning("two\nlines \"quoted\"", metadata: ["source": "console"])
        #expect(lines.all.count == 1 && lines.all[0].split(separator: "\n").count == 1)
        let object = try Wire.decode(JSONValue.self, from: Data(lines.all[0].utf8))
        #expect(object["message"]?.string == "two\nlines \"quoted\"" && object["level"]?.string == "warning")
        #expect(object["service"]?.string == "evaluator" && object["source"]?.string == "console")
        #expect(object["time"]?.string.flatMap(Timestamp.init) != nil)
    }

    @Test func `what is said while an event is handled has its run and its trace`() throws {
        let lines = Lines()
        let event = Envelope(
            id: "01938f7e-7c00-7abc-8def-0123456789ab", source: "/martlet/x", type: "t", subject: "s",
            time: Timestamp(milliseconds: 0), partitionkey: "k", causation: .first(actor: "user:x"),
            data: ["run": "r-1"])
        WorkContext.$current.withValue(.event(event)) { logger(.json, lines).info("x") }
        let object = try Wire.decode(JSONValue.self, from: Data(lines.all[0].utf8))
        #expect(object["run"]?.string == "r-1" && object["trace"]?.string == "01938f7e7c007abc8def0123456789ab")
    }

    @Test func `a secret that was read is covered in what is said`() {
        let lines = Lines()
        KnownSecrets.shared.note("hunter2-hunter2")
        logger(.text, lines).error("refused: hunter2-hunter2", metadata: ["url": "x?key=hunter2-hunter2"])
        #expect(!lines.all[0].contains("hunter2") && lines.all[0].contains("***"))
    }
}
