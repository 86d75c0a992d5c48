import Foundation
import GRDB
import Messages

extension JSONValue {
    /// A row as the API shows it: `poll_seconds` becomes `pollSeconds`, and `errors_json` the value `errors`.
    init(row: Row) {
        var members: [String: JSONValue] = [:]
        for (column, value) in row {
            if column.hasSuffix("_json") {
                members[camelCase(String(column.dropLast("_json".count)))] = JSONValue(
                    text: String.fromDatabaseValue(value))
            } else {
                members[camelCase(column)] = JSONValue(value)
            }
        }
        self = .object(members)
    }

    private init(_ value: DatabaseValue) {
        switch value.storage {
        case .null: self = .null
        case .int64(let number): self = .int(Int(number))
        case .double(let number): self = .double(number)
        case .string(let text): self = .string(text)
        case .blob: self = .null
        }
    }

    /// What our own tables hold; `null` for nothing.
    private init(text: String?) {
        guard let text, let value = try? Wire.decode(JSONValue.self, from: Data(text.utf8)) else {
            self = .null
            return
        }
        self = value
    }

    /// The same object with one more member.
    func with(_ key: String, _ value: JSONValue) -> JSONValue {
        guard case .object(var members) = self else { return self }
        members[key] = value
        return .object(members)
    }
}

private func camelCase(_ column: String) -> String {
    let words = column.split(separator: "_")
    return words.dropFirst().reduce(String(words.first ?? "")) { $0 + $1.prefix(1).uppercased() + $1.dropFirst() }
}

/// A value as a `_json` column holds it.
func jsonText(_ value: some Encodable) throws -> String {
    String(decoding: try Wire.encode(value), as: UTF8.self)
}

extension Database {
    /// Rows as the API shows them.
    func list(_ sql: String, _ arguments: StatementArguments = []) throws -> [JSONValue] {
        try Row.fetchAll(cachedStatement(sql: sql), arguments: arguments).map(JSONValue.init(row:))
    }

    func one(_ sql: String, _ arguments: StatementArguments = []) throws -> JSONValue? {
        try Row.fetchOne(cachedStatement(sql: sql), arguments: arguments).map(JSONValue.init(row:))
    }

    /// One of the few statements that run for each event: prepared once.
    func run(_ sql: String, _ arguments: StatementArguments) throws {
        try cachedStatement(sql: sql).execute(arguments: arguments)
    }
}
