import Foundation
import Messages
import ProjectFile

extension RunMachine {
    /// What the conditions of a job and of its environment can see.
    func scope(before job: Int) throws(EvaluationError) -> Scope {
        var scope = run.facts.scope(in: plan.jobs[job].environment)
        scope.run = run.reference
        scope.matrix = .object(plan.jobs[job].matrix)
        scope.own = plan.ownNames(of: job)
        var needs: [String: JSONValue] = [:]
        let needed = plan.needs(of: job)
        for (id, cells) in Dictionary(grouping: needed, by: { plan[$0].id }) { needs[id] = outcome(of: cells) }
        scope.needs = .object(needs)
        scope.standing = Scope.standing(of: needed.compactMap { run.jobs[$0].status.standing })
        scope.failed = isAny(before: job) { $0.outcome == .failed }
        scope.rejected = isAny(before: job) { $0.answer?.isRefusal == true }
        let id = plan.jobs[job].id
        var values: [String: JSONValue] = ["id": .string(id), "name": .string(plan[job].title ?? id)]
        for (name, template) in plan[job].with { values[name] = try template.evaluate(in: scope) }
        scope.job = .object(values)
        return scope
    }

    /// Whether it is so of a job that had to come before, also of one before that: a job in between that was skipped hides
    /// nothing from those that clean up.
    private func isAny(before job: Int, _ isSo: (RunJob.Status) -> Bool) -> Bool {
        guard run.jobs.contains(where: { isSo($0.status) }) else { return false }
        return plan.ancestors(of: job).contains { isSo(run.jobs[$0].status) }
    }

    /// Outputs and outcome of one needed job; those of a matrix are laid over each other.
    private func outcome(of cells: [Int]) -> JSONValue {
        var members: [String: JSONValue] = [:]
        for cell in cells { members.merge(run.jobs[cell].status.outputs.object ?? [:]) { $1 } }
        let outcome = Scope.standing(of: cells.compactMap { run.jobs[$0].status.outcome })
        members["outcome"] = .string(outcome.rawValue)
        let answers = cells.compactMap { run.jobs[$0].status.answer }
        if let answer = answers.first(where: \.isRefusal) ?? answers.first { members["approval"] = answer.members }
        return .object(members)
    }

    /// What the steps of a job can see.
    func scope(in job: Int) throws(EvaluationError) -> Scope {
        var scope = try scope(before: job)
        var steps: [String: JSONValue] = [:]
        for step in run.jobs[job].steps {
            guard let outcome = step.status.outcome else { continue }
            var members = step.status.outputs.object ?? [:]
            members["outcome"] = .string(outcome.rawValue)
            steps[step.id] = .object(members)
        }
        scope.steps = .object(steps)
        scope.standing = Scope.standing(of: Self.counting(run.jobs[job].steps))
        // A step asks about the steps before it.
        scope.failed = false
        return scope
    }

    /// What a worker hands to a shell, by verb.
    private static let scripts = [
        "run": ["script"], "train/run": ["script", "command"], "evaluate/test": ["command"],
        "evaluate/compare": ["score"], "train/publish": ["compile"],
    ]

    func makeOffer(_ step: Step, _ place: StepPlace, _ scope: Scope) throws(EvaluationError) -> StepOffer {
        var variables = run.variables(job: run.jobs[place.job].id, step: step.id)
        for source in [plan.pipeline.env, plan[place.job].env, step.env] {
            for (name, template) in source { variables[name] = try template.variable(in: scope) }
        }
        var with = try step.with.handed(in: scope)
        for key in Self.scripts[step.verb] ?? [] {
            guard case .object(var members) = with, let template = step.with[key] else { continue }
            let script = try template.script(in: scope)
            variables.merge(script.variables) { $1 }
            members[key] = .string(script.text)
            with = .object(members)
        }
        if run.facts.untrusted == true { try Untrusted.check(step.verb, with, variables) }
        return StepOffer(
            with: with, variables: variables,
            timeoutSeconds: step.timeout.map { max(1, Int($0.components.seconds)) })
    }
}

extension RunFacts {
    /// What every expression of the run can see that stands in an environment, whatever has happened in it.
    func scope(in environment: String?) -> Scope {
        var members: [String: JSONValue] = [:]
        if let model { members["name"] = .string(model) }
        if let champion { members["champion"] = .string(champion) }
        return Scope(
            project: project, event: event, git: git.map { Self.members($0, event: event) } ?? [:],
            run: .object(reference), params: .object(parameters),
            vars: environment.flatMap { variablesOfJobs?[$0] } ?? variables, model: .object(members),
            upstream: upstream
        ).inside(environment)
    }

    /// `run.` in expressions, before anything has happened: what a run is laid out by is the same at each attempt.
    var reference: [String: JSONValue] {
        [
            "id": .string(id), "number": .int(number), "url": .string(url), "project": .string(project),
            "pipeline": .string(pipeline), "attempt": 1, "actor": .string(requester), "reason": .string(reason),
            "cause": .string(cause), "outcome": .string(Outcome.succeeded.rawValue),
        ]
    }

    /// `git.` in expressions; who wrote it and what was before is known of some events.
    static func members(_ git: GitReference, event: JSONValue = .null) -> JSONValue {
        let ref = git.ref ?? "refs/heads/\(git.branch)"
        var members: [String: JSONValue] = [
            "repository": .string(git.repository), "repo": .string(git.repository), "url": .string(git.url),
            "sha": .string(git.sha), "message": .string(git.message), "ref": .string(ref),
            "branch": .string(git.branch), "ref_name": .string(git.branch),
            "author": event["author"] ?? .null, "before": event["before"] ?? .null,
        ]
        switch NamedReference(ref) {
        case .tag(let tag)?:
            members["tag"] = .string(tag)
            members["branch"] = .null
        case .branch?: break
        case nil: members["ref_name"] = .string(ref.replacingOccurrences(of: "refs/pull/", with: ""))
        }
        return .object(members)
    }
}

extension Run {
    /// `run.` in expressions.
    var reference: JSONValue {
        var members = facts.reference
        members["attempt"] = .int(status.attempt)
        members["outcome"] = .string(standing.rawValue)
        return .object(members)
    }

    /// How the run stands so far: what a last job's notification says.
    private var standing: Outcome {
        Scope.standing(of: jobs.compactMap(\.status.outcome).filter { $0 != .skipped })
    }

    /// The run's own facts for the process of a step.
    func variables(job: String, step: String) -> [String: String] {
        var variables = [
            "MARTLET_RUN_ID": id, "MARTLET_RUN_NUMBER": String(facts.number), "MARTLET_RUN_URL": facts.url,
            "MARTLET_PROJECT": facts.project, "MARTLET_PIPELINE": facts.pipeline, "MARTLET_JOB": job,
            "MARTLET_STEP": step,
        ]
        if let git = facts.git {
            variables["MARTLET_GIT_SHA"] = git.sha
            variables["MARTLET_GIT_BRANCH"] = git.branch
            if let ref = git.ref { variables["MARTLET_GIT_REF"] = ref }
        }
        if let model = facts.model { variables["MARTLET_MODEL_NAME"] = model }
        return variables
    }

    /// What a worker is handed for an offered step.
    func work(_ place: StepPlace, token: Int64, after: [LogPosition], because: Causation) -> StepWork? {
        let step = self[place]
        guard let offer = step.status.offer else { return nil }
        return StepWork(
            item: item(place), token: token, job: jobs[place.job].id, step: step.id, attempt: step.status.attempt,
            verb: step.verb, with: offer.with, variables: offer.variables, timeoutSeconds: offer.timeoutSeconds,
            run: RunReference(
                id: id, number: facts.number, url: facts.url, project: facts.project, pipeline: facts.pipeline,
                git: facts.git, snapshot: status.snapshot, model: facts.model,
                untrusted: facts.untrusted == true ? true : nil),
            after: after, checkpoint: step.status.checkpoint,
            // What a step does it does as its pipeline: that is whom `set_by` names.
            causation: because.acting(as: "pipeline:\(facts.pipeline)"), approval: jobs[place.job].status.approval)
    }
}
