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
    }

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
            state.values[Series(name: name, labels: Self.text(labels))] = value
        }
    }

    package func count(_ name: String, _ help: String, labels: [(String, String)] = [], by step: Double = 1) {
        state.withLock { state in
            state.families[name] = Family(help: help, kind: "counter")
            state.values[Series(name: name, labels: Self.text(labels)), default: 0] += step
        }
    }

    package func set(_ name: String, _ help: String, labels: [(String, String)] = [], to value: Double) {
        state.withLock { state in
            state.families[name] = Family(help: help, kind: "gauge")
            state.values[Series(name: name, labels: Self.text(labels))] = value
        }
    }

    /// A gauge whose series come and go.
    package func replace(_ name: String, _ help: String, with series: [(labels: [(String, String)], value: Double)]) {
        state.withLock { state in
            state.families[name] = Family(help: help, kind: "gauge")
            state.values = state.values.filter { $0.key.name != name }
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
            state.histograms[Series(name: name, labels: Self.text(labels)), default: Histogram(buckets)]
                .add(time / .seconds(1))
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

/// How often something took how long, in seconds.
package struct Histogram: Sendable, Hashable {
    /// What a person or a client waits for.
    package static let requests = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
    /// What a pipeline waits for.
    package static let steps: [Double] = [0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14_400, 86_400]

    private let limits: [Double]
    private var counts: [Int]
    package private(set) var sum = 0.0
    package private(set) var count = 0

    package init(_ limits: [Double]) {
        self.limits = limits
        counts = [Int](repeating: 0, count: limits.count + 1)
    }

    package mutating func add(_ value: Double) {
        counts[limits.firstIndex { value <= $0 } ?? limits.count] += 1
        sum += value
        count += 1
    }

    /// Each bucket's upper limit, as Prometheus writes it, and how many were no longer than that.
    package var cumulative: [(limit: String, count: Int)] {
        var total = 0
        return zip(limits.map { "\($0)" } + ["+Inf"], counts).map { limit, count in
            total += count
            return (limit, total)
        }
    }
}
