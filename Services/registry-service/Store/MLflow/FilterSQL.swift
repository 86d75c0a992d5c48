import Foundation
import GRDB
import Messages

/// A filter as SQL: what a client wrote only ever becomes an argument.
struct FilterSQL {
    /// Where the parts of one kind of thing are stored.
    struct Place {
        /// Column by attribute.
        var columns: [String: String]
        /// Table, its column that names the thing, and the thing's own column.
        var tags: (table: String, owner: String)
        var parameters: (table: String, owner: String)?
        var metrics: (table: String, owner: String)?
        /// A thing may have many values of a metric, each with its data set: any of them may fit, the latest gives the
        /// order. Else it has one.
        var hasManyMeasurements = false
        var inputs: (table: String, owner: String)?
        /// The thing's own columns, and those of its tags' table that name it: where few things have a tag's value, they
        /// are found by that value, which needs an index on key and value.
        var tagged: (thing: String, owner: String)?
        /// Tags that some things have because of something else, and a tag's value as SQL, in which its name stands twice.
        var mirrored: (keys: Set<String>, value: String)?
        /// A thing without the tag also has "not that value".
        var absentIsUnequal = false
        /// How a stage is shown where a version has none.
        var attributeDefault: [String: String] = [:]
    }

    private(set) var conditions: [String] = []
    private(set) var arguments: StatementArguments = []
    private let place: Place
    private let isRare: (_ key: String, _ value: String) -> Bool

    /// - Parameter isRare: whether few things have that tag.
    init(
        _ filter: Filter, _ place: Place, isRare: @escaping (_ key: String, _ value: String) -> Bool = { _, _ in false }
    ) throws(MLflowError) {
        self.place = place
        self.isRare = isRare
        for condition in filter.conditions { try add(condition, filter.datasets) }
        let asksForMetrics = filter.conditions.contains { if case .metric = $0.field { true } else { false } }
        guard !filter.datasets.isEmpty, !asksForMetrics, let metrics = place.metrics else { return }
        let (sql, arguments) = Self.measured(on: filter.datasets)
        add("EXISTS (SELECT 1 FROM \(metrics.table) x WHERE \(metrics.owner)\(sql))", arguments)
    }

    mutating func add(_ condition: String, _ arguments: StatementArguments = []) {
        conditions.append(condition)
        self.arguments += arguments
    }

    var whereClause: String { conditions.isEmpty ? "" : "WHERE " + conditions.joined(separator: " AND ") }

    private mutating func add(_ condition: Filter.Condition, _ datasets: [MetricDataset]) throws(MLflowError) {
        switch condition.field {
        case .attribute(let name):
            guard let column = place.columns[name] else { throw .invalid("'\(name)' cannot be searched for here") }
            let (sql, arguments) = Self.test(condition.test, column)
            add(sql, arguments)
        case .metric(let key):
            let (sql, arguments) = Self.measured(on: datasets)
            try add(key, condition.test, place.metrics, value: "value", and: " AND x.is_nan = 0\(sql)", arguments)
        case .parameter(let key): try add(key, condition.test, place.parameters, value: "value")
        case .tag(let key):
            if let mirrored = place.mirrored, mirrored.keys.contains(key) {
                add(mirrored: key, condition.test, "(\(mirrored.value))")
            } else {
                try add(key, condition.test, place.tags, value: "value", isTag: true)
            }
        case .dataset(let part):
            guard let inputs = place.inputs else { throw .invalid("There are no data sets to search for here") }
            let (sql, arguments) = Self.test(condition.test, "x.\(part)")
            add("EXISTS (SELECT 1 FROM \(inputs.table) x WHERE \(inputs.owner) AND \(sql))", arguments)
        }
    }

    private mutating func add(
        _ key: String, _ test: Filter.Test, _ table: (table: String, owner: String)?, value: String,
        and further: String = "", _ furtherArguments: StatementArguments = [], isTag: Bool = false
    ) throws(MLflowError) {
        guard let table else { throw .invalid("'\(key)' cannot be searched for here") }
        let row = "SELECT 1 FROM \(table.table) x WHERE \(table.owner) AND x.key = ?\(further)"
        if isTag, let tagged = place.tagged, case .compares(.equal, .text(let text)) = test, isRare(key, text) {
            return add(
                "\(tagged.thing) IN (SELECT \(tagged.owner) FROM \(table.table) x WHERE x.key = ? AND x.value = ?)",
                [key, text])
        }
        switch test {
        case .isPresent: add("EXISTS (\(row))", [key] + furtherArguments)
        case .isAbsent: add("NOT EXISTS (\(row))", [key] + furtherArguments)
        case .compares(.unequal, let literal) where isTag && place.absentIsUnequal:
            let (sql, arguments) = Self.test(.compares(.equal, literal), "x.\(value)")
            add("NOT EXISTS (\(row) AND \(sql))", [key] + arguments)
        case .compares, .isIn, .isNotIn:
            let (sql, arguments) = Self.test(test, "x.\(value)")
            add("EXISTS (\(row) AND \(sql))", [key] + furtherArguments + arguments)
        }
    }

    /// Begins with `AND`; empty where every data set will do.
    fileprivate static func measured(on datasets: [MetricDataset]) -> (String, StatementArguments) {
        var arguments: StatementArguments = []
        let choices = datasets.compactMap { dataset -> String? in
            var parts: [String] = []
            for (column, value) in [("dataset_name", dataset.name), ("dataset_digest", dataset.digest)] {
                guard let value else { continue }
                parts.append("x.\(column) = ?")
                arguments += [value]
            }
            return parts.isEmpty ? nil : parts.joined(separator: " AND ")
        }
        return (choices.isEmpty ? "" : " AND (\(choices.joined(separator: " OR ")))", arguments)
    }

    private mutating func add(mirrored key: String, _ test: Filter.Test, _ value: String) {
        if case .compares(.unequal, let literal) = test, place.absentIsUnequal {
            let (sql, arguments) = Self.test(.compares(.equal, literal), value)
            add("NOT ifnull(\(sql), 0)", [key, key] + arguments)
        } else {
            let (sql, arguments) = Self.test(test, value)
            add(sql, [key, key] + arguments)
        }
    }

    private static func test(_ test: Filter.Test, _ column: String) -> (String, StatementArguments) {
        switch test {
        case .isPresent: return ("\(column) IS NOT NULL", [])
        case .isAbsent: return ("\(column) IS NULL", [])
        case .isIn(let values): return ("\(column) IN (\(marks(values.count)))", StatementArguments(values))
        case .isNotIn(let values): return ("\(column) NOT IN (\(marks(values.count)))", StatementArguments(values))
        case .compares(.like, .text(let pattern)): return ("\(column) GLOB ?", [LikePattern.glob(pattern)])
        case .compares(.ilike, .text(let pattern)): return ("\(column) LIKE ?", [pattern])
        case .compares(let comparison, .text(let text)): return ("\(column) \(comparison.rawValue) ?", [text])
        case .compares(let comparison, .number(let number)): return ("\(column) \(comparison.rawValue) ?", [number])
        }
    }

    static func marks(_ count: Int) -> String { Array(repeating: "?", count: count).joined(separator: ", ") }
}

/// `order_by` as SQL.
struct OrderSQL {
    private(set) var terms: [String] = []
    private(set) var joins: [String] = []
    /// Those of the joins.
    private(set) var arguments: StatementArguments = []
    /// Those of the terms, which stand behind the conditions.
    private(set) var termArguments: StatementArguments = []

    /// - Parameter last: what orders things that are otherwise equal.
    init(_ orderings: [Ordering], _ place: FilterSQL.Place, last: [String]) throws(MLflowError) {
        for (index, ordering) in orderings.enumerated() {
            let direction = ordering.ascending ? "ASC" : "DESC"
            let name = "o\(index)"
            switch ordering.field {
            case .attribute(let attribute):
                guard let column = place.columns[attribute] else {
                    throw .invalid("'\(attribute)' gives no order here")
                }
                terms += ["\(column) IS NULL", "\(column) \(direction)"]
            case .metric(let key):
                if place.hasManyMeasurements {
                    joinLatest(place.metrics, name, key, on: ordering.dataset)
                } else {
                    try join(place.metrics, name, key)
                }
                // What was not measured, or is no number, comes last either way.
                terms += ["\(name).value IS NULL OR \(name).is_nan", "\(name).value \(direction)"]
            case .parameter(let key):
                try join(place.parameters, name, key)
                terms += ["\(name).value IS NULL", "\(name).value \(direction)"]
            case .tag(let key):
                if let mirrored = place.mirrored, mirrored.keys.contains(key) {
                    terms += ["(\(mirrored.value)) IS NULL", "(\(mirrored.value)) \(direction)"]
                    termArguments += [key, key, key, key]
                } else {
                    try join(place.tags, name, key)
                    terms += ["\(name).value IS NULL", "\(name).value \(direction)"]
                }
            case .dataset: throw .invalid("Data sets give no order")
            }
        }
        terms += last
    }

    private mutating func join(
        _ table: (table: String, owner: String)?, _ name: String, _ key: String
    ) throws(MLflowError) {
        guard let table else { throw .invalid("'\(key)' gives no order here") }
        let owner = table.owner.replacingOccurrences(of: "x.", with: "\(name).")
        joins.append("LEFT JOIN \(table.table) \(name) ON \(owner) AND \(name).key = ?")
        arguments += [key]
    }

    private mutating func joinLatest(
        _ table: (table: String, owner: String)?, _ name: String, _ key: String, on dataset: MetricDataset
    ) {
        guard let table else { return }
        let owner = table.owner.replacingOccurrences(of: "x.", with: "\(name).")
        let (measured, datasets) = FilterSQL.measured(on: [dataset])
        joins.append(
            """
            LEFT JOIN (
                SELECT x.*, row_number() OVER (
                    PARTITION BY x.model ORDER BY x.time DESC, x.step DESC, x.value DESC
                ) AS place
                FROM \(table.table) x WHERE x.key = ?\(measured)
            ) \(name) ON \(owner) AND \(name).place = 1
            """)
        arguments += [key]
        arguments += datasets
    }

    var orderClause: String { "ORDER BY " + terms.joined(separator: ", ") }
    var joinClause: String { joins.joined(separator: " ") }
}
