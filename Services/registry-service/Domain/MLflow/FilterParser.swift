/// Reads MLflow's filter language: comparisons that are joined by `AND`.
struct FilterParser {
    /// More would only be meant to keep the database busy.
    static let mostConditions = 50
    /// What a search is ordered by: each metric, parameter or tag is a join, of which SQLite does 63.
    static let mostOrderings = 50

    private let tokens: [FilterToken]
    private let scope: SearchScope
    private var at = 0

    private init(_ text: String, _ scope: SearchScope) throws(MLflowError) {
        tokens = try FilterToken.read(text)
        self.scope = scope
    }

    static func filter(_ text: String?, _ scope: SearchScope) throws(MLflowError) -> Filter {
        var parser = try FilterParser(text ?? "", scope)
        var filter = Filter()
        while !parser.isAtEnd {
            if !filter.conditions.isEmpty { try parser.expectAnd() }
            filter.conditions.append(try parser.condition())
            guard filter.conditions.count <= mostConditions else {
                throw .invalid("Invalid filter: more than \(mostConditions) conditions")
            }
        }
        return filter
    }

    /// `metrics.rmse ASC`, `name`, `` params.`learning rate` DESC ``.
    static func ordering(_ texts: [String], _ scope: SearchScope) throws(MLflowError) -> [Ordering] {
        try checkOrderings(texts.count)
        var orderings: [Ordering] = []
        for text in texts {
            var parser = try FilterParser(text, scope)
            let field = try parser.field()
            var ascending = true
            if let word = parser.keyword(), ["ASC", "DESC"].contains(word) {
                ascending = word == "ASC"
                parser.at += 1
            }
            guard parser.isAtEnd else { throw .invalid("Invalid order_by clause '\(text)'") }
            orderings.append(Ordering(field: field, ascending: ascending))
        }
        return orderings
    }

    static func checkOrderings(_ count: Int) throws(MLflowError) {
        guard count <= mostOrderings else {
            throw .invalid("Invalid order_by: it may have \(mostOrderings) clauses at most; got \(count)")
        }
    }

    private var isAtEnd: Bool { at >= tokens.count }
    private var next: FilterToken? { at < tokens.count ? tokens[at] : nil }

    /// A bare word, in capitals; nothing is taken.
    private func keyword() -> String? {
        if case .word(let word, quoted: false) = next { word.uppercased() } else { nil }
    }

    private mutating func take(_ word: String) -> Bool {
        guard keyword() == word else { return false }
        at += 1
        return true
    }

    private mutating func expectAnd() throws(MLflowError) {
        guard take("AND") else {
            throw .invalid("Invalid clause(s) in filter string: conditions are joined by AND, and by nothing else")
        }
    }

    // MARK: - What is looked at

    private static let entities: [String: String] = [
        "attribute": "attribute", "attributes": "attribute", "attr": "attribute", "run": "attribute",
        "metric": "metric", "metrics": "metric", "param": "parameter", "params": "parameter",
        "parameter": "parameter", "parameters": "parameter", "tag": "tag", "tags": "tag",
        "dataset": "dataset", "datasets": "dataset",
    ]

    private mutating func field() throws(MLflowError) -> Filter.Field {
        guard case .word(let first, _) = next else { throw .invalid("Invalid filter: a name is expected") }
        at += 1
        guard next == .dot else { return .attribute(try attribute(first)) }
        at += 1
        guard let entity = Self.entities[first] else {
            throw .invalid("Invalid entity type '\(first)'. Valid values are attributes and \(known)")
        }
        let name = try dotted()
        if entity == "attribute" { return .attribute(try attribute(name)) }
        guard scope.entities.contains(entity) else {
            throw .invalid("Invalid entity type '\(first)'. Valid values are attributes and \(known)")
        }
        switch entity {
        case "metric": return .metric(name)
        case "parameter": return .parameter(name)
        case "dataset":
            guard ["name", "digest", "context"].contains(name) else {
                throw .invalid("Invalid dataset attribute '\(name)'. Valid values are name, digest, context")
            }
            return .dataset(name)
        default: return .tag(name)
        }
    }

    private var known: String { scope.entities.sorted().map { $0 + "s" }.joined(separator: ", ") }

    /// `mlflow.source.type` is one name, with or without back-ticks; a name may begin with a digit.
    private mutating func dotted() throws(MLflowError) -> String {
        var name = ""
        while true {
            switch next {
            case .word(let part, _): name += part
            case .number(let number): name += Self.text(number)
            default: throw .invalid("Invalid filter: a name is expected after '.'")
            }
            at += 1
            guard next == .dot else { return name }
            at += 1
            name += "."
        }
    }

    private static func text(_ number: Double) -> String {
        Int(exactly: number).map(String.init) ?? String(number)
    }

    private func attribute(_ name: String) throws(MLflowError) -> String {
        if let known = scope.attributes[name] { return known.name }
        let all = scope.attributes.keys.sorted().map { "'\($0)'" }.joined(separator: ", ")
        throw .invalid("Invalid attribute key '\(name)' specified. Valid keys are '{\(all)}'")
    }

    // MARK: - How it is compared

    private mutating func condition() throws(MLflowError) -> Filter.Condition {
        let field = try field()
        let test = try test()
        try check(test, of: field)
        return Filter.Condition(field: field, test: test)
    }

    private mutating func test() throws(MLflowError) -> Filter.Test {
        if case .sign(let sign) = next, let comparison = Filter.Comparison(rawValue: sign) {
            at += 1
            return .compares(comparison, try literal())
        }
        if take("LIKE") { return .compares(.like, try literal()) }
        if take("ILIKE") { return .compares(.ilike, try literal()) }
        if take("IN") { return .isIn(try list()) }
        if take("NOT"), take("IN") { return .isNotIn(try list()) }
        if take("IS") {
            let isNegated = take("NOT")
            guard take("NULL") else { throw .invalid("Invalid filter: NULL is expected after IS") }
            return isNegated ? .isPresent : .isAbsent
        }
        throw .invalid("Invalid filter: a comparison operator is expected")
    }

    private mutating func literal() throws(MLflowError) -> Filter.Literal {
        switch next {
        case .text(let text), .word(let text, quoted: true):
            at += 1
            return .text(text)
        case .number(let number):
            at += 1
            return .number(number)
        default:
            throw .invalid("Invalid filter: a quoted text or a number is expected after the operator")
        }
    }

    private mutating func list() throws(MLflowError) -> [String] {
        guard next == .open else { throw .invalid("Invalid filter: a list in parentheses is expected after IN") }
        var items: [String] = []
        repeat {
            at += 1
            if next == .close, !items.isEmpty { break }
            guard case .text(let text) = try literal() else {
                throw .invalid("Invalid filter: the values of a list are quoted texts")
            }
            items.append(text)
        } while next == .comma
        guard next == .close else { throw .invalid("Invalid filter: a ')' is expected") }
        at += 1
        return items
    }

    /// Numbers are compared with numbers, texts with texts.
    private func check(_ test: Filter.Test, of field: Filter.Field) throws(MLflowError) {
        let kind: SearchScope.Kind =
            switch field {
            case .attribute(let name): scope.attributes[name]?.kind ?? .text
            case .metric: .number
            case .parameter, .tag, .dataset: .text
            }
        guard case .compares(let comparison, let literal) = test else {
            if kind == .number { throw .invalid("Invalid filter: a number is compared with <, <=, =, !=, >= or >") }
            return
        }
        switch (kind, literal) {
        case (.number, .text(let text)):
            throw .invalid("Expected numeric value type for numeric attribute or metric. Found '\(text)'")
        case (.text, .number(let number)):
            throw .invalid("Expected a quoted string value. Found \(Self.text(number))")
        case (.number, .number):
            if comparison.isPattern { throw .invalid("Invalid comparator '\(comparison.rawValue)' for a number") }
        case (.text, .text):
            if comparison.isOrder { throw .invalid("Invalid comparator '\(comparison.rawValue)' for a text") }
        }
    }
}
