import Messages

/// Reads one expression. `||` binds weakest, then `&&`, then `==` and `!=`, then `!`.
struct ExpressionParser {
    private let tokens: [ExpressionToken]
    private let place: (Int) -> Place
    private var index = 0
    private var depth = 0

    /// Deep enough for people, and no danger to the stack.
    private static let maximumDepth = 50
    static let maximumLength = 10_000

    /// - Parameter place: where in its file the scalar at an offset of `text` stands.
    static func parse(_ text: String, place: @escaping (Int) -> Place) throws(ExpressionProblem) -> Expression {
        guard text.utf8.count <= maximumLength else {
            throw ExpressionProblem(message: "an expression holds at most \(maximumLength) bytes", offset: 0)
        }
        var parser = ExpressionParser(tokens: try ExpressionLexer.tokens(of: text), place: place)
        if parser.kind == .end { throw parser.problem("there is no expression between ${{ and }}") }
        let expression = try parser.either()
        if parser.kind != .end {
            throw parser.problem("expected an operator or the end of the expression here")
        }
        return expression
    }

    private init(tokens: [ExpressionToken], place: @escaping (Int) -> Place) {
        self.tokens = tokens
        self.place = place
    }

    private var kind: ExpressionToken.Kind { tokens[index].kind }

    private func problem(_ message: String) -> ExpressionProblem {
        ExpressionProblem(message: message, offset: tokens[index].offset)
    }

    private mutating func take(_ kind: ExpressionToken.Kind) -> Bool {
        guard self.kind == kind else { return false }
        index += 1
        return true
    }

    private mutating func either() throws(ExpressionProblem) -> Expression {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.maximumDepth else { throw problem("this expression is nested too deeply") }
        var left = try both()
        while take(.or) { left = .or(left, try both()) }
        return left
    }

    private mutating func both() throws(ExpressionProblem) -> Expression {
        var left = try comparison()
        while take(.and) { left = .and(left, try comparison()) }
        return left
    }

    private mutating func comparison() throws(ExpressionProblem) -> Expression {
        let left = try negation()
        if take(.equal) { return .equal(left, try negation()) }
        if take(.notEqual) { return .notEqual(left, try negation()) }
        return left
    }

    private mutating func negation() throws(ExpressionProblem) -> Expression {
        var negated = false
        while take(.not) { negated.toggle() }
        let operand = try operand()
        return negated ? .not(operand) : operand
    }

    private mutating func operand() throws(ExpressionProblem) -> Expression {
        switch kind {
        case .literal(let value):
            index += 1
            return .literal(value)
        case .open:
            index += 1
            let inner = try either()
            guard take(.close) else { throw problem("expected ')' here") }
            return inner
        case .name(let name):
            let start = tokens[index].offset
            index += 1
            return take(.open) ? try call(name, at: start) : try reference(name, at: start)
        case .end: throw problem("the expression ends too early")
        case .equal, .notEqual, .and, .or, .not, .close, .comma, .dot:
            throw problem("expected a value here")
        }
    }

    private mutating func call(_ name: String, at start: Int) throws(ExpressionProblem) -> Expression {
        guard let function = Expression.Function(rawValue: name) else {
            let known = Expression.Function.allCases.map(\.rawValue)
            let hint = nearest(to: name, among: known).map { "; did you mean '\($0)()'?" }
            throw ExpressionProblem(
                message: "unknown function '\(name)'"
                    + (hint ?? "; there are " + known.map { $0 + "()" }.joined(separator: ", ")),
                offset: start
            )
        }
        var arguments: [Expression] = []
        if !take(.close) {
            repeat { arguments.append(try either()) } while take(.comma)
            guard take(.close) else { throw problem("expected ',' or ')' here") }
        }
        guard arguments.count == function.arity else {
            let wanted = function.arity == 0 ? "no values" : "\(function.arity) values"
            throw ExpressionProblem(message: "\(name)() takes \(wanted), not \(arguments.count)", offset: start)
        }
        return .call(function, arguments)
    }

    private mutating func reference(_ name: String, at start: Int) throws(ExpressionProblem) -> Expression {
        guard let root = Expression.Root(rawValue: name) else {
            let known = Expression.Root.allCases.map(\.rawValue)
            let hint = nearest(to: name, among: known).map { "; did you mean '\($0)'?" }
            throw ExpressionProblem(
                message: "unknown reference '\(name)'" + (hint ?? "; there are " + known.joined(separator: ", ")),
                offset: start
            )
        }
        var path: [String] = []
        while take(.dot) {
            switch kind {
            case .name(let member): path.append(member)
            case .literal(.int(let number)): path.append(String(number))
            case .literal(.bool(let flag)): path.append(String(flag))
            case .literal, .equal, .notEqual, .and, .or, .not, .open, .close, .comma, .dot, .end:
                throw problem("expected a name after the dot")
            }
            index += 1
        }
        return .reference(Expression.Reference(root: root, path: path, place: place(start)))
    }
}
