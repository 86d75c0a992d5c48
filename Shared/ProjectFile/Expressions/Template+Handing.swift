import Messages

/// Values that are handed to a worker, which takes `{"secret": "NAME"}` for a secret's name (D.5).
///
/// Only the project file names secrets: as `${{ secrets.NAME }}`, or the reference written out. What comes of any other
/// expression is data; an author of a commit's message or of an event must not choose a secret with it.
extension Template {
    /// Its value for the `with` of a step.
    package func handed(in scope: Scope) throws(EvaluationError) -> JSONValue {
        switch self {
        case .literal, .text: return try evaluate(in: scope)
        case .expression(let expression):
            let value = try expression.evaluate(in: scope)
            if !expression.isSecret, let name = SecretReference.first(in: value) { throw Self.refusal(name) }
            return value
        case .list(let items):
            var values: [JSONValue] = []
            for item in items { values.append(try item.handed(in: scope)) }
            return .array(values)
        case .object(let members):
            var values: [String: JSONValue] = [:]
            for (name, member) in members { values[name] = try member.handed(in: scope) }
            let value = JSONValue.object(values)
            guard let name = SecretReference.name(in: value), members["secret"]?.literal == nil else { return value }
            throw Self.refusal(name)
        }
    }

    /// Its value as a variable of a process: a text, where the reference's JSON is the reference.
    package func variable(in scope: Scope) throws(EvaluationError) -> String {
        switch self {
        case .literal: return try text(in: scope)
        case .list, .object: return try handed(in: scope).embedded
        case .expression, .text:
            let text = try text(in: scope)
            if case .expression(let expression) = self, expression.isSecret { return text }
            return try Self.data(text)
        }
    }

    /// A text that comes from outside: never a secret's name.
    static func data(_ text: String) throws(EvaluationError) -> String {
        if let name = SecretReference.name(inText: text) { throw refusal(name) }
        return text
    }

    private static func refusal(_ name: String) -> EvaluationError {
        EvaluationError(
            message: "a value from outside of the project file would be taken for the name of a secret,"
                + " '\(name.prefix(100))'; only ${{ secrets.NAME }} hands a secret on")
    }
}

extension Expression {
    /// One whole `secrets.NAME`: the reader lets it stand nowhere else.
    fileprivate var isSecret: Bool {
        if case .reference(let reference) = self { reference.root == .secrets } else { false }
    }
}
