import Messages

/// What is wrong with values handed in, each in a sentence.
package struct ParameterErrors: Error, Sendable, Hashable, CustomStringConvertible {
    package var messages: [String]

    package var description: String { messages.joined(separator: "\n") }
}

extension Pipeline {
    /// The parameters that count: those of `manual` only where somebody starts it by name.
    package func parameters(manual: Bool) -> [Parameter] {
        guard manual else { return parameters }
        return parameters
            + triggers.flatMap { trigger -> [Parameter] in
                if case .manual(let own) = trigger { own } else { [] }
            }
    }

    /// Checks values before a run exists: unknown names, types, choices, what is missing. Text such as `0.5` is read as
    /// the type asks, because a command line knows only text. Defaults are evaluated in `scope`.
    package func checkParameters(
        given: [String: JSONValue], manual: Bool, in scope: Scope
    ) -> Result<[String: JSONValue], ParameterErrors> {
        let declared = parameters(manual: manual)
        var values: [String: JSONValue] = [:]
        var problems: [String] = []
        for name in given.keys.sorted() where !declared.contains(where: { $0.name == name }) {
            let hint = nearest(to: name, among: declared.map(\.name)).map { "; did you mean '\($0)'?" } ?? ""
            problems.append("'\(self.name)' has no parameter '\(name)'\(hint)")
        }
        for parameter in declared {
            do throws(ParameterProblem) {
                values[parameter.name] = try parameter.value(of: given[parameter.name], in: scope)
            } catch {
                problems.append(error.message)
            }
        }
        return problems.isEmpty ? .success(values) : .failure(ParameterErrors(messages: problems))
    }
}

struct ParameterProblem: Error {
    var message: String
}

extension Parameter {
    /// `nil`: not given, and no default.
    fileprivate func value(of given: JSONValue?, in scope: Scope) throws(ParameterProblem) -> JSONValue? {
        if let given, given != .null { return try checked(given) }
        if let fallback = self.default {
            let value: JSONValue
            do {
                value = try fallback.evaluate(in: scope)
            } catch {
                throw ParameterProblem(message: "parameter '\(name)': its default has no value: \(error.message)")
            }
            if value != .null { return try typed(value) }
        }
        if required { throw ParameterProblem(message: "parameter '\(name)' is required") }
        return nil
    }

    /// A value that was handed in, as its type.
    func checked(_ given: JSONValue) throws(ParameterProblem) -> JSONValue {
        let value = try typed(given)
        if required, value == .string("") {
            throw ParameterProblem(message: "parameter '\(name)' is required, and an empty text is no value")
        }
        return value
    }

    /// The value as its type, read from text where it is text.
    func typed(_ value: JSONValue) throws(ParameterProblem) -> JSONValue {
        switch kind {
        case .string, .modelVersion:
            if let text = value.scalarText { return .string(text) }
        case .boolean:
            if value.bool != nil { return value }
            if let flag = value.string.flatMap(Bool.init) { return .bool(flag) }
        case .number:
            if value.double != nil { return value }
            if let number = value.string.flatMap(JSONValue.number) { return number }
        case .choice:
            if let choice = options.first(where: value.means) { return choice }
            let known = options.map(\.embedded).joined(separator: ", ")
            throw ParameterProblem(message: "parameter '\(name)': '\(value.embedded)' is none of \(known)")
        }
        throw ParameterProblem(message: "parameter '\(name)': '\(value.embedded)' is not a \(kind.rawValue)")
    }
}

extension JSONValue {
    /// A number as YAML 1.2 writes it; `nil` for anything that would not be written back alike, such as `007`.
    static func number(_ text: String) -> JSONValue? {
        let digits = text.utf8.drop { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "+") }
        guard text.utf8.count - digits.count <= 1, let first = digits.first, first != UInt8(ascii: "."),
            (48...57).contains(first),
            digits.allSatisfy({ (48...57).contains($0) || [46, 101, 69, 43, 45].contains($0) })
        else { return nil }
        if digits.count > 1, first == 48, (48...57).contains(digits[digits.index(after: digits.startIndex)]) {
            return nil
        }
        if let whole = Int(text) { return .int(whole) }
        if digits.allSatisfy({ (48...57).contains($0) }) { return nil }
        guard let value = Double(text), value.isFinite else { return nil }
        return .double(value)
    }
}
