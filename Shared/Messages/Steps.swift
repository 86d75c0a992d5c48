import Foundation

/// Where a log stood: what a worker must have seen before it may work (read your own writes, across services).
public struct LogPosition: Sendable, Hashable, Codable {
    public var source: Source
    public var epoch: Int64
    public var seq: Int64

    public init(source: Source, epoch: Int64, seq: Int64) {
        self.source = source
        self.epoch = epoch
        self.seq = seq
    }
}

/// The commit a run is about.
public struct GitReference: Sendable, Hashable, Codable {
    /// The repository's name in Martlet.
    public var repository: String
    /// Path or URL, without credentials.
    public var url: String
    /// The branch; a tag's name for a tag, `pull/2` for a pull request.
    public var branch: String
    public var sha: String
    /// First line of the commit's message.
    public var message: String
    /// `refs/tags/v1`, `refs/pull/2/merge`; `nil` where it is the branch.
    public var ref: String?

    public init(
        repository: String, url: String, branch: String, sha: String, message: String, ref: String? = nil
    ) {
        self.repository = repository
        self.url = url
        self.branch = branch
        self.sha = sha
        self.message = message
        self.ref = ref
    }
}

/// What a step knows of the run it belongs to.
public struct RunReference: Sendable, Hashable, Codable {
    public var id: String
    public var number: Int
    public var url: String
    public var project: String
    public var pipeline: String
    public var git: GitReference?
    /// The commit's files as a tar archive in the artifact store.
    public var snapshot: Digest?
    /// The project's model, after expressions; the first one where it has several.
    public var model: String?
    /// It runs code of a fork's pull request, which nobody here has agreed to. Absent: it does not.
    public var untrusted: Bool?

    public init(
        id: String, number: Int, url: String, project: String, pipeline: String, git: GitReference?,
        snapshot: Digest?, model: String?, untrusted: Bool? = nil
    ) {
        self.untrusted = untrusted
        self.id = id
        self.number = number
        self.url = url
        self.project = project
        self.pipeline = pipeline
        self.git = git
        self.snapshot = snapshot
        self.model = model
    }
}

/// One claimed step: what a worker is handed, with every expression already evaluated.
public struct StepWork: Sendable, Hashable, Codable {
    /// `<run>/<job>/<step>/<attempt>`: the key of every effect that the step has.
    public var item: String
    /// Grows with every grant; `complete` and `fail` are a compare-and-set on it (bus.md 6).
    public var token: Int64
    public var job: String
    public var step: String
    public var attempt: Int
    /// `run` or the verb of `uses:`, for example `registry/register`.
    public var verb: String
    /// The step's `with`, or `{"script": …}` for `run:`. Secrets are references: `{"secret": "NAME"}`.
    public var with: JSONValue
    /// Variables for the process: `env` of the step and the run's own facts.
    public var variables: [String: String]
    public var timeoutSeconds: Int?
    public var run: RunReference
    public var after: [LogPosition]
    /// What the last worker saved with `checkpoint`.
    public var checkpoint: JSONValue?
    public var causation: Causation
    /// The approval that its job was granted; absent where nobody was asked.
    public var approval: String?

    public init(
        item: String, token: Int64, job: String, step: String, attempt: Int, verb: String, with: JSONValue,
        variables: [String: String], timeoutSeconds: Int?, run: RunReference, after: [LogPosition],
        checkpoint: JSONValue?, causation: Causation, approval: String? = nil
    ) {
        self.item = item
        self.token = token
        self.job = job
        self.step = step
        self.attempt = attempt
        self.verb = verb
        self.with = with
        self.variables = variables
        self.timeoutSeconds = timeoutSeconds
        self.run = run
        self.after = after
        self.checkpoint = checkpoint
        self.causation = causation
        self.approval = approval
    }
}

extension StepWork {
    /// Whether a worker that opened its session with this pattern is offered the verb: `train/*` covers `train/run`.
    public static func pattern(_ pattern: String, covers verb: String) -> Bool {
        pattern.hasSuffix("*") ? verb.hasPrefix(pattern.dropLast()) : pattern == verb
    }
}

/// What came of a step.
public struct StepResult: Sendable, Hashable, Codable {
    public var outcome: Outcome
    /// An object; `steps.<id>.<name>` in later expressions.
    public var outputs: JSONValue
    /// For people: why it ended so, with numbers; the last lines of the log where a command failed.
    public var message: String?
    public var log: Digest?

    public init(_ outcome: Outcome, outputs: JSONValue = .object([:]), message: String? = nil, log: Digest? = nil) {
        self.outcome = outcome
        self.outputs = outputs
        self.message = message
        self.log = log
    }
}
