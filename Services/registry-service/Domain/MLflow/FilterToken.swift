/// The words of a filter.
enum FilterToken: Hashable, Sendable {
    /// A bare word, or one in back-ticks or double quotes, which keywords are not.
    case word(String, quoted: Bool)
    case text(String)
    case number(Double)
    case sign(String)
    case dot
    case comma
    case open
    case close

    /// The longest filter that is read, in bytes.
    static let mostBytes = 16_384

    static func read(_ filter: String) throws(MLflowError) -> [FilterToken] {
        guard filter.utf8.count <= mostBytes else {
            throw .invalid("The filter has \(filter.utf8.count) bytes; at most \(mostBytes) are read")
        }
        var lexer = Lexer(Array(filter.unicodeScalars))
        var tokens: [FilterToken] = []
        while let token = try lexer.next() { tokens.append(token) }
        return tokens
    }

    private struct Lexer {
        let text: [Unicode.Scalar]
        var at = 0

        init(_ text: [Unicode.Scalar]) { self.text = text }

        private var current: Unicode.Scalar? { at < text.count ? text[at] : nil }

        mutating func next() throws(MLflowError) -> FilterToken? {
            while let scalar = current, scalar.properties.isWhitespace || scalar == ";" { at += 1 }
            guard let scalar = current else { return nil }
            switch scalar {
            case "'": return .text(try quoted("'"))
            case "\"": return .word(try quoted("\""), quoted: true)
            case "`": return .word(try quoted("`"), quoted: true)
            case ".": return take(.dot)
            case ",": return take(.comma)
            case "(": return take(.open)
            case ")": return take(.close)
            case "=", "!", "<", ">": return try sign()
            case "-", "+", "0"..."9": return try number()
            default: return try word()
            }
        }

        private mutating func take(_ token: FilterToken) -> FilterToken {
            at += 1
            return token
        }

        /// The same quote twice stands for one.
        private mutating func quoted(_ mark: Unicode.Scalar) throws(MLflowError) -> String {
            at += 1
            var content = String.UnicodeScalarView()
            while let scalar = current {
                at += 1
                if scalar == mark {
                    guard current == mark else { return String(content) }
                    at += 1
                }
                content.append(scalar)
            }
            throw .invalid("Invalid filter: a \(mark) is not closed")
        }

        private mutating func sign() throws(MLflowError) -> FilterToken {
            var sign = ""
            while let scalar = current, "=!<>".unicodeScalars.contains(scalar) {
                sign.unicodeScalars.append(scalar)
                at += 1
            }
            if sign == "==" { sign = "=" }
            if sign == "<>" { sign = "!=" }
            guard Filter.Comparison(rawValue: sign) != nil else {
                throw .invalid("Invalid comparison operator '\(sign)' in the filter")
            }
            return .sign(sign)
        }

        private mutating func number() throws(MLflowError) -> FilterToken {
            let start = at
            while let scalar = current, Self.isOfNumber(scalar) || (scalar == "-" || scalar == "+") && isExponent(start)
            {
                at += 1
            }
            let content = String(String.UnicodeScalarView(text[start..<at]))
            guard let number = Double(content), number.isFinite else {
                throw .invalid("Invalid filter: '\(content)' is not a number")
            }
            return .number(number)
        }

        private static func isOfNumber(_ scalar: Unicode.Scalar) -> Bool {
            ("0"..."9").contains(scalar) || scalar == "." || scalar == "e" || scalar == "E"
        }

        /// A sign may begin a number or its exponent.
        private func isExponent(_ start: Int) -> Bool { at == start || text[at - 1] == "e" || text[at - 1] == "E" }

        private mutating func word() throws(MLflowError) -> FilterToken {
            let start = at
            while let scalar = current, Self.isOfWord(scalar) { at += 1 }
            guard at > start else { throw .invalid("Invalid filter: '\(text[at])' has no meaning here") }
            return .word(String(String.UnicodeScalarView(text[start..<at])), quoted: false)
        }

        private static func isOfWord(_ scalar: Unicode.Scalar) -> Bool {
            scalar == "_" || scalar == "-" || scalar == "/" || scalar == "~" || scalar == "@" || scalar == ":"
                || scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
        }
    }
}
