import Foundation

/// A run was made and waits for its turn.
public struct RunQueued: EventBody {
    public static let name = "run.queued"
    public static let source: Source? = .triggerService
    public static let summary = "A run was made and waits for its turn."

    public var run: String
    public var number: Int
    public var project: String
    public var pipeline: String
    public var git: GitReference?
    /// The event's id.
    public var cause: String
    public var reason: String
    public var jobs: [JobPlan]
    /// How many more jobs there are, where `jobs` does not name them all.
    public var jobsOmitted: Int?
    public var parameters: JSONValue
    public var fileDigest: String?
    /// 2 and more: it is run again. Left out by versions that did not count.
    public var attempt: Int?
    public var concurrency: RunConcurrency?

    public init(
        run: String, number: Int, project: String, pipeline: String, git: GitReference? = nil, cause: String,
        reason: String, jobs: [JobPlan], jobsOmitted: Int? = nil, parameters: JSONValue, fileDigest: String? = nil,
        attempt: Int? = nil, concurrency: RunConcurrency? = nil
    ) {
        self.run = run
        self.number = number
        self.project = project
        self.pipeline = pipeline
        self.git = git
        self.cause = cause
        self.reason = reason
        self.jobs = jobs
        self.jobsOmitted = jobsOmitted
        self.parameters = parameters
        self.fileDigest = fileDigest
        self.attempt = attempt
        self.concurrency = concurrency
    }
}

/// A run is being canceled: it is over when every worker that holds a step of it has confirmed.
public struct RunCancelBegun: EventBody {
    public static let name = "run.cancel_begun"
    public static let source: Source? = .triggerService
    public static let summary = "A run is being canceled: it is over when every worker has confirmed."

    public var run: String
    public var number: Int
    public var project: String
    public var pipeline: String
    /// Who asked, and why.
    public var reason: String
    /// `<job>/<step>` of what is still worked on; of many only the first.
    public var waitsFor: [String]

    public init(run: String, number: Int, project: String, pipeline: String, reason: String, waitsFor: [String]) {
        self.run = run
        self.number = number
        self.project = project
        self.pipeline = pipeline
        self.reason = reason
        self.waitsFor = waitsFor
    }
}

/// A run began.
public struct RunStarted: EventBody {
    public static let name = "run.started"
    public static let source: Source? = .triggerService
    public static let summary = "A run began."

    public var run: String
    public var number: Int
    public var project: String
    public var pipeline: String
    public var snapshot: Digest?

    public init(run: String, number: Int, project: String, pipeline: String, snapshot: Digest? = nil) {
        self.run = run
        self.number = number
        self.project = project
        self.pipeline = pipeline
        self.snapshot = snapshot
    }
}

/// A run ended.
public struct RunFinished: EventBody {
    public static let name = "run.finished"
    public static let source: Source? = .triggerService
    public static let summary = "A run ended."

    public var run: String
    public var number: Int
    public var project: String
    public var pipeline: String
    public var branch: String?
    public var sha: String?
    public var outcome: Outcome
    /// Why it ended so: of the step that decided it.
    public var message: String?
    /// `<job>/<step>`.
    public var failedStep: String?
    public var seconds: Double
    /// Outputs of its jobs, by job.
    public var outputs: JSONValue

    public init(
        run: String, number: Int, project: String, pipeline: String, branch: String? = nil, sha: String? = nil,
        outcome: Outcome, message: String? = nil, failedStep: String? = nil, seconds: Double, outputs: JSONValue
    ) {
        self.run = run
        self.number = number
        self.project = project
        self.pipeline = pipeline
        self.branch = branch
        self.sha = sha
        self.outcome = outcome
        self.message = message
        self.failedStep = failedStep
        self.seconds = seconds
        self.outputs = outputs
    }
}

/// A job began.
public struct JobStarted: EventBody {
    public static let name = "job.started"
    public static let source: Source? = .triggerService
    public static let summary = "A job began."

    public var run: String
    public var job: String

    public init(run: String, job: String) {
        self.run = run
        self.job = job
    }
}

/// A job ended.
public struct JobFinished: EventBody {
    public static let name = "job.finished"
    public static let source: Source? = .triggerService
    public static let summary = "A job ended."

    public var run: String
    public var job: String
    public var outcome: Outcome
    public var message: String?
    public var outputs: JSONValue

    public init(run: String, job: String, outcome: Outcome, message: String? = nil, outputs: JSONValue) {
        self.run = run
        self.job = job
        self.outcome = outcome
        self.message = message
        self.outputs = outputs
    }
}

/// A step waits for a worker that does not exist.
public struct StepUnserved: EventBody {
    public static let name = "step.unserved"
    public static let source: Source? = .triggerService
    public static let summary = "A step waits: no worker has a session for its verb."

    public var run: String
    public var job: String
    public var step: String
    public var verb: String
    public var reason: String

    public init(run: String, job: String, step: String, verb: String, reason: String) {
        self.run = run
        self.job = job
        self.step = step
        self.verb = verb
        self.reason = reason
    }
}

/// A worker took a step.
public struct StepStarted: EventBody {
    public static let name = "step.started"
    public static let source: Source? = .triggerService
    public static let summary = "A worker took a step."

    public var run: String
    public var job: String
    public var step: String
    public var attempt: Int
    public var verb: String
    public var worker: String
    public var token: Int64

    public init(run: String, job: String, step: String, attempt: Int, verb: String, worker: String, token: Int64) {
        self.run = run
        self.job = job
        self.step = step
        self.attempt = attempt
        self.verb = verb
        self.worker = worker
        self.token = token
    }
}

/// A step ended.
public struct StepFinished: EventBody {
    public static let name = "step.finished"
    public static let source: Source? = .triggerService
    public static let summary = "A step ended."

    public var run: String
    public var job: String
    public var step: String
    public var attempt: Int
    public var verb: String
    public var outcome: Outcome
    public var message: String?
    public var outputs: JSONValue
    public var log: Digest?
    public var seconds: Double?

    public init(
        run: String, job: String, step: String, attempt: Int, verb: String, outcome: Outcome,
        message: String? = nil, outputs: JSONValue, log: Digest? = nil, seconds: Double? = nil
    ) {
        self.run = run
        self.job = job
        self.step = step
        self.attempt = attempt
        self.verb = verb
        self.outcome = outcome
        self.message = message
        self.outputs = outputs
        self.log = log
        self.seconds = seconds
    }
}

/// A step that a worker holds is to be stopped.
public struct StepCancelRequested: EventBody {
    public static let name = "step.cancel_requested"
    public static let source: Source? = .triggerService
    public static let summary = "A step that a worker holds is to be stopped."

    public var run: String
    public var job: String
    public var step: String
    public var item: String
    public var reason: String

    public init(run: String, job: String, step: String, item: String, reason: String) {
        self.run = run
        self.job = job
        self.step = step
        self.item = item
        self.reason = reason
    }
}
