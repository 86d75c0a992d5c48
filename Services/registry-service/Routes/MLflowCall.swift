import Foundation
import HTTPTypes
import Hummingbird
import Messages

/// One request of an MLflow client: its fields, whether they came in the query or in the body.
struct MLflowCall: Sendable {
    let caller: Caller
    let fields: [String: JSONValue]
    /// The body as it came; empty for a GET.
    let body: Data
    private let parts: [String: String]

    init(caller: Caller, fields: [String: JSONValue], body: Data, parts: [String: String] = [:]) {
        self.caller = caller
        self.fields = fields
        self.body = body
        self.parts = parts
    }

    // MARK: - Fields, with MLflow's words where they are wrong

    private static let seeAlso = "See the API docs for more information about request parameters."

    static func invalid(_ value: JSONValue, _ name: String) -> MLflowError {
        let kind =
            switch value {
            case .null: "NoneType"
            case .bool: "bool"
            case .int: "int"
            case .double: "float"
            case .string: "str"
            case .array: "list"
            case .object: "dict"
            }
        let text = (try? Wire.encode(value)).map { String(decoding: $0.prefix(200), as: UTF8.self) } ?? ""
        return .invalid(
            "Invalid value \(text) for parameter '\(name)' supplied:  Hint: Value was of type '\(kind)'. \(seeAlso)")
    }

    static func lacks(_ name: String) -> MLflowError {
        .invalid("Missing value for required parameter '\(name)'. \(seeAlso)")
    }

    private func field(_ name: String) -> JSONValue? { fields[name].flatMap { $0 == .null ? nil : $0 } }

    /// A part of the path.
    func part(_ name: String) throws -> String {
        guard let text = parts[name], !text.isEmpty else { throw Self.lacks(name) }
        return text
    }

    func text(_ name: String) throws(MLflowError) -> String? {
        guard let value = field(name) else { return nil }
        guard let text = value.string else { throw Self.invalid(value, name) }
        return text
    }

    func required(_ name: String) throws(MLflowError) -> String {
        guard let text = try text(name), !text.isEmpty else { throw Self.lacks(name) }
        return text
    }

    /// `run_id`, or `run_uuid` as older clients say.
    func run() throws(MLflowError) -> String {
        if let run = try text("run_id"), !run.isEmpty { return run }
        if let run = try text("run_uuid"), !run.isEmpty { return run }
        throw Self.lacks("run_id")
    }

    /// In which experiments is searched.
    func experiments() throws(MLflowError) -> [Int64] {
        let ids = try texts("experiment_ids")
        guard ids.count <= Limits.mostExperiments else {
            throw .invalid(
                "A search may name \(Limits.mostExperiments) experiment_ids at most; got \(ids.count)")
        }
        var numbers: [Int64] = []
        for id in ids {
            guard let number = Int64(id) else { throw .noExperiment(id) }
            numbers.append(number)
        }
        return numbers
    }

    /// A version's number, which MLflow writes as text.
    func version() throws(MLflowError) -> String {
        if let number = field("version")?.int { return String(number) }
        return try required("version")
    }

    func texts(_ name: String) throws(MLflowError) -> [String] {
        guard let value = field(name) else { return [] }
        if let text = value.string { return [text] }
        guard let items = value.array, items.allSatisfy({ $0.string != nil }) else { throw Self.invalid(value, name) }
        return items.compactMap(\.string)
    }

    func list(_ name: String) throws(MLflowError) -> [JSONValue] {
        guard let value = field(name) else { return [] }
        guard let items = value.array else { throw Self.invalid(value, name) }
        return items
    }

    func object(_ name: String) throws(MLflowError) -> JSONValue? {
        guard let value = field(name) else { return nil }
        guard value.object != nil else { throw Self.invalid(value, name) }
        return value
    }

    func flag(_ name: String) throws(MLflowError) -> Bool {
        guard let value = field(name) else { return false }
        if let flag = value.bool { return flag }
        guard let text = value.string?.lowercased(), ["true", "false"].contains(text) else {
            throw Self.invalid(value, name)
        }
        return text == "true"
    }

    func number(_ name: String) throws(MLflowError) -> Int64? {
        guard let value = field(name) else { return nil }
        return try Self.number(value, name)
    }

    static func number(_ value: JSONValue, _ name: String) throws(MLflowError) -> Int64 {
        guard let number = value.int ?? value.string.flatMap({ Int($0) }) else { throw invalid(value, name) }
        return Int64(number)
    }

    func limit(default standard: Int, most: Int) throws(MLflowError) -> Int {
        guard let number = try number("max_results"), number != 0 else { return standard }
        guard number > 0, number <= most else {
            throw .invalid(
                "Invalid value \(number) for parameter 'max_results' supplied: it must be at least 1 and at most \(most)"
            )
        }
        return Int(number)
    }

    func page() throws(MLflowError) -> PageToken { try PageToken(text("page_token")) }

    func view(_ name: String) throws(MLflowError) -> ViewType {
        guard let text = try text(name), !text.isEmpty else { return .active }
        guard let view = ViewType(rawValue: text) else { throw Self.invalid(.string(text), name) }
        return view
    }

    // MARK: - Parts of fields

    func pairs(_ name: String, most: Int = Limits.entitiesInBatch) throws(MLflowError) -> [KeyValue] {
        let items = try list(name)
        guard items.count <= most else {
            throw .invalid("A request may hold \(most) \(name) at most; got \(items.count)")
        }
        var pairs: [KeyValue] = []
        for item in items {
            guard let key = item["key"]?.string, !key.isEmpty else { throw Self.lacks("\(name).key") }
            pairs.append(KeyValue(key: key, value: item["value"]?.scalarText ?? ""))
        }
        return pairs
    }

    /// A tag of the fields `key` and `value`.
    func pair() throws(MLflowError) -> KeyValue {
        KeyValue(key: try required("key"), value: field("value")?.scalarText ?? "")
    }

    static func measurement(_ item: JSONValue) throws(MLflowError) -> Measurement {
        guard let key = item["key"]?.string, !key.isEmpty else { throw lacks("key") }
        try Names.checkKey(key, "metric")
        guard let value = item["value"], value != .null else { throw lacks("value") }
        guard let time = item["timestamp"], time != .null else { throw lacks("timestamp") }
        let step = item["step"] ?? 0
        var measurement = Measurement(
            key: key, value: try number(spoken: value), time: try number(time, "timestamp"),
            step: step == .null ? 0 : try number(step, "step"))
        measurement.loggedModel = item["model_id"]?.string
        measurement.datasetName = item["dataset_name"]?.string
        measurement.datasetDigest = item["dataset_digest"]?.string
        return measurement
    }

    /// What JSON has no number for, or a number in quotes.
    private static func number(spoken value: JSONValue) throws(MLflowError) -> Double {
        if let number = value.double { return number }
        switch value.string {
        case "NaN": return .nan
        case "Infinity": return .infinity
        case "-Infinity": return -.infinity
        case let text?:
            guard let number = Double(text), number.isFinite else { throw invalid(value, "value") }
            return number
        case nil: throw invalid(value, "value")
        }
    }
}

extension MLflowCall {
    /// A query as Python's clients write it: `+` is a space, a name may come several times.
    static func fields(ofQuery query: Substring) -> [String: JSONValue] {
        var fields: [String: JSONValue] = [:]
        for pair in query.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = decoded(parts[0])
            let value = JSONValue.string(parts.count > 1 ? decoded(parts[1]) : "")
            switch fields[name] {
            case nil: fields[name] = value
            case .array(let items): fields[name] = .array(items + [value])
            case let first?: fields[name] = .array([first, value])
            }
        }
        return fields
    }

    private static func decoded(_ text: Substring) -> String {
        let spaced = text.contains("+") ? text.replacingOccurrences(of: "+", with: " ") : String(text)
        return spaced.removingPercentEncoding ?? spaced
    }
}
