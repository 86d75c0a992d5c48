import Messages

extension Pipeline {
    /// Every reference in it.
    package var references: [Expression.Reference] {
        var templates = [concurrency?.group].compactMap(\.self) + env.values + defaults.values
        var conditions: [Condition] = []
        for job in jobs {
            conditions.append(job.condition)
            templates += [job.recheck?.championUnchanged].compactMap(\.self)
            for group in [job.env, job.with, job.outputs] { templates += group.values }
            for entry in (job.matrix?.include ?? []) + (job.matrix?.exclude ?? []) { templates += entry.values }
            templates += job.matrix?.axes.flatMap(\.values) ?? []
            for step in job.steps {
                conditions.append(step.condition)
                templates.append(step.with)
                templates += step.env.values
            }
        }
        return templates.flatMap(\.references) + conditions.compactMap(\.expression).flatMap(\.references)
    }

    /// Variables that it uses and that have no value: those of a group or file that lacks them.
    package func missingVariables(in values: [String: JSONValue]) -> [String] {
        let used = references.filter { $0.root == .vars }.compactMap(\.path.first)
        return Set(used).filter { values[$0] == nil }.sorted()
    }
}
