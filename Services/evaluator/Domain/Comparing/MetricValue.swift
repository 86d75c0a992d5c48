import Messages

/// One candidate's metrics as its run or its version reports them.
struct MetricSource: Hashable, Sendable {
    var metrics: [String: JSONValue]
    /// Where a version has no such metric, its tag of the same name counts (S2-11).
    var tags: [String: String] = [:]

    /// `nil`: missing. NaN and infinities are no measurements, and 0.0 is one (X3).
    func value(of metric: String) -> Double? {
        let found =
            metrics[metric].map { $0.double ?? $0.string.flatMap { Double($0) } } ?? tags[metric].flatMap { Double($0) }
        guard let number = found, number.isFinite else { return nil }
        return number
    }

    /// The names that a person may have meant (S3-15): where there are no metrics, those of the tags that are numbers.
    var names: [String] {
        metrics.isEmpty ? tags.keys.filter { value(of: $0) != nil }.sorted() : metrics.keys.sorted()
    }
}
