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
