import Messages

extension Cause {
    /// A branch moved.
    init(_ change: ChangePushed, _ envelope: Envelope) {
        self.init(
            id: envelope.id, type: envelope.type,
            occasion: .push(paths: change.paths, truncated: change.pathsTruncated),
            git: GitReference(
                repository: change.repository, url: change.url, branch: change.branch, sha: change.sha,
                message: change.message),
            because: envelope.consequence, requester: envelope.actor,
            event: [
                "kind": "push", "id": .string(envelope.id), "repository": .string(change.repository),
                "branch": .string(change.branch), "before": change.before.map(JSONValue.string) ?? .null,
                "sha": .string(change.sha), "author": .string(change.author), "message": .string(change.message),
                "paths": .array(change.fitting().paths.map(JSONValue.string)),
            ])
    }

    /// A person asks for a run of a commit.
    init(_ request: RunRequested, _ envelope: Envelope, git: GitReference) {
        self.init(
            id: envelope.id, type: envelope.type,
            occasion: .manual(pipeline: request.pipeline, parameters: request.parameters), git: git,
            project: request.project, because: envelope.consequence, requester: envelope.actor,
            requesterEmail: request.email,
            event: [
                "kind": "manual", "id": .string(envelope.id), "by": .string(envelope.actor),
                "branch": .string(git.branch), "sha": .string(git.sha),
            ])
    }

    /// A step of a run asks for another pipeline of its project. Whoever set off that run set off this one.
    init(_ start: PipelineStart, item: String, of run: Run, _ started: Envelope, git: GitReference) {
        self.init(
            id: started.id, type: started.type, occasion: .started(start, by: item), git: git,
            project: run.facts.project, untrusted: run.facts.untrusted, because: started.consequence,
            requester: run.facts.requester, requesterEmail: run.facts.requesterEmail,
            otherRequesters: run.facts.otherRequesters,
            event: [
                "kind": "pipeline_start", "id": .string(started.id), "by": .string(run.facts.requester),
                "branch": .string(git.branch), "sha": .string(git.sha),
                "run": [
                    "id": .string(run.id), "number": .int(run.facts.number), "url": .string(run.facts.url),
                    "pipeline": .string(run.facts.pipeline),
                ],
            ])
    }

    /// A run of ours ended. Its outputs come from the run itself: the event leaves out what is too large.
    init(_ finished: RunFinished, _ envelope: Envelope, of run: Run, heads: [LogPosition]) {
        let summary: JSONValue = [
            "id": .string(finished.run), "number": .int(finished.number), "url": .string(run.facts.url),
            "pipeline": .string(finished.pipeline), "outcome": .string(finished.outcome.rawValue),
            "branch": finished.branch.map(JSONValue.string) ?? .null,
            "sha": finished.sha.map(JSONValue.string) ?? .null, "outputs": run.outputs,
        ]
        self.init(
            id: envelope.id, type: envelope.type,
            occasion: .pipelineFinished(run: finished.run, pipeline: finished.pipeline, outcome: finished.outcome),
            git: run.facts.git, project: finished.project, untrusted: run.facts.untrusted,
            because: envelope.consequence,
            requester: run.facts.requester, requesterEmail: run.facts.requesterEmail,
            otherRequesters: run.facts.otherRequesters,
            event: ["kind": "pipeline", "id": .string(envelope.id), "run": summary],
            upstream: [
                "run": summary, "pipeline": .string(finished.pipeline), "outputs": run.outputs,
                "outcome": .string(finished.outcome.rawValue),
                "git": run.facts.git.map { RunFacts.members($0, event: run.facts.event) } ?? .null,
            ], heads: heads)
    }

    /// registry-service said something of a model's version. A person who moved it set off what follows from that; what a
    /// pipeline did is in the name of whoever set off the run that made the version.
    init(
        _ occasion: Occasion, _ envelope: Envelope, version: Int, model: [String: JSONValue], origin: VersionOrigin,
        position: LogPosition
    ) {
        var members = model
        members["version"] = .int(version)
        self.init(
            id: envelope.id, type: envelope.type, occasion: occasion, git: origin.git, project: origin.project,
            untrusted: origin.untrusted, because: envelope.consequence,
            requester: envelope.person ?? origin.requester ?? envelope.actor,
            requesterEmail: envelope.person == nil ? origin.requesterEmail : nil,
            otherRequesters: envelope.person == nil ? origin.otherRequesters : nil,
            event: ["kind": "model", "id": .string(envelope.id), "model": .object(members)], heads: [position])
    }
}

extension Cause {
    /// A schedule's time has come.
    init(_ tick: ScheduleTicked, _ envelope: Envelope, git: GitReference) {
        self.init(
            id: envelope.id, type: envelope.type, occasion: .tick(pipeline: tick.pipeline, cron: tick.cron), git: git,
            project: tick.project, because: envelope.consequence, requester: envelope.actor,
            event: [
                "kind": "schedule", "id": .string(envelope.id), "cron": .string(tick.cron),
                "timezone": .string(tick.timeZone), "due": .string(tick.due.text), "missed": .int(tick.missed),
            ])
    }

    /// It had come, and nobody was there.
    init(_ missed: ScheduleMissed, _ envelope: Envelope, git: GitReference) {
        self.init(
            id: envelope.id, type: envelope.type, occasion: .tick(pipeline: missed.pipeline, cron: missed.cron),
            git: git, project: missed.project, because: envelope.consequence, requester: envelope.actor,
            event: [
                "kind": "schedule", "id": .string(envelope.id), "cron": .string(missed.cron),
                "timezone": .string(missed.timeZone), "due": .string(missed.last.text), "missed": .int(missed.count),
            ])
    }

    /// The same once more, because a person asked: a cause of its own, about the same commit.
    func replayed(by request: ReplayRequested, _ envelope: Envelope) -> Cause {
        var cause = self
        cause.id = envelope.id
        cause.type = envelope.type
        cause.because = envelope.consequence
        cause.requester = envelope.actor
        cause.requesterEmail = request.email
        cause.replayOf = id
        if case .object(var members) = event {
            members["id"] = .string(envelope.id)
            members["replayof"] = .string(id)
            cause.event = .object(members)
        }
        return cause
    }
}

extension Envelope {
    /// Who did it; `nil`: no person did.
    var person: String? { actor.hasPrefix("user:") ? actor : nil }
}

/// Where a model's version came from, as far as it is known here.
struct VersionOrigin: Sendable, Hashable {
    var project: String?
    var git: GitReference?
    /// Who set off the run that made it.
    var requester: String?
    var requesterEmail: String?
    var otherRequesters: [Requester]?
    /// That run was of a commit that nobody vouches for.
    var untrusted: Bool?
}
