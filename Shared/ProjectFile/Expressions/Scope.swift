import Messages

/// What expressions can see when they are evaluated. Secrets are not in it: `secrets.X` is only ever a name.
package struct Scope: Sendable, Hashable {
    package var project: String
    /// The data of the cause, and `kind`: `push`, `manual`, ….
    package var event: JSONValue
    package var git: JSONValue
    package var run: JSONValue
    package var params: JSONValue
    package var vars: JSONValue
    package var model: JSONValue
    /// `{"name": …}`: the environment of the job or the pipeline.
    package var env: JSONValue
    package var matrix: JSONValue
    /// Outputs and `outcome` of the jobs before, by job.
    package var needs: JSONValue
    /// Outputs and `outcome` of the steps before, by step.
    package var steps: JSONValue
    package var upstream: JSONValue
    package var job: JSONValue
    /// How it went so far: `success()` is true for `succeeded` only, so it is false after `not_promoted`.
    package var standing: Outcome
    /// One of the jobs that had to come before failed, however many that were skipped lie between.
    package var failed = false
    /// People did not agree to one of the jobs that had to come before, as far back: no, nobody in time, or taken back.
    package var rejected = false
    /// `job.NAME` and `matrix.NAME` that hold nothing from outside the project file.
    package var own: Set<String> = []

    package init(
        project: String = "", event: JSONValue = [:], git: JSONValue = [:], run: JSONValue = [:],
        params: JSONValue = [:], vars: JSONValue = [:], model: JSONValue = [:], env: JSONValue = [:],
        matrix: JSONValue = [:], needs: JSONValue = [:], steps: JSONValue = [:], upstream: JSONValue = [:],
        job: JSONValue = [:], standing: Outcome = .succeeded
    ) {
        self.project = project
        self.event = event
        self.git = git
        self.run = run
        self.params = params
        self.vars = vars
        self.model = model
        self.env = env
        self.matrix = matrix
        self.needs = needs
        self.steps = steps
        self.upstream = upstream
        self.job = job
        self.standing = standing
    }

    /// The same in an environment: `env.`.
    package func inside(_ environment: String?) -> Scope {
        var scope = self
        scope.env = environment.map { ["name": .string($0)] } ?? [:]
        return scope
    }

    /// How several that had to come before stand together: the worst of them, a skipped one being less than a lost one.
    package static func standing(of outcomes: some Sequence<Outcome>) -> Outcome {
        let order: [Outcome] = [.failed, .canceled, .notPromoted, .skipped]
        let seen = Set(outcomes)
        return order.first(where: seen.contains) ?? .succeeded
    }

    func value(of reference: Expression.Reference) -> JSONValue {
        var value: JSONValue
        switch reference.root {
        case .project: return .string(project)
        case .secrets: return ["secret": .string(reference.path.joined(separator: "."))]
        case .event: value = event
        case .git: value = git
        case .run: value = run
        case .params: value = params
        case .vars: value = vars
        case .model: value = model
        case .env: value = env
        case .matrix: value = matrix
        case .needs: value = needs
        case .steps: value = steps
        case .upstream: value = upstream
        case .job: value = job
        }
        for name in reference.path {
            guard let member = value[name] ?? Int(name).flatMap({ value[$0] }) else { return .null }
            value = member
        }
        return value
    }
}
