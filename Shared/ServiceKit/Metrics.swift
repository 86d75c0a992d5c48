import Foundation
import Synchronization

/// Counters, gauges and histograms of one service in the Prometheus text form.
package final class MetricsRegistry: Sendable {
    private struct Series: Hashable {
        var name: String
        var labels: String
    }

    private struct Family {
        var help: String
        var kind: String
    }

    private struct State {
        var families: [String: Family] = [:]
        var values: [Series: Double] = [:]
        var histograms: [Series: Histogram] = [:]
        /// How many series each family has.
        var sizes: [String: Int] = [:]

        /// The series of these labels, or the one of all that came after a family was full: who writes project files or
        /// sends requests must not fill this process's memory and the operator's Prometheus.
        mutating func series(_ name: String, _ labels: [(String, String)]) -> Series {
            let wanted = Series(name: name, labels: MetricsRegistry.text(labels))
            if values[wanted] != nil || histograms[wanted] != nil { return wanted }
            guard !labels.isEmpty, sizes[name, default: 0] >= MetricsRegistry.mostSeries else {
                sizes[name, default: 0] += 1
                return wanted
            }
            return Series(name: name, labels: MetricsRegistry.text(labels.map { ($0.0, "other") }))
        }
    }

    /// Of one name.
    static let mostSeries = 500

    private let state = Mutex(State())
    private let collectors = Mutex<[@Sendable (MetricsRegistry) async -> Void]>([])

    package init() {}

    /// Called before each rendering, for what is counted elsewhere.
    package func collect(_ collector: @escaping @Sendable (MetricsRegistry) async -> Void) {
        collectors.withLock { $0.append(collector) }
    }

    /// A counter whose sum is kept elsewhere.
    package func total(_ name: String, _ help: String, labels: [(String, String)] = [], is value: Double) {
        state.withLock { state in
            state.families[name] = Family(help: help, kind: "counter")
            let series = state.series(name, labels)
            state.values[series] = value
        }
    }

    package func count(_ name: String, _ help: String, labels: [(String, String)] = [], by step: Double = 1) {
        state.withLock { state in
            state.families[name] = Family(help: help, kind: "counter")
            let series = state.series(name, labels)
            state.values[series, default: 0] += step
        }
    }

    package func set(_ name: String, _ help: String, labels: [(String, String)] = [], to value: Double) {
        state.withLock { state in
            state.families[name] = Family(help: help, kind: "gauge")
            let series = state.series(name, labels)
            state.values[series] = value
        }
    }

    /// A gauge whose series come and go.
    package func replace(_ name: String, _ help: String, with series: [(labels: [(String, String)], value: Double)]) {
        state.withLock { state in
            state.families[name] = Family(help: help, kind: "gauge")
            state.values = state.values.filter { $0.key.name != name }
            state.sizes[name] = series.count
            for (labels, value) in series { state.values[Series(name: name, labels: Self.text(labels))] = value }
        }
    }

    /// Adds a time to a histogram; the buckets are those of its first observation.
    package func observe(
        _ name: String, _ help: String, labels: [(String, String)] = [], _ time: Duration,
        buckets: [Double] = Histogram.requests
    ) {
        state.withLock { state in
            state.families[name] = Family(help: help, kind: "histogram")
            let series = state.series(name, labels)
            state.histograms[series, default: Histogram(buckets)].add(time / .seconds(1))
        }
    }

    private static func text(_ labels: [(String, String)]) -> String {
        labels.map { name, value in
            let escaped = value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
            return "\(name)=\"\(escaped)\""
        }.joined(separator: ",")
    }

    package func render() async -> String {
        for collector in collectors.withLock({ $0 }) { await collector(self) }
        return state.withLock { state in
            state.families.sorted { $0.key < $1.key }.map { name, family in
                let values = state.values.filter { $0.key.name == name }.sorted { $0.key.labels < $1.key.labels }
                    .map { Self.line(name, $0.key.labels, $0.value) }
                let histograms = state.histograms.filter { $0.key.name == name }
                    .sorted { $0.key.labels < $1.key.labels }.flatMap { Self.lines($0.key, $0.value) }
                return "# HELP \(name) \(family.help)\n# TYPE \(name) \(family.kind)\n"
                    + (values + histograms).joined()
            }.joined()
        }
    }

    private static func line(_ name: String, _ labels: String, _ value: Double) -> String {
        "\(name)\(labels.isEmpty ? "" : "{\(labels)}") \(value)\n"
    }

    private static func lines(_ series: Series, _ histogram: Histogram) -> [String] {
        let prefix = series.labels.isEmpty ? "" : series.labels + ","
        return histogram.cumulative.map { limit, count in
            line(series.name + "_bucket", prefix + "le=\"\(limit)\"", Double(count))
        } + [
            line(series.name + "_sum", series.labels, histogram.sum),
            line(series.name + "_count", series.labels, Double(histogram.count)),
        ]
    }
}
