import Messages

extension PlannedJob {
    /// What people see of a plan before it runs: conditions and inputs as the file has them.
    package var json: JSONValue {
        var members: [String: JSONValue] = [
            "id": .string(id), "needs": .array(needs.map(JSONValue.string)), "steps": .array(job.steps.map(\.json)),
        ]
        if job.id != id { members["job"] = .string(job.id) }
        if let title = job.title { members["name"] = .string(title) }
        if let condition = job.condition.expression { members["if"] = .string(condition.text) }
        if let environment { members["environment"] = .string(environment) }
        if !matrix.isEmpty { members["matrix"] = .object(matrix) }
        if let timeout = job.timeout { members["timeoutSeconds"] = .int(Int(timeout.components.seconds)) }
        if let retry = job.retry { members["retry"] = .int(retry.max) }
        if let recheck = job.recheck { members["recheck"] = recheck.championUnchanged.json }
        if !job.with.isEmpty { members["with"] = .object(job.with.mapValues(\.json)) }
        if !job.outputs.isEmpty { members["outputs"] = .object(job.outputs.mapValues(\.json)) }
        return .object(members)
    }
}

extension Step {
    fileprivate var json: JSONValue {
        var members: [String: JSONValue] = ["id": .string(id), "uses": .string(verb), "with": with.json]
        if title != verb { members["name"] = .string(title) }
        if let condition = condition.expression { members["if"] = .string(condition.text) }
        if continueOnError { members["continueOnError"] = true }
        if let timeout { members["timeoutSeconds"] = .int(Int(timeout.components.seconds)) }
        if !env.isEmpty { members["env"] = .object(env.mapValues(\.json)) }
        return .object(members)
    }
}

extension Parameter {
    fileprivate var json: JSONValue { ["type": .string(kind.rawValue), "default": self.default?.json ?? .null] }
}

extension Pipeline {
    /// The pipeline with its jobs laid out.
    package func json(_ jobs: [PlannedJob]) -> JSONValue {
        var members: [String: JSONValue] = [
            "pipeline": .string(name), "on": .array(triggers.map { .string($0.word) }),
            "jobs": .array(jobs.map(\.json)),
        ]
        if let environment { members["environment"] = .string(environment) }
        if let concurrency {
            members["concurrency"] = [
                "group": concurrency.group.json, "max": .int(concurrency.max),
                "onConflict": .string(concurrency.onConflict.rawValue),
            ]
        }
        let parameters = parameters(manual: true)
        if !parameters.isEmpty {
            members["parameters"] = .object(
                Dictionary(parameters.map { ($0.name, $0.json) }, uniquingKeysWith: { $1 }))
        }
        return .object(members)
    }
}
