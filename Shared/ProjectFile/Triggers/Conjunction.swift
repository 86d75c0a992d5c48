import Messages

/// `on: all`: several events that a pipeline waits for. It starts once for each set of them that is complete.
package struct Conjunction: Sendable, Hashable {
    /// One of them.
    package struct Part: Sendable, Hashable {
        package var name: String
        package var trigger: Trigger
        /// `nil`: as all of them.
        var by: Template?
    }

    /// In the order of the file.
    package var parts: [Part]
    /// Events belong together when this has the same value for them; `nil`: all do.
    var by: Template?
    /// How long one of them waits for the others.
    package var within: Duration
    /// Of the parts and of what they belong together by: what waits for other ones is another set.
    package var digest: String

    static let usually: Duration = .seconds(86_400)

    /// What an event belongs to that is this part; `nil`: there is nothing in it that says so.
    package func correlation(of part: String, in scope: Scope) throws(EvaluationError) -> String? {
        guard let by = parts.first(where: { $0.name == part })?.by ?? by else { return "" }
        let text = try by.text(in: scope)
        return text.isEmpty ? nil : text
    }
}

/// A cause that is one of several, or more than one of them at once.
package struct Contribution: Sendable, Hashable {
    package struct Part: Sendable, Hashable {
        package var name: String
        /// Why it is this part.
        package var reason: String
    }

    package var conjunction: Conjunction
    package var parts: [Part]
}
