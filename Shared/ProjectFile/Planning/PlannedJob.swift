import Messages

/// A job of one run: what the file declares, for one set of matrix values.
package struct PlannedJob: Sendable, Hashable {
    /// The declared id, or `<id>.<values>` for one of a matrix. It never holds a slash.
    package var id: String
    package var job: Job
    /// The planned jobs that come before.
    package var needs: [String]
    package var environment: String?
    /// `matrix.` in its expressions.
    package var matrix: [String: JSONValue]

    /// For the event that announces the run.
    package var plan: JobPlan {
        JobPlan(
            id: id, needs: needs, environment: environment,
            steps: job.steps.map { StepPlan(id: $0.id, verb: $0.verb, title: $0.title) }
        )
    }
}

extension Project {
    /// The jobs of a pipeline, each after those that it needs.
    /// - Parameter scope: what a matrix may use in an environment: `vars`, `params`, `git`, `event`, `run`, `env`.
    package func planJobs(
        of pipeline: Pipeline, in scope: (String?) -> Scope
    ) throws(EvaluationError) -> [PlannedJob] {
        var planned: [String: [PlannedJob]] = [:]
        var order: [PlannedJob] = []
        for job in pipeline.jobsInOrder {
            let needs = job.needs.flatMap { planned[$0] ?? [] }.map(\.id)
            let environment = job.environment ?? pipeline.environment
            var jobs: [PlannedJob] = []
            for (suffix, values) in try job.matrix?.combinations(in: scope(environment)) ?? [(nil, [:])] {
                jobs.append(
                    PlannedJob(
                        id: suffix.map { "\(job.id).\($0)" } ?? job.id, job: job, needs: needs,
                        environment: environment, matrix: values
                    )
                )
            }
            planned[job.id] = jobs
            order += jobs
        }
        return order
    }

    /// The same where every environment has the same variables.
    package func planJobs(of pipeline: Pipeline, in scope: Scope) throws(EvaluationError) -> [PlannedJob] {
        try planJobs(of: pipeline) { scope.inside($0) }
    }
}

extension Pipeline {
    /// Each job after those it needs, otherwise in the order of the file; the reader has refused cycles.
    var jobsInOrder: [Job] {
        let positions = Dictionary(
            jobs.enumerated().map { ($0.element.id, $0.offset) }, uniquingKeysWith: { first, _ in first })
        // How many have to come before, one after another.
        var depths = [Int](repeating: 0, count: jobs.count)
        var open = jobs.map { $0.needs.count { positions[$0] != nil } }
        var waiting: [String: [Int]] = [:]
        for (index, job) in jobs.enumerated() { for need in job.needs { waiting[need, default: []].append(index) } }
        var ready = jobs.indices.filter { open[$0] == 0 }
        while let index = ready.popLast() {
            for other in waiting[jobs[index].id] ?? [] {
                depths[other] = max(depths[other], depths[index] + 1)
                open[other] -= 1
                if open[other] == 0 { ready.append(other) }
            }
        }
        return jobs.indices.sorted { (depths[$0], $0) < (depths[$1], $1) }.map { jobs[$0] }
    }
}

extension Matrix {
    /// Every combination with a suffix for the job's id: its values where they tell the combinations apart, else a
    /// number.
    func combinations(in scope: Scope) throws(EvaluationError) -> [(suffix: String?, values: [String: JSONValue])] {
        var combinations: [[String: JSONValue]] = axes.isEmpty ? [] : [[:]]
        for axis in axes {
            var values: [JSONValue] = []
            for value in axis.values { values.append(try value.evaluate(in: scope)) }
            combinations = combinations.flatMap { combination in
                values.map { combination.merging([axis.name: $0]) { $1 } }
            }
            try Self.check(combinations)
        }
        let excluded = try evaluate(exclude, in: scope)
        combinations.removeAll { combination in
            excluded.contains { entry in entry.allSatisfy { combination[$0.key] == $0.value } }
        }
        combinations = including(try evaluate(include, in: scope), in: combinations)
        try Self.check(combinations)
        let texts = combinations.map(suffix)
        let telling = Set(texts).count == texts.count && !texts.contains("")
        return combinations.enumerated().map { (telling ? texts[$0.offset] : String($0.offset + 1), $0.element) }
    }

    static let limit = 1_000

    private static func check(_ combinations: [[String: JSONValue]]) throws(EvaluationError) {
        guard combinations.count <= limit else {
            throw EvaluationError(message: "the matrix has more than \(limit) combinations")
        }
    }

    private func evaluate(
        _ entries: [[String: Template]], in scope: Scope
    ) throws(EvaluationError) -> [[String: JSONValue]] {
        var result: [[String: JSONValue]] = []
        for entry in entries {
            var values: [String: JSONValue] = [:]
            for (name, value) in entry { values[name] = try value.evaluate(in: scope) }
            result.append(values)
        }
        return result
    }

    /// As in GitHub Actions: an entry adds to the combinations whose values it leaves alone, else it is one of its own.
    private func including(
        _ entries: [[String: JSONValue]], in base: [[String: JSONValue]]
    ) -> [[String: JSONValue]] {
        let names = Set(axes.map(\.name))
        var result = base
        for entry in entries {
            let own = entry.filter { names.contains($0.key) }
            let fitting = base.indices.filter { index in own.allSatisfy { base[index][$0.key] == $0.value } }
            if fitting.isEmpty {
                result.append(entry)
            } else {
                for index in fitting { result[index].merge(entry) { $1 } }
            }
        }
        return result
    }

    /// The first telling value of each axis, in letters that a file name may hold.
    private func suffix(of values: [String: JSONValue]) -> String {
        let names = axes.isEmpty ? values.keys.sorted() : axes.map(\.name)
        let texts = names.compactMap { values[$0]?.scalarText.map(slug) }.filter { !$0.isEmpty }
        return String(texts.joined(separator: "-").prefix(60))
    }
}

private func slug(_ text: String) -> String {
    let letters = text.unicodeScalars.map { scalar -> Character in
        let plain = scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar))
        return plain || scalar == "_" ? Character(scalar) : "-"
    }
    return String(letters).split(separator: "-").joined(separator: "-")
}
