import Messages

/// One run of a pipeline: a state machine over plain values. It is handed what happened and answers what changed.
struct Run: Sendable, Hashable {
    let facts: RunFacts
    var status = RunStatus()
    var jobs: [RunJob]

    var id: String { facts.id }
}

/// What is settled when a run is made and never changes.
struct RunFacts: Sendable, Hashable, Codable {
    var id: String
    var number: Int
    var url: String
    var project: String
    var pipeline: String
    var git: GitReference?
    /// The id of the event that started it.
    var cause: String
    var causeType: String
    var reason: String
    /// Who set it off: the requester of its approvals.
    var requester: String
    /// Of the requester's token.
    var requesterEmail: String?
    /// Who set off what else led to it, where it has waited for several events; `nil`: nobody.
    var otherRequesters: [Requester]?
    /// Nobody vouches for its commit: no step gets a secret or acts outside. `nil` is `false`.
    var untrusted: Bool?
    /// The chain in which its events stand.
    var causation: Causation
    var parameters: [String: JSONValue]
    /// `event.` in expressions.
    var event: JSONValue
    /// `upstream.` in expressions; `null` where no other run started it.
    var upstream: JSONValue
    /// Of the project file it goes by.
    var fileDigest: String
    var model: String?
    /// The selector of the version to beat.
    var champion: String?
    /// The same of every model that the file declares, empty where there is none.
    var champions: [String: String]?
    /// `vars.` in expressions, evaluated once, with the pipeline's environment.
    var variables: JSONValue
    /// The same with each other environment of its jobs, where there is one.
    var variablesOfJobs: [String: JSONValue]?
    var queued: Timestamp
    /// The item of the `pipeline/start` that started it.
    var startedBy: String?
}

/// What moves while a run goes on.
struct RunStatus: Sendable, Hashable, Codable {
    enum Phase: String, Sendable, Hashable, Codable {
        case queued, running, finished
    }

    var phase = Phase.queued
    var outcome: Outcome?
    var message: String?
    /// `<job>/<step>`.
    var failedStep: String?
    /// Why it is to stop, once somebody asked for that.
    var canceling: String?
    var snapshot: Digest?
    var started: Timestamp?
    var finished: Timestamp?
    /// Grows when it is run again.
    var attempt = 1
    /// Decisions that hold no longer, with the reason; `nil`: none was taken back.
    var void: [String: String]?
}

struct RunJob: Sendable, Hashable {
    enum Phase: String, Sendable, Hashable, Codable {
        case waiting, approval, running, finished
    }

    /// Its own id, for a matrix with the values of its cell.
    var id: String
    var status = Status()
    var steps: [RunStep]

    struct Status: Sendable, Hashable, Codable {
        var phase = Phase.waiting
        var outcome: Outcome?
        var message: String?
        var outputs: JSONValue = .object([:])
        /// The approval it waits for or was granted.
        var approval: String?
        var started: Timestamp?
        /// Its time was over: what is left is not begun.
        var timedOut: String?
        /// Attempts of steps that its `retry` has paid for.
        var retries = 0
        /// What came of asking people.
        var answer: GateAnswer?
        /// The agreement that it went by was taken back: what is left is not begun.
        var revoked: String?
        /// Its environment is disabled: nothing was done, and those that need it go on.
        var passedOver: Bool?

        /// Its outcome as those see it that build on it.
        var standing: Outcome? { passedOver == true ? .succeeded : outcome }

        /// What is left of it is not begun any more.
        var isStopped: Bool { timedOut != nil || revoked != nil }
    }
}

struct RunStep: Sendable, Hashable {
    enum Phase: String, Sendable, Hashable, Codable {
        /// `delayed`: waits for its next attempt.
        case waiting, delayed, offered, held, finished
    }

    var id: String
    var verb: String
    var status = Status()

    /// A worker has it or may take it.
    var isAtWork: Bool {
        switch status.phase {
        case .offered, .held: verb != PipelineStart.verb
        case .waiting, .delayed, .finished: false
        }
    }

    struct Status: Sendable, Hashable, Codable {
        var phase = Phase.waiting
        var attempt = 1
        var offer: StepOffer?
        var lease: StepLease?
        /// A worker was told to stop.
        var canceling = false
        /// Because its time was over.
        var timedOut: String?
        /// What the last worker left for the next.
        var checkpoint: JSONValue?
        var outcome: Outcome?
        var outputs: JSONValue = .object([:])
        var message: String?
        var log: Digest?
        /// It failed and the job goes on: `continue_on_error`.
        var tolerated = false
        var started: Timestamp?
        /// Of the grant that finished it: the same completion again is not a second one.
        var acceptedToken: Int64?
    }
}

/// What a worker is to do, every expression evaluated.
struct StepOffer: Sendable, Hashable, Codable {
    var with: JSONValue
    var variables: [String: String]
    var timeoutSeconds: Int?
}

/// Who works a step; the token grows with every grant.
struct StepLease: Sendable, Hashable, Codable {
    var session: String
    var worker: String
    var token: Int64
}

extension Run {
    /// The key of every effect of a step.
    func item(_ place: StepPlace) -> String { item(place, attempt: self[place].status.attempt) }

    func item(_ place: StepPlace, attempt: Int) -> String {
        "\(id)/\(jobs[place.job].id)/\(self[place].id)/\(attempt)"
    }

    /// The run that an item is of.
    static func id(ofItem item: String) -> String { String(item.prefix { $0 != "/" }) }

    /// Where an item stands; `nil` when it is of an older attempt or another run.
    func place(of item: String) -> StepPlace? {
        let parts = item.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 4, parts[0] == id, let job = jobs.firstIndex(where: { $0.id == parts[1] }),
            let step = jobs[job].steps.firstIndex(where: { $0.id == parts[2] }),
            parts[3] == String(jobs[job].steps[step].status.attempt)
        else { return nil }
        return StepPlace(job: job, step: step)
    }

    /// It goes on, but nothing of it wants or has a worker: it waits for people, for another run, or for a next attempt.
    var isParked: Bool {
        guard status.phase == .running else { return false }
        return !jobs.contains { job in job.steps.contains(where: \.isAtWork) }
    }

    var places: [StepPlace] {
        jobs.indices.flatMap { job in jobs[job].steps.indices.map { StepPlace(job: job, step: $0) } }
    }

    subscript(place: StepPlace) -> RunStep {
        get { jobs[place.job].steps[place.step] }
        set { jobs[place.job].steps[place.step] = newValue }
    }
}

extension Run {
    /// The endpoints to which a job has deployed.
    func endpoints(of job: String) -> [String] {
        var endpoints: [String] = []
        for step in jobs.first(where: { $0.id == job })?.steps ?? []
        where step.verb.hasPrefix("deploy/") && step.status.outcome == .succeeded {
            if let name = step.status.outputs["endpoint"]?.string, !endpoints.contains(name) { endpoints.append(name) }
        }
        return endpoints
    }
}

/// A step by its positions.
struct StepPlace: Sendable, Hashable {
    var job: Int
    var step: Int
}
