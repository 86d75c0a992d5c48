import Messages

/// One pipeline as declared.
package struct Pipeline: Sendable, Hashable {
    package var name: String
    package var title: String?
    package var triggers: [Trigger]
    /// Whatever starts it. `parameters` of `manual` count only where somebody hands values in.
    package var parameters: [Parameter]
    /// Also of each of its jobs that names none.
    package var environment: String?
    package var concurrency: Concurrency?
    /// Variables for the processes of its steps.
    package var env: [String: Template]
    /// Values for the `with` of steps whose verb knows them.
    package var defaults: [String: Template]
    /// In the order of the file.
    package var jobs: [Job]

    package var schedules: [Schedule] {
        triggers.flatMap(\.parts).compactMap { trigger in
            if case .schedule(let schedule) = trigger { schedule } else { nil }
        }
    }

    /// The pipelines whose ends start it, alone or with other events.
    var followed: Set<String> {
        Set(
            triggers.flatMap(\.parts).compactMap { trigger -> String? in
                if case .pipeline(let name, _, _) = trigger { name } else { nil }
            })
    }

    package func job(_ id: String) -> Job? { jobs.first { $0.id == id } }
}

package struct Concurrency: Sendable, Hashable {
    package enum OnConflict: String, Sendable, Hashable, CaseIterable {
        case queue, skip
        case cancelOlder = "cancel-older"
    }

    package var group: Template
    package var max = 1
    package var onConflict: OnConflict = .queue
}

package struct Job: Sendable, Hashable {
    package var id: String
    package var title: String?
    package var needs: [String]
    package var condition: Condition
    package var environment: String?
    package var matrix: Matrix?
    package var retry: Retry?
    package var timeout: Duration?
    package var recheck: Recheck?
    package var env: [String: Template]
    /// `job.<name>` in its steps.
    package var with: [String: Template]
    package var outputs: [String: Template]
    package var steps: [Step]
}

/// What must still hold once people have agreed.
package struct Recheck: Sendable, Hashable {
    package var championUnchanged: Template
}

package struct Retry: Sendable, Hashable {
    /// Attempts after the first.
    package var max: Int
    package var backoff: Duration
}

package struct Step: Sendable, Hashable {
    /// `step-<n>` where the file names none.
    package var id: String
    package var title: String
    package var condition: Condition
    /// `run`, or the verb of `uses:`.
    package var verb: String
    /// An object; `{"script": …}` for `run`. The pipeline's defaults are in it.
    package var with: Template
    package var env: [String: Template]
    package var continueOnError: Bool
    package var timeout: Duration?
}

/// `if:`; without `success()`, `failure()`, `rejected()` or `always()` in it, it asks for `success()` as well.
package struct Condition: Sendable, Hashable {
    /// `nil`: not given.
    package var expression: Expression?

    package static let success = Condition(expression: nil)

    package func holds(in scope: Scope) throws(EvaluationError) -> Bool {
        guard let expression else { return scope.standing == .succeeded }
        if !expression.asksForStanding, scope.standing != .succeeded { return false }
        return try expression.evaluate(in: scope).isTrue
    }
}

/// The values for which a job is repeated.
package struct Matrix: Sendable, Hashable {
    package struct Axis: Sendable, Hashable {
        package var name: String
        package var values: [Template]
    }

    package var axes: [Axis]
    package var include: [[String: Template]]
    package var exclude: [[String: Template]]
    package var maxParallel: Int?
}
