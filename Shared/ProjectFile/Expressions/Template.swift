import Messages

/// A value of the file that may hold expressions at any depth.
///
/// A text that is one whole `${{ … }}` keeps the type of its value; one with more around it becomes text.
package indirect enum Template: Sendable, Hashable {
    case literal(JSONValue)
    case expression(Expression)
    case text([Part])
    case list([Template])
    case object([String: Template])

    package enum Part: Sendable, Hashable {
        case text(String)
        case expression(Expression)
    }

    package func evaluate(in scope: Scope) throws(EvaluationError) -> JSONValue {
        switch self {
        case .literal(let value): return value
        case .expression(let expression): return try expression.evaluate(in: scope)
        case .text(let parts):
            var text = ""
            for part in parts { text += try part.text(in: scope) }
            return .string(text)
        case .list(let items):
            var values: [JSONValue] = []
            for item in items { values.append(try item.evaluate(in: scope)) }
            return .array(values)
        case .object(let members):
            var values: [String: JSONValue] = [:]
            for (name, member) in members { values[name] = try member.evaluate(in: scope) }
            return .object(values)
        }
    }

    /// Its value as text: what names, groups and variables for processes are made of.
    package func text(in scope: Scope) throws(EvaluationError) -> String {
        try evaluate(in: scope).embedded
    }

    package subscript(name: String) -> Template? {
        if case .object(let members) = self { members[name] } else { nil }
    }

    /// Its value, where it holds no expression.
    var literal: JSONValue? {
        if case .literal(let value) = self { value } else { nil }
    }

    /// Its text, where it holds no expression.
    package var literalText: String? { literal?.scalarText }

    package var references: [Expression.Reference] {
        switch self {
        case .literal: []
        case .expression(let expression): expression.references
        case .text(let parts):
            parts.flatMap { part -> [Expression.Reference] in
                if case .expression(let expression) = part { expression.references } else { [] }
            }
        case .list(let items): items.flatMap(\.references)
        case .object(let members): members.values.flatMap(\.references)
        }
    }
}

extension Template.Part {
    fileprivate func text(in scope: Scope) throws(EvaluationError) -> String {
        switch self {
        case .text(let text): text
        case .expression(let expression): try expression.evaluate(in: scope).embedded
        }
    }
}

extension JSONValue {
    /// Inside other text: nothing is empty, lists and objects are JSON, whole numbers have no point.
    var embedded: String {
        switch self {
        case .null: return ""
        case .double(let value):
            return Int(exactly: value).map(String.init) ?? String(value)
        case .bool, .int, .string: return scalarText ?? ""
        case .array, .object:
            guard let data = try? Wire.encode(self) else { return "" }
            return String(decoding: data, as: UTF8.self)
        }
    }
}
