import Messages

extension Pipeline {
    /// Every reference in it.
    package var references: [Expression.Reference] {
        (own + defaults.values).flatMap(\.references) + jobs.flatMap(\.references)
    }

    /// What is its own and no job's.
    private var own: [Template] { [concurrency?.group].compactMap(\.self) + env.values }

    /// Variables that it uses and that have no value: those of a group or file that lacks them.
    /// - Parameters:
    ///   - values: with its own environment.
    ///   - others: with each other one of its jobs.
    ///   - environments: the project's. Whether one of its jobs' is enabled must be known: empty is an answer, nothing is none.
    package func missingVariables(
        in values: [String: JSONValue], others: [String: [String: JSONValue]] = [:],
        environments: [String: Environment] = [:]
    ) -> [String] {
        func missing(_ references: [Expression.Reference], _ values: [String: JSONValue]) -> [String] {
            references.filter { $0.root == .vars }.compactMap(\.path.first).filter { values[$0] == nil }
        }
        let shared = own.flatMap(\.references)
        var names = Set(missing(shared, values))
        for job in jobs {
            let enabled = (job.environment ?? environment).flatMap { environments[$0]?.enabled }?.references ?? []
            // Variables of the pipeline's `env` are evaluated for each job.
            names.formUnion(
                missing(shared + enabled + job.references, job.environment.flatMap { others[$0] } ?? values))
        }
        return names.sorted()
    }
}

extension Job {
    package var references: [Expression.Reference] {
        var conditions = [condition]
        var templates = [recheck?.championUnchanged].compactMap(\.self)
        for group in [env, with, outputs] { templates += group.values }
        for entry in (matrix?.include ?? []) + (matrix?.exclude ?? []) { templates += entry.values }
        templates += matrix?.axes.flatMap(\.values) ?? []
        for step in steps {
            conditions.append(step.condition)
            templates.append(step.with)
            templates += step.env.values
        }
        return templates.flatMap(\.references) + conditions.compactMap(\.expression).flatMap(\.references)
    }
}
