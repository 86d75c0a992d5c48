import Messages
import ProjectFile
import Store

/// A pipeline that a cause starts.
struct RunRequest: Sendable {
    var cause: Cause
    var git: GitReference
    var project: Project
    /// The key of the file's texts.
    var fileDigest: String
    var pipeline: String
    var reason: String
}

/// The trigger holds, and still there is no run.
struct NotStarted: Error, Hashable {
    let code: String
    let reason: String
}

extension Dispatcher {
    /// - Returns: the run.
    /// - Throws: `NotStarted` before anything was written.
    @discardableResult
    func start(_ request: RunRequest, _ transaction: Transaction) throws -> String {
        let cause = request.cause
        guard let pipeline = request.project.pipeline(request.pipeline) else {
            throw NotStarted(code: "no_pipeline", reason: "the project file has no pipeline '\(request.pipeline)'")
        }
        // Once for each upstream run; again only when somebody asks for that.
        if let upstream = cause.upstreamRun, cause.replayOf == nil,
            try transaction.hasDownstream(of: upstream, project: request.project.name, pipeline: pipeline.name)
        {
            throw NotStarted(code: "already_started", reason: "run \(upstream) has started '\(pipeline.name)' before")
        }
        var facts: RunFacts
        let plan: RunPlan
        let group: ConcurrencyGroup?
        do {
            facts = try self.facts(request, pipeline, transaction)
            plan = try RunPlan(request.project, pipeline: pipeline.name, in: facts.scope(in:))
            group = try pipeline.concurrency.map { concurrency in
                // Groups of the same name in two projects have nothing to do with each other.
                let name = try concurrency.group.text(in: facts.scope(in: pipeline.environment))
                // A stranger's must not queue before ours, or cancel them.
                let place = facts.untrusted == true ? "\(facts.project)/\(facts.git?.branch ?? "")" : facts.project
                return ConcurrencyGroup(name: "\(place)/\(name)", most: concurrency.max)
            }
        } catch let error as EvaluationError {
            throw NotStarted(code: "expression", reason: "pipeline '\(pipeline.name)': \(error.message)")
        } catch let refusal as Refusal {
            throw NotStarted(code: "plan", reason: refusal.reason)
        }
        let older = try group.map { try transaction.open(inGroup: $0.name) } ?? []
        if let group, pipeline.concurrency?.onConflict == .skip, older.count >= group.most {
            throw NotStarted(
                code: "concurrency",
                reason: "run \(older[0]) of the group '\(group.name)' is not over: on_conflict is skip")
        }
        if let group { try checkCircle(cause, group, transaction) }
        facts.causation = try matched(request, facts, transaction)
        try queue(Run(facts: facts, jobs: plan.newJobs), plan, request, group, transaction)
        if let group, pipeline.concurrency?.onConflict == .cancelOlder {
            // No more than have to make room.
            for run in older.prefix(max(0, older.count - group.most + 1)) {
                try move(run, transaction) { $0.cancel("run #\(facts.number) of the same group came after it") }
            }
        }
        if cause.isCommand { try answer(cause.id, cause.because, run: facts.id, transaction) }
        try started(cause, facts, transaction)
        return facts.id
    }

    /// The verdict, stored and told; the run's own events follow from it.
    private func matched(_ request: RunRequest, _ facts: RunFacts, _ transaction: Transaction) throws -> Causation {
        let verdict = StoredVerdict(
            cause: request.cause.id, project: facts.project, pipeline: facts.pipeline, matched: true, code: "matched",
            reason: request.reason, run: facts.id)
        try transaction.insert(verdict)
        return try say(verdict, of: request.cause, transaction).consequence
    }

    private func queue(
        _ new: Run, _ plan: RunPlan, _ request: RunRequest, _ group: ConcurrencyGroup?, _ transaction: Transaction
    ) throws {
        var run = new
        let git = request.git
        run.status.snapshot = try transaction.snapshot(repository: git.repository, sha: git.sha)
        var heads = request.cause.heads
        if let project = try transaction.project(run.facts.project) { heads = heads.merging([project.position]) }
        try transaction.insert(StoredRun(run: run, heads: heads), group: group, upstream: request.cause.upstreamRun)
        try announceQueued(run, plan, reason: request.reason, transaction)
        if run.status.snapshot == nil {
            let commit = SnapshotRequest(repository: git.repository, sha: git.sha)
            try transaction.intend(IntentKind.snapshot, id: "\(git.repository)@\(git.sha)", payload: commit)
        }
    }

    func announceQueued(_ run: Run, _ plan: RunPlan, reason: String, _ transaction: Transaction) throws {
        let concurrency = try transaction.group(of: run.id).map { group in
            let ahead = try transaction.open(inGroup: group.name).prefix { $0 != run.id }
            return RunConcurrency(group: group.name, max: group.most, ahead: Array(ahead.prefix(Self.mostAhead)))
        }
        let (jobs, omitted) = EventRoom.fitting(plan.jobs.map(\.plan))
        var git = run.facts.git
        if let message = git?.message { git?.message = message.shortened(to: 4 << 10) }
        try say(
            RunQueued(
                run: run.id, number: run.facts.number, project: run.facts.project, pipeline: run.facts.pipeline,
                git: git, cause: run.facts.cause, reason: reason.shortened(to: 4 << 10), jobs: jobs,
                jobsOmitted: omitted, parameters: .object(run.facts.parameters), fileDigest: plan.project.digest,
                attempt: run.status.attempt, concurrency: concurrency),
            run, transaction)
    }

    /// Of the runs before one in its group.
    private static let mostAhead = 20

    private func noValue(_ missing: [String], _ request: RunRequest) -> String {
        let reason = "no value for " + missing.map { "vars.\($0)" }.joined(separator: ", ")
        if request.cause.untrusted == true {
            return reason
                + "; a fork's pull request gets of an operator's values only what the file of the default branch names,"
                + " and none that it calls a secret"
        }
        guard let variables else { return reason }
        let groups = variables.equip(request.project).missing
        if groups.isEmpty { return reason }
        return reason + "; there is no group \(groups.joined(separator: ", ")) \(variables.place)"
    }

    private func facts(_ request: RunRequest, _ pipeline: Pipeline, _ transaction: Transaction) throws -> RunFacts {
        let (cause, project) = (request.cause, request.project)
        let values = try project.variableValues(environment: pipeline.environment)
        var others: [String: [String: JSONValue]] = [:]
        for environment in Set(pipeline.jobs.compactMap(\.environment)) where environment != pipeline.environment {
            others[environment] = try project.variableValues(environment: environment)
        }
        let missing = pipeline.missingVariables(
            in: values, others: others, environments: project.environments)
        guard missing.isEmpty else {
            throw NotStarted(code: "variables", reason: noValue(missing, request))
        }
        var scope = try project.baseScope(environment: pipeline.environment, variables: values)
        let models = try project.modelDeclarations(environment: pipeline.environment)
        let id = transaction.newID()
        let url = "\(settings.url)/runs/\(id)"
        scope.event = cause.event
        scope.git = RunFacts.members(request.git, event: cause.event)
        scope.upstream = cause.upstream
        let parameters: [String: JSONValue]
        switch pipeline.checkParameters(given: cause.parameters, manual: cause.isByName, in: scope) {
        case .success(let values): parameters = values
        case .failure(let errors): throw NotStarted(code: "parameters", reason: errors.description)
        }
        let bytes = EventRoom.bytes(parameters)
        guard bytes <= EventRoom.parameters else {
            throw NotStarted(
                code: "parameters",
                reason: "the parameters take \(bytes) bytes, and a run has at most \(EventRoom.parameters);"
                    + " put more into a file or an artifact and name it")
        }
        return RunFacts(
            id: id, number: try transaction.nextNumber(project: project.name, pipeline: pipeline.name), url: url,
            project: project.name, pipeline: pipeline.name, git: request.git, cause: cause.id, causeType: cause.type,
            reason: request.reason, requester: cause.requester, requesterEmail: cause.requesterEmail,
            otherRequesters: cause.otherRequesters, untrusted: cause.untrusted,
            causation: cause.because, parameters: parameters,
            event: cause.event, upstream: cause.upstream, fileDigest: request.fileDigest,
            model: scope.model["name"]?.string, champion: scope.model["champion"]?.string,
            champions: RunFacts.champions(of: models), variables: scope.vars,
            variablesOfJobs: others.isEmpty ? nil : others.mapValues { .object($0) },
            queued: transaction.now, startedBy: cause.startingItem)
    }
}

/// A commit to be packed for its runs.
struct SnapshotRequest: Sendable, Hashable, Codable {
    var repository: String
    var sha: String
}
