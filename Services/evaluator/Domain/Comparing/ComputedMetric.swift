/// A metric that is computed from predictions, where nobody reported it: its usual name is enough.
enum ComputedMetric: String, CaseIterable, Sendable {
    case accuracy
    case errorRate = "error_rate"
    case precision = "precision_macro"
    case recall = "recall_macro"
    case f1 = "f1_macro"
    case mse, rmse, mae, r2

    static var names: String { allCases.map(\.rawValue).joined(separator: ", ") }

    /// `nil` where it is not defined, as for texts that are no numbers.
    func value(of predictions: Predictions) -> Double? {
        guard predictions.count > 0 else { return nil }
        switch self {
        case .accuracy: return Self.share(predictions.hits)
        case .errorRate: return 1 - Self.share(predictions.hits)
        case .precision: return Self.classes(predictions).map(\.precision).mean
        case .recall: return Self.classes(predictions).map(\.recall).mean
        case .f1: return Self.classes(predictions).map(\.f1).mean
        case .mse: return predictions.numbers.map(Self.meanSquare)
        case .rmse: return predictions.numbers.map { Self.meanSquare($0).squareRoot() }
        case .mae: return predictions.numbers.flatMap { $0.map { abs($0.label - $0.value) }.mean }
        case .r2: return predictions.numbers.flatMap(Self.explained)
        }
    }

    private static func share(_ hits: [Bool]) -> Double { Double(hits.count { $0 }) / Double(hits.count) }

    private static func meanSquare(_ numbers: [(label: Double, value: Double)]) -> Double {
        numbers.reduce(0) { $0 + ($1.label - $1.value) * ($1.label - $1.value) } / Double(numbers.count)
    }

    private static func explained(_ numbers: [(label: Double, value: Double)]) -> Double? {
        guard let mean = numbers.map(\.label).mean else { return nil }
        let spread = numbers.reduce(0) { $0 + ($1.label - mean) * ($1.label - mean) }
        return spread > 0 ? 1 - meanSquare(numbers) * Double(numbers.count) / spread : nil
    }

    private struct ClassCounts {
        var right = 0
        var predicted = 0
        var actual = 0

        // A class that was never predicted counts as zero, not as missing.
        var precision: Double { predicted == 0 ? 0 : Double(right) / Double(predicted) }
        var recall: Double { actual == 0 ? 0 : Double(right) / Double(actual) }
        var f1: Double { predicted + actual == 0 ? 0 : 2 * Double(right) / Double(predicted + actual) }
    }

    /// Every class that occurs as a label or as a prediction; `1` and `1.0` are one class.
    private static func classes(_ predictions: Predictions) -> [ClassCounts] {
        var counts: [String: ClassCounts] = [:]
        for (label, value) in zip(predictions.labels, predictions.values) {
            let (label, value) = (name(label), name(value))
            counts[label, default: ClassCounts()].actual += 1
            counts[value, default: ClassCounts()].predicted += 1
            if label == value { counts[label, default: ClassCounts()].right += 1 }
        }
        return counts.sorted { $0.key < $1.key }.map(\.value)
    }

    private static func name(_ text: String) -> String { Double(text).map { String($0) } ?? text }
}

extension [Double] {
    fileprivate var mean: Double? { isEmpty ? nil : reduce(0, +) / Double(count) }
}
