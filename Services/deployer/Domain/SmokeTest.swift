import Foundation
import Messages

/// What a smoke test sends, what it expects, and how patient it is: the `with` of `deploy/smoke-test`.
struct SmokeTest: Sendable, Hashable {
    enum Request: Sendable, Hashable {
        case json(JSONValue)
        /// A file of the commit.
        case file(String)
        case none
    }

    var target: String
    var name: String?
    var method: String
    /// `nil`: the target's own `score`.
    var path: String?
    var request: Request
    var headers: [String: JSONValue]
    var expectation: ExpectedAnswer
    /// Tries altogether.
    var attempts: Int
    var pauseSeconds: Double
    var rollsBack: Bool

    struct Problem: Error, Hashable, CustomStringConvertible { let description: String }

    init(_ with: JSONValue) throws(Problem) {
        guard let target = with["target"]?.string else { throw Problem(description: "with.target is missing") }
        self.target = target
        name = with["name"]?.scalarText
        path = with["path"]?.string
        if let path, !path.hasPrefix("/") { throw Problem(description: "with.path '\(path)' does not begin with '/'") }
        switch with["request"] {
        case nil, .null?: request = .none
        case .string(let file)?: request = .file(file)
        case let json?: request = .json(json)
        }
        method = with["method"]?.string ?? (request == .none ? "GET" : "POST")
        headers = with["headers"]?.object ?? [:]
        expectation = try ExpectedAnswer(with["expect"] ?? .object([:]))
        let tries = with["retry"]?["max"].map { $0.int ?? Int($0.string ?? "") }
        if case .some(nil) = tries { throw Problem(description: "with.retry.max is not a whole number") }
        attempts = max(1, (tries ?? 1) ?? 1)
        let pause = with["retry"]?["every"].map { Interval.seconds($0) }
        if case .some(nil) = pause {
            throw Problem(description: "with.retry.every is not a time of at most 30 days; write '1s'")
        }
        pauseSeconds = (pause ?? 1) ?? 1
        switch with["on_fail"]?.string ?? "rollback" {
        case "rollback": rollsBack = true
        case "fail": rollsBack = false
        case let other: throw Problem(description: "with.on_fail is '\(other)'; it is rollback or fail")
        }
    }
}

/// What the answer must look like: data, not code.
struct ExpectedAnswer: Sendable, Hashable {
    var status: Int
    var json: JSONValue?

    private static let checks: Set<String> = ["length", "type", "equals", "min", "max"]
    private static let types: Set<String> = ["array", "object", "string", "number", "integer", "boolean", "null"]

    init(_ value: JSONValue) throws(SmokeTest.Problem) {
        guard let members = value.object else { throw SmokeTest.Problem(description: "with.expect is not a mapping") }
        if let unknown = members.keys.sorted().first(where: { $0 != "status" && $0 != "json" }) {
            throw SmokeTest.Problem(description: "with.expect has '\(unknown)'; it knows status and json")
        }
        let status = members["status"].map { $0.int ?? Int($0.string ?? "") }
        if case .some(nil) = status { throw SmokeTest.Problem(description: "with.expect.status is not a number") }
        self.status = (status ?? 200) ?? 200
        json = members["json"]
    }

    /// What is wrong with the answer; `nil` when it is as expected.
    func problem(status: Int, body: Data) -> Mismatch? {
        guard status == self.status else {
            return Mismatch(
                reason: "expected status \(self.status), got \(status)" + Self.excerpt(body), mayHeal: status >= 400)
        }
        guard let json else { return nil }
        guard let answer = try? Wire.decode(JSONValue.self, from: body) else {
            return Mismatch(
                reason: "expected JSON, got" + (body.isEmpty ? " nothing" : Self.excerpt(body)), mayHeal: false)
        }
        return Self.difference(json, answer, at: "").map { Mismatch(reason: $0, mayHeal: false) }
    }

    /// An answer that is not as expected, and whether another try may help.
    struct Mismatch: Hashable {
        var reason: String
        var mayHeal: Bool
    }

    private static func excerpt(_ body: Data) -> String {
        let text = String(decoding: body.prefix(300), as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        return text.isEmpty ? "" : ": " + text
    }

    /// The first difference, outermost first; keys that are not expected may be there.
    private static func difference(_ expected: JSONValue, _ found: JSONValue?, at place: String) -> String? {
        let name = place.isEmpty ? "the answer" : "'\(place)'"
        guard let found else { return "\(name) is missing" }
        switch expected {
        case .object(let members):
            if !members.isEmpty, checks.isSuperset(of: members.keys) { return check(members, found, name) }
            guard let held = found.object else { return "\(name) is \(text(found)), expected an object" }
            for key in members.keys.sorted() {
                let inner = place.isEmpty ? key : "\(place).\(key)"
                if let difference = difference(members[key] ?? .null, held[key], at: inner) { return difference }
            }
            return nil
        case .array(let items):
            guard let held = found.array, held.count == items.count else {
                return "\(name) is \(text(found)), expected \(text(expected))"
            }
            for (index, item) in items.enumerated() {
                if let difference = difference(item, held[index], at: "\(place)[\(index)]") { return difference }
            }
            return nil
        case .int, .double:
            return expected.double == found.double ? nil : "\(name) is \(text(found)), expected \(text(expected))"
        case .null, .bool, .string:
            return expected == found ? nil : "\(name) is \(text(found)), expected \(text(expected))"
        }
    }

    private static func check(_ checks: [String: JSONValue], _ found: JSONValue, _ name: String) -> String? {
        if let wanted = checks["type"]?.string, !hasType(found, wanted) {
            return types.contains(wanted)
                ? "\(name) is \(text(found)), expected type \(wanted)" : "expected type '\(wanted)' does not exist"
        }
        if let wanted = checks["length"] {
            guard let length = found.array?.count ?? found.object?.count ?? found.string?.count else {
                return "\(name) is \(text(found)), which has no length"
            }
            if wanted.int != length { return "\(name) has length \(length), expected \(text(wanted))" }
        }
        if let wanted = checks["equals"], let difference = difference(wanted, found, at: name) { return difference }
        for (word, fits) in [("min", { $0 >= $1 }), ("max", { $0 <= $1 })] as [(String, (Double, Double) -> Bool)] {
            guard let bound = checks[word]?.double else { continue }
            guard let number = found.double, fits(number, bound) else {
                return "\(name) is \(text(found)), expected \(word) \(text(checks[word] ?? .null))"
            }
        }
        return nil
    }

    private static func hasType(_ value: JSONValue, _ type: String) -> Bool {
        switch value {
        case .null: type == "null"
        case .bool: type == "boolean"
        case .int: type == "integer" || type == "number"
        case .double: type == "number"
        case .string: type == "string"
        case .array: type == "array"
        case .object: type == "object"
        }
    }

    private static func text(_ value: JSONValue) -> String {
        let whole = (try? Wire.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "?"
        return whole.count > 120 ? whole.prefix(120) + "…" : whole
    }
}
