import Messages

extension Expression {
    /// As it is written, with parentheses only where they are needed.
    package var text: String { text(within: 0) }

    /// - Parameter level: how tightly what stands around it binds.
    private func text(within level: Int) -> String {
        let own = written
        return own.level < level ? "(\(own.text))" : own.text
    }

    private var written: (text: String, level: Int) {
        switch self {
        case .literal(let value): (Self.text(of: value), 5)
        case .reference(let reference): (reference.text, 5)
        case .call(let function, let arguments):
            ("\(function.rawValue)(\(arguments.map(\.text).joined(separator: ", ")))", 5)
        case .not(let inner): ("!\(inner.text(within: 4))", 4)
        case .equal(let left, let right): ("\(left.text(within: 4)) == \(right.text(within: 4))", 3)
        case .notEqual(let left, let right): ("\(left.text(within: 4)) != \(right.text(within: 4))", 3)
        case .and(let left, let right): ("\(left.text(within: 2)) && \(right.text(within: 3))", 2)
        case .or(let left, let right): ("\(left.text(within: 1)) || \(right.text(within: 2))", 1)
        }
    }

    private static func text(of value: JSONValue) -> String {
        if case .string(let text) = value { return "'\(text.replacing("'", with: "''"))'" }
        return value == .null ? "null" : value.embedded
    }
}

extension Template {
    /// As it stands in the file, expressions as text.
    package var json: JSONValue {
        switch self {
        case .literal(let value): value
        case .expression(let expression): .string("${{ \(expression.text) }}")
        case .text(let parts):
            .string(
                parts.map { part in
                    switch part {
                    case .text(let text): text
                    case .expression(let expression): "${{ \(expression.text) }}"
                    }
                }.joined())
        case .list(let items): .array(items.map(\.json))
        case .object(let members): .object(members.mapValues(\.json))
        }
    }
}
