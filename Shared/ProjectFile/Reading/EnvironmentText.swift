import Messages

/// A `.env` file: `NAME=VALUE` a line, with `#` for comments. What stands in quotes is text; the rest is typed as in YAML.
package struct EnvironmentText: Sendable, Hashable {
    package private(set) var values: [String: JSONValue] = [:]
    package private(set) var errors: [FileError] = []

    package init(_ document: ProjectDocument) {
        guard document.text.utf8.count <= ReadingLimits.bytes else {
            let start = Place(file: document.path, line: 1, column: 1)
            errors = [start.error("the file is larger than \(ReadingLimits.bytes >> 10) KiB")]
            return
        }
        let lines = document.text.split(separator: #/\r?\n/#, omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            do throws(Problem) {
                guard let (name, value) = try Self.entry(line) else { continue }
                values[name] = value
            } catch {
                errors.append(Place(file: document.path, line: index + 1, column: 1).error(error.message))
            }
        }
    }

    private struct Problem: Error {
        var message: String
    }

    private static func entry(_ line: Substring) throws(Problem) -> (String, JSONValue)? {
        var rest = line.drop(while: \.isWhitespace)
        if rest.isEmpty || rest.hasPrefix("#") { return nil }
        if rest.hasPrefix("export ") { rest = rest.dropFirst("export ".count).drop(while: \.isWhitespace) }
        guard let equals = rest.firstIndex(of: "=") else { throw Problem(message: "a line is NAME=VALUE") }
        let name = String(rest[..<equals])
        guard !name.isEmpty, name.utf8.first.map({ !(48...57).contains($0) }) == true,
            name.utf8.allSatisfy({
                $0 == 95 || (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0)
            })
        else { throw Problem(message: "'\(name)' is no name for a variable") }
        return (name, try value(rest[rest.index(after: equals)...]))
    }

    private static func value(_ text: Substring) throws(Problem) -> JSONValue {
        guard let quote = text.first, quote == "\"" || quote == "'" else {
            let plain = String((text.firstRange(of: " #").map { text[..<$0.lowerBound] } ?? text))
            let trimmed = String(plain.reversed().drop(while: \.isWhitespace).reversed())
            switch trimmed {
            case "true": return true
            case "false": return false
            default: return JSONValue.number(trimmed) ?? .string(trimmed)
            }
        }
        let inner = text.dropFirst()
        guard let end = inner.lastIndex(of: quote) else { throw Problem(message: "this text has no closing \(quote)") }
        return .string(String(inner[..<end]))
    }
}
