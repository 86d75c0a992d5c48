import Messages

/// What one number must be: thresholds of `evaluate/assert` (E1).
struct Assertion: Hashable, Sendable {
    enum Bound: String, CaseIterable, Sendable {
        case lessThan = "less_than"
        case greaterThan = "greater_than"
        case atMost = "at_most"
        case atLeast = "at_least"
        case equals

        func holds(_ value: Double, _ limit: Double) -> Bool {
            switch self {
            case .lessThan: value < limit
            case .greaterThan: value > limit
            case .atMost: value <= limit
            case .atLeast: value >= limit
            case .equals: value == limit
            }
        }
    }

    enum OnFail: String, CaseIterable, Sendable {
        case notPromoted = "not_promoted"
        case report, fail

        var outcome: Outcome {
            switch self {
            case .notPromoted: .notPromoted
            case .report: .succeeded
            case .fail: .failed
            }
        }
    }

    var metric: String
    var bounds: [Bound: Double]
    var onFail: OnFail
    var remark: String?

    init(_ with: JSONValue) throws(Refusal) {
        guard let metric = try with.text("metric") else {
            throw Refusal("with.metric is missing: name a number of the run")
        }
        self.metric = metric
        bounds = [:]
        for bound in Bound.allCases {
            guard let value = with[bound.rawValue], value != .null else { continue }
            guard let limit = value.double ?? value.string.flatMap({ Double($0) }), limit.isFinite else {
                throw Refusal("with.\(bound.rawValue): write a number")
            }
            bounds[bound] = limit
        }
        guard !bounds.isEmpty else {
            let known = Bound.allCases.map(\.rawValue).joined(separator: ", ")
            throw Refusal("evaluate/assert: write what \(metric) must be, by one of \(known)")
        }
        onFail = try with.word("on_fail", default: .fail)
        remark = try with.text("message")
    }

    /// - Returns: whether it holds, and that in words with the number. A missing number never holds.
    func judge(_ source: MetricSource) -> (holds: Bool, message: String) {
        let wanted = bounds.map { "\($0.key.rawValue) \($0.value)" }.sorted().joined(separator: " and ")
        guard let value = source.value(of: metric) else {
            let known = source.names.isEmpty ? "none" : source.names.joined(separator: ", ")
            return (false, "Unable to find \(metric) metrics; the run's metrics are: \(known)")
        }
        let holds = bounds.allSatisfy { $0.key.holds(value, $0.value) }
        let numbers = "\(metric) is \(value), asked for: \(wanted)"
        return (holds, holds ? numbers : [remark, numbers].compactMap { $0 }.joined(separator: " "))
    }
}
