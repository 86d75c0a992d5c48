import Messages

/// Why an expression that was read has no value now.
package struct EvaluationError: Error, Sendable, Hashable, CustomStringConvertible {
    package var message: String

    package init(message: String) { self.message = message }

    package var description: String { message }
}

extension Expression {
    /// `a && b` and `a || b` are `b` or `a` itself, so that `x && 'yes' || 'no'` picks.
    package func evaluate(in scope: Scope) throws(EvaluationError) -> JSONValue {
        switch self {
        case .literal(let value): return value
        case .reference(let reference): return scope.value(of: reference)
        case .not(let inner): return .bool(!(try inner.evaluate(in: scope).isTrue))
        case .and(let left, let right):
            let value = try left.evaluate(in: scope)
            return value.isTrue ? try right.evaluate(in: scope) : value
        case .or(let left, let right):
            let value = try left.evaluate(in: scope)
            return value.isTrue ? value : try right.evaluate(in: scope)
        case .equal(let left, let right):
            return .bool(try left.evaluate(in: scope).means(try right.evaluate(in: scope)))
        case .notEqual(let left, let right):
            return .bool(!(try left.evaluate(in: scope).means(try right.evaluate(in: scope))))
        case .call(let function, let arguments):
            var values: [JSONValue] = []
            for argument in arguments { values.append(try argument.evaluate(in: scope)) }
            return try function.apply(to: values, in: scope)
        }
    }
}

extension Expression.Function {
    fileprivate func apply(to values: [JSONValue], in scope: Scope) throws(EvaluationError) -> JSONValue {
        switch self {
        case .success: return .bool(scope.standing == .succeeded)
        case .failure: return .bool(scope.standing == .failed || scope.failed)
        case .always: return true
        case .rejected: return .bool(scope.rejected)
        case .contains: return .bool(try Self.contains(values))
        case .startsWith:
            guard let text = values[0].scalarText, let start = values[1].scalarText else { return false }
            return .bool(text.hasPrefix(start))
        }
    }

    private static func contains(_ values: [JSONValue]) throws(EvaluationError) -> Bool {
        switch values[0] {
        case .null: return false
        case .array(let items): return items.contains { $0.means(values[1]) }
        case .object:
            throw EvaluationError(message: "contains() looks into a text or a list, and was given an object")
        case .bool, .int, .double, .string:
            guard let text = values[0].scalarText, let part = values[1].scalarText else { return false }
            return part.isEmpty || text.contains(part)
        }
    }
}

extension JSONValue {
    /// Nothing, `false`, 0 and the empty text are not true.
    package var isTrue: Bool {
        switch self {
        case .null: false
        case .bool(let value): value
        case .int(let value): value != 0
        case .double(let value): value != 0 && !value.isNaN
        case .string(let value): !value.isEmpty
        case .array, .object: true
        }
    }

    /// Equal for an expression: `7` is `'7'` (versions are text), and nothing is the empty text.
    func means(_ other: JSONValue) -> Bool {
        if self == other { return true }
        if let left = double, let right = other.double { return left == right }
        if case .null = self { return other == "" }
        if case .null = other { return self == "" }
        guard let left = scalarText, let right = other.scalarText else { return false }
        return left == right
    }
}
