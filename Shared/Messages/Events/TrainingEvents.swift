import Foundation

/// A training run began at its back end.
public struct TrainingStarted: EventBody {
    public static let name = "training.started"
    public static let source: Source? = .trainerProxy
    public static let summary = "A training run began at its back end."

    public var trainingRun: String
    public var run: String
    public var backend: String
    /// The back end's own name for it.
    public var handle: String
    public var project: String?
    public var pipeline: String?
    /// The id of the token with which its code may say at the registry's door what it measures and makes.
    public var token: String?
    /// SHA-256 of that token's secret, which is 256 bits that nobody can guess: it recognises the token and opens nothing.
    public var tokenDigest: Digest?
    /// The commit whose code it runs.
    public var git: GitReference?
    /// That commit's files.
    public var snapshot: Digest?
    public var environment: Digest?
    /// The environment by its project's own name.
    public var environmentVersion: EnvironmentReference?
    /// What it trains on.
    public var dataset: DatasetReference?
    /// The run that it is part of.
    public var build: BuildReference?
    /// Its code is that of a fork's pull request: it may log what it measures, and make no model or version.
    public var untrusted: Bool?
    /// How far the logs had come with what the run did before it: whoever joins it with their facts reads so far first.
    public var after: [LogPosition]?

    public init(
        trainingRun: String, run: String, backend: String, handle: String, project: String? = nil,
        pipeline: String? = nil, token: String? = nil, tokenDigest: Digest? = nil, git: GitReference? = nil,
        snapshot: Digest? = nil, environment: Digest? = nil, environmentVersion: EnvironmentReference? = nil,
        dataset: DatasetReference? = nil, build: BuildReference? = nil, untrusted: Bool? = nil,
        after: [LogPosition]? = nil
    ) {
        self.untrusted = untrusted
        self.after = after
        self.trainingRun = trainingRun
        self.run = run
        self.backend = backend
        self.handle = handle
        self.project = project
        self.pipeline = pipeline
        self.token = token
        self.tokenDigest = tokenDigest
        self.git = git
        self.snapshot = snapshot
        self.environment = environment
        self.environmentVersion = environmentVersion
        self.dataset = dataset
        self.build = build
    }
}

/// A training run ended, with what it measured and made.
public struct TrainingFinished: EventBody {
    public static let name = "training.finished"
    public static let source: Source? = .trainerProxy
    public static let summary = "A training run ended, with what it measured and made."

    /// `<run>.<job>.<step>`.
    public var trainingRun: String
    public var run: String
    public var outcome: Outcome
    /// Numbers; NaN and infinities as the texts `NaN`, `Infinity`, `-Infinity`.
    public var metrics: [String: JSONValue]
    public var params: [String: String]
    public var tags: [String: String]
    /// The folder `model/` that it wrote.
    public var model: ModelArtifact?
    public var environment: Digest?
    public var git: GitReference?
    public var snapshot: Digest?
    public var seconds: Double
    public var message: String?
    /// The environment by its project's own name.
    public var environmentVersion: EnvironmentReference?
    public var dataset: DatasetReference?
    /// The file `predictions.csv` that it wrote: what it predicted for data that it had not seen.
    public var predictions: Digest?

    public init(
        trainingRun: String, run: String, outcome: Outcome, metrics: [String: JSONValue],
        params: [String: String], tags: [String: String], model: ModelArtifact? = nil, environment: Digest? = nil,
        git: GitReference? = nil, snapshot: Digest? = nil, seconds: Double, message: String? = nil,
        environmentVersion: EnvironmentReference? = nil, dataset: DatasetReference? = nil,
        predictions: Digest? = nil
    ) {
        self.trainingRun = trainingRun
        self.run = run
        self.outcome = outcome
        self.metrics = metrics
        self.params = params
        self.tags = tags
        self.model = model
        self.environment = environment
        self.git = git
        self.snapshot = snapshot
        self.seconds = seconds
        self.message = message
        self.environmentVersion = environmentVersion
        self.dataset = dataset
        self.predictions = predictions
    }
}
