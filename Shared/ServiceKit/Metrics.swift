import Foundation
import Synchronization

/// Counters and gauges of one service in the Prometheus text form.
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
    }

    private let state = Mutex(State())
    private let collectors = Mutex<[@Sendable (MetricsRegistry) -> Void]>([])

    package init() {}

    /// Called before each rendering, for what is counted elsewhere.
    package func collect(_ collector: @escaping @Sendable (MetricsRegistry) -> Void) {
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

    private static func text(_ labels: [(String, String)]) -> String {
        guard !labels.isEmpty else { return "" }
        let pairs = labels.map { name, value in
            let escaped = value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
            return "\(name)=\"\(escaped)\""
        }
        return "{" + pairs.joined(separator: ",") + "}"
    }

    package func render() -> String {
        for collector in collectors.withLock({ $0 }) { collector(self) }
        return state.withLock { state in
            state.families.sorted { $0.key < $1.key }.map { name, family in
                let lines = state.values.filter { $0.key.name == name }.sorted { $0.key.labels < $1.key.labels }
                    .map { "\(name)\($0.key.labels) \($0.value)\n" }
                return "# HELP \(name) \(family.help)\n# TYPE \(name) \(family.kind)\n" + lines.joined()
            }.joined()
        }
    }
}
