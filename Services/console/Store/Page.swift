import GRDB
import Messages

/// A part of a listing. `next` of the answer is the `after` of the following question.
struct Page: Sendable, Hashable {
    static let most = 500
    var limit = 50
    var after: String?

    /// Rows to leave out, as `after` has it: also of what nobody was given, never so many that none could be added.
    var offset: Int { min(max(0, after.flatMap { Int($0) } ?? 0), 1 << 40) }
}

/// Conditions of a listing, gathered as the question names them.
struct Filter {
    private(set) var conditions: [String] = []
    private(set) var arguments: StatementArguments = []

    init() {}

    /// No conditions, and the values of those that the listing has already.
    init(arguments: StatementArguments) { self.arguments = arguments }

    mutating func add(_ condition: String, _ values: (any DatabaseValueConvertible)?...) {
        conditions.append(condition)
        arguments += StatementArguments(values)
    }

    /// `column = value` where a value was given.
    mutating func equal(_ column: String, _ value: String?) {
        if let value { add("\(column) = ?", value) }
    }

    var clause: String { conditions.isEmpty ? "" : "WHERE " + conditions.joined(separator: " AND ") }
}

extension Database {
    /// `{"items": …, "next": …}`: by offset, for listings that change little while somebody pages.
    func page(_ select: String, _ filter: Filter, order: String, _ page: Page) throws -> JSONValue {
        var arguments = filter.arguments
        arguments += [page.limit + 1, page.offset]
        let rows = try list("\(select) \(filter.clause) ORDER BY \(order) LIMIT ? OFFSET ?", arguments)
        let more = rows.count > page.limit
        return .object([
            "items": .array(Array(rows.prefix(page.limit))),
            "next": more ? .string(String(page.offset + page.limit)) : .null,
        ])
    }
}
