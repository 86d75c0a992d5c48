import Messages

/// A word of an expression and where it starts, in Unicode scalars.
struct ExpressionToken {
    enum Kind: Equatable {
        case name(String)
        case literal(JSONValue)
        case equal, notEqual, and, or, not
        case open, close, comma, dot
        case end
    }

    var kind: Kind
    var offset: Int
}

/// Why an expression cannot be read, and where in it.
struct ExpressionProblem: Error {
    var message: String
    var offset: Int
}

/// Cuts an expression into tokens.
struct ExpressionLexer {
    private let scalars: [Unicode.Scalar]
    private var index = 0

    init(_ text: String) { scalars = Array(text.unicodeScalars) }

    static func tokens(of text: String) throws(ExpressionProblem) -> [ExpressionToken] {
        var lexer = ExpressionLexer(text)
        var tokens: [ExpressionToken] = []
        repeat { tokens.append(try lexer.next()) } while tokens.last?.kind != .end
        return tokens
    }

    private mutating func next() throws(ExpressionProblem) -> ExpressionToken {
        while index < scalars.count, scalars[index].properties.isWhitespace { index += 1 }
        let start = index
        guard index < scalars.count else { return ExpressionToken(kind: .end, offset: start) }
        return ExpressionToken(kind: try kind(), offset: start)
    }

    private mutating func kind() throws(ExpressionProblem) -> ExpressionToken.Kind {
        let start = index
        let scalar = scalars[index]
        switch scalar {
        case "(", ")", ",", ".":
            index += 1
            return scalar == "(" ? .open : scalar == ")" ? .close : scalar == "," ? .comma : .dot
        case "'", "\"": return try quoted(scalar)
        case "=" where follows("="): return two(.equal)
        case "!" where follows("="): return two(.notEqual)
        case "&" where follows("&"): return two(.and)
        case "|" where follows("|"): return two(.or)
        case "!":
            index += 1
            return .not
        case "-" where index + 1 < scalars.count && isDigit(scalars[index + 1]): return try number()
        default:
            if isDigit(scalar) { return try number() }
            if isLetter(scalar) { return name() }
        }
        throw ExpressionProblem(message: Self.refusal(of: scalar), offset: start)
    }

    private static func refusal(of scalar: Unicode.Scalar) -> String {
        switch scalar {
        case "=", "&", "|": "'\(scalar)' is written '\(scalar)\(scalar)' in an expression"
        case "<", ">", "+", "-", "*", "/", "%":
            "'\(scalar)' is no operator here: there are == != && || ! and no arithmetic"
        case "[", "]": "'\(scalar)' does not belong into an expression: members are written with a dot"
        default: "'\(scalar)' does not belong into an expression"
        }
    }

    private func follows(_ scalar: Unicode.Scalar) -> Bool {
        index + 1 < scalars.count && scalars[index + 1] == scalar
    }

    private mutating func two(_ kind: ExpressionToken.Kind) -> ExpressionToken.Kind {
        index += 2
        return kind
    }

    /// The quote itself is written twice inside.
    private mutating func quoted(_ quote: Unicode.Scalar) throws(ExpressionProblem) -> ExpressionToken.Kind {
        let start = index
        var text = String.UnicodeScalarView()
        index += 1
        while index < scalars.count {
            if scalars[index] == quote {
                guard follows(quote) else {
                    index += 1
                    return .literal(.string(String(text)))
                }
                index += 1
            }
            text.append(scalars[index])
            index += 1
        }
        throw ExpressionProblem(message: "this text has no closing \(quote)", offset: start)
    }

    private mutating func number() throws(ExpressionProblem) -> ExpressionToken.Kind {
        let start = index
        index += 1
        while index < scalars.count, isDigit(scalars[index]) || isLetter(scalars[index]) || scalars[index] == "." {
            index += 1
        }
        let text = String(String.UnicodeScalarView(scalars[start..<index]))
        guard let value = JSONValue.number(text) else {
            throw ExpressionProblem(message: "'\(text)' is neither a number nor a name", offset: start)
        }
        return .literal(value)
    }

    /// Names may hold hyphens: there is no minus that they could be taken for.
    private mutating func name() -> ExpressionToken.Kind {
        let start = index
        while index < scalars.count, isLetter(scalars[index]) || isDigit(scalars[index]) || scalars[index] == "-" {
            index += 1
        }
        let text = String(String.UnicodeScalarView(scalars[start..<index]))
        switch text {
        case "true": return .literal(true)
        case "false": return .literal(false)
        case "null": return .literal(.null)
        default: return .name(text)
        }
    }

    private func isDigit(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }

    private func isLetter(_ scalar: Unicode.Scalar) -> Bool {
        ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || scalar == "_"
    }
}
