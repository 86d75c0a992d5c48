import Foundation
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

    @Test func `a time that is a bucket's limit is in it`() {
        var histogram = Histogram([1, 2])
        histogram.add(1)
        histogram.add(2.5)
        #expect(histogram.cumulative.map(\.count) == [1, 1, 2])
        #expect(histogram.cumulative.map(\.limit) == ["1.0", "2.0", "+Inf"])
    }

    @Test func `what is collected is as of the moment that it is asked for`() async {
        let metrics = MetricsRegistry()
        metrics.collect { $0.set("martlet_y", "Y.", to: 7) }
        #expect(await metrics.render().contains("martlet_y 7.0\n"))
    }

    @Test func `labels are escaped, whoever thought of them`() async {
        let metrics = MetricsRegistry()
        metrics.count("martlet_z_total", "Z.", labels: [("name", "a\"b\\c\nd")])
        #expect(await metrics.render().contains(#"martlet_z_total{name="a\"b\\c\nd"} 1.0"#))
    }

    @Test func `a name has so many series and no more, and what comes after them is counted together`() async {
        let metrics = MetricsRegistry()
        for number in 0..<(MetricsRegistry.mostSeries + 20) {
            metrics.count("martlet_z_total", "Z.", labels: [("verb", "acme/\(number)"), ("side", "x")])
            metrics.observe("martlet_z_seconds", "Z.", labels: [("verb", "acme/\(number)")], .seconds(1))
        }
        metrics.count("martlet_z_total", "Z.", labels: [("verb", "acme/0"), ("side", "x")])
        let lines = await metrics.render().split(separator: "\n")
        #expect(lines.count { $0.hasPrefix("martlet_z_total{") } == MetricsRegistry.mostSeries + 1)
        #expect(lines.contains(#"martlet_z_total{verb="other",side="other"} 20.0"#))
        #expect(lines.contains(#"martlet_z_total{verb="acme/0",side="x"} 2.0"#))
        #expect(lines.count { $0.hasPrefix("martlet_z_seconds_count{") } == MetricsRegistry.mostSeries + 1)
        #expect(lines.contains(#"martlet_z_seconds_count{verb="other"} 20.0"#))
    }

    @Test func `a process tells its memory, its files and its time`() async throws {
        let metrics = MetricsRegistry()
        metrics.collect { ProcessFigures.add(to: $0) }
        let text = await metrics.render()
        func value(_ name: String) throws -> Double {
            let line = try #require(text.split(separator: "\n").first { $0.hasPrefix(name + " ") })
            return try #require(Double(line.dropFirst(name.count + 1)))
        }
        #expect(try value("process_resident_memory_bytes") > 1e6)
        #expect(try value("process_open_fds") > 2)
        #expect(try value("process_cpu_seconds_total") > 0)
        let began = try value("process_start_time_seconds")
        #expect(abs(began - Date().timeIntervalSince1970) < 3600)
    }
}
