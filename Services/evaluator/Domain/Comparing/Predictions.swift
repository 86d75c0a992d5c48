import Foundation

/// What a model said of rows that it had not seen, beside what is true: the file `predictions.csv`.
struct Predictions: Hashable, Sendable {
    static let file = "predictions.csv"
    /// Bytes.
    static let largest = 64 << 20

    var labels: [String]
    var values: [String]
    /// All other columns: `id` pairs rows, any may be a slice.
    var columns: [String: [String]] = [:]

    var count: Int { labels.count }

    init(labels: [String], values: [String], columns: [String: [String]] = [:]) {
        self.labels = labels
        self.values = values
        self.columns = columns
    }

    /// - Parameter whose: for messages, like `the new model`.
    init(_ bytes: Data, whose: String) throws(Refusal) {
        var rows = CSVRows(bytes)
        guard let names = rows.next() else {
            throw Refusal("the predictions of \(whose) are empty; write a line of names, then one line for each row")
        }
        guard Set(names).count == names.count else {
            throw Refusal("the predictions of \(whose) have two columns of the same name")
        }
        var columns: [[String]] = names.map { _ in [] }
        var line = 1
        while let row = rows.next() {
            line += 1
            if row == [""] { continue }
            guard row.count == names.count else {
                throw Refusal(
                    "the predictions of \(whose) have \(row.count) values in row \(line), and \(names.count) columns")
            }
            for (index, value) in row.enumerated() { columns[index].append(value) }
        }
        var named = Dictionary(zip(names, columns), uniquingKeysWith: { first, _ in first })
        guard let labels = named.removeValue(forKey: "label"), let values = named.removeValue(forKey: "prediction")
        else {
            throw Refusal(
                "the predictions of \(whose) need the columns label and prediction; "
                    + "they have: \(names.joined(separator: ", "))")
        }
        guard !labels.isEmpty else { throw Refusal("the predictions of \(whose) hold no row") }
        (self.labels, self.values, self.columns) = (labels, values, named)
    }

    /// The same rows in the order of others: by `id` where both have one, else they have to be in that order already.
    func paired(with others: Predictions) throws(Refusal) -> Predictions {
        guard count == others.count else {
            throw Refusal(
                "the predictions of both models are about different rows: \(others.count) of the current model, "
                    + "\(count) of the new one; score both on one data set (against)")
        }
        var paired = self
        if let own = columns["id"], let wanted = others.columns["id"], own != wanted {
            let places = Dictionary(own.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
            let order = wanted.compactMap { places[$0] }
            guard order.count == count, places.count == count else {
                throw Refusal("the predictions of both models are about different rows: not all ids occur in both")
            }
            paired = Predictions(
                labels: order.map { labels[$0] }, values: order.map { values[$0] },
                columns: columns.mapValues { column in order.map { column[$0] } })
        }
        guard Self.same(paired.labels, others.labels) else {
            throw Refusal(
                "the predictions of both models are about different rows: their labels differ; "
                    + "score both on one data set (against), or give rows an id")
        }
        return paired
    }

    /// `1` and `1.0` are the same label.
    private static func same(_ one: [String], _ other: [String]) -> Bool {
        one == other || zip(one, other).allSatisfy { Self.same($0, $1) }
    }

    static func same(_ one: String, _ other: String) -> Bool {
        if one == other { return true }
        guard let number = Double(one), let second = Double(other) else { return false }
        return number == second
    }

    /// Whether each row is right.
    var hits: [Bool] { zip(labels, values).map { Self.same($0, $1) } }

    /// Label and prediction of each row as numbers; `nil` unless all are.
    var numbers: [(label: Double, value: Double)]? {
        var numbers: [(label: Double, value: Double)] = []
        numbers.reserveCapacity(count)
        for (label, value) in zip(labels, values) {
            guard let label = Double(label), let value = Double(value), label.isFinite, value.isFinite else {
                return nil
            }
            numbers.append((label, value))
        }
        return numbers
    }

    func rows(_ places: [Int]) -> Predictions {
        Predictions(labels: places.map { labels[$0] }, values: places.map { values[$0] })
    }
}

/// Rows of a CSV file (RFC 4180), one at a time.
struct CSVRows {
    private let bytes: [UInt8]
    private var place = 0

    init(_ data: Data) {
        let text = [UInt8](data)
        let mark: [UInt8] = [0xef, 0xbb, 0xbf]
        bytes = text.starts(with: mark) ? Array(text.dropFirst(3)) : text
    }

    /// `nil` at the end.
    mutating func next() -> [String]? {
        guard place < bytes.count else { return nil }
        var fields: [String] = []
        var field: [UInt8] = []
        var isQuoted = false
        while place < bytes.count {
            let byte = bytes[place]
            place += 1
            switch (byte, isQuoted) {
            case (UInt8(ascii: "\""), true):
                if place < bytes.count, bytes[place] == UInt8(ascii: "\"") {
                    field.append(byte)
                    place += 1
                } else {
                    isQuoted = false
                }
            case (UInt8(ascii: "\""), false) where field.isEmpty: isQuoted = true
            case (UInt8(ascii: ","), false):
                fields.append(String(decoding: field, as: UTF8.self))
                field = []
            case (10, false):
                if field.last == 13 { field.removeLast() }
                fields.append(String(decoding: field, as: UTF8.self))
                return fields
            default: field.append(byte)
            }
        }
        fields.append(String(decoding: field, as: UTF8.self))
        return fields
    }
}
