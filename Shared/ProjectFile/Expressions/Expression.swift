import Messages

/// What stands inside `${{ }}` (D.5): references, comparisons and a few functions; no arithmetic, nothing that runs.
package indirect enum Expression: Sendable, Hashable {
    case literal(JSONValue)
    case reference(Reference)
    case call(Function, [Expression])
    case not(Expression)
    case and(Expression, Expression)
    case or(Expression, Expression)
    case equal(Expression, Expression)
    case notEqual(Expression, Expression)

    package enum Function: String, Sendable, Hashable, CaseIterable {
        case success, failure, always, rejected, contains, startsWith

        var arity: Int {
            switch self {
            case .success, .failure, .always, .rejected: 0
            case .contains, .startsWith: 2
            }
        }
    }

    /// A name and where it stands, so that checking it later can say so.
    package struct Reference: Sendable, Hashable {
        package var root: Root
        /// What follows the root: `["train", "run_id"]` in `steps.train.run_id`.
        package var path: [String]
        package var place: Place

        package var text: String { ([root.rawValue] + path).joined(separator: ".") }
    }

    package enum Root: String, Sendable, Hashable, CaseIterable {
        case project, event, git, run, params, vars, secrets, model, env, matrix, needs, steps, upstream, job

        /// What it has in every file; `nil`: that depends on the file, or on the event.
        package var members: [String]? {
            switch self {
            case .git:
                [
                    "sha", "branch", "tag", "ref", "ref_name", "repo", "repository", "url", "message", "author",
                    "before",
                ]
            case .run:
                [
                    "id", "number", "url", "actor", "attempt", "pipeline", "project", "cause", "reason", "outcome",
                ]
            case .env: ["name"]
            case .model: ["name", "champion"]
            case .upstream: ["run", "pipeline", "outputs", "outcome", "git"]
            case .project, .event, .params, .vars, .secrets, .matrix, .needs, .steps, .job: nil
            }
        }
    }

    /// Every reference in it, from left to right.
    package var references: [Reference] {
        switch self {
        case .literal: []
        case .reference(let reference): [reference]
        case .call(_, let arguments): arguments.flatMap(\.references)
        case .not(let inner): inner.references
        case .and(let left, let right), .or(let left, let right), .equal(let left, let right),
            .notEqual(let left, let right):
            left.references + right.references
        }
    }

    /// Whether it says itself how it takes failures before it; otherwise a condition means `success() && …`.
    package var asksForStanding: Bool {
        switch self {
        case .literal, .reference: false
        case .call(let function, let arguments):
            function.arity == 0 || arguments.contains(where: \.asksForStanding)
        case .not(let inner): inner.asksForStanding
        case .and(let left, let right), .or(let left, let right), .equal(let left, let right),
            .notEqual(let left, let right):
            left.asksForStanding || right.asksForStanding
        }
    }
}

/// Where something stands in a file. Line and column count from 1.
package struct Place: Sendable, Hashable, Comparable {
    package var file: String
    package var line: Int
    package var column: Int

    func error(_ message: String) -> FileError {
        FileError(file: file, line: line, column: column, message: message)
    }

    package static func < (left: Place, right: Place) -> Bool {
        (left.file, left.line, left.column) < (right.file, right.line, right.column)
    }
}
