import Foundation

/// A model version was registered.
public struct ModelRegistered: EventBody {
    public static let name = "model.registered"
    public static let source: Source? = .registryService
    public static let summary = "A model version was registered."

    public var model: String
    public var version: Int
    public var trainingRun: String?
    public var run: String?
    public var project: String?
    public var artifact: ModelArtifact
    public var metrics: [String: JSONValue]
    public var params: [String: String]
    public var tags: [String: String]
    public var environment: Digest?
    public var git: GitReference?
    public var snapshot: Digest?
    /// The environment by its project's own name.
    public var environmentVersion: EnvironmentReference?
    /// What it was trained on.
    public var dataset: DatasetReference?
    /// What it predicted for data that it had not seen.
    public var predictions: Digest?
    public var build: BuildReference?
    /// `passed` or `failed`: the last tests of its run; absent where there were none.
    public var tests: String?
    /// Where an MLflow client said that the files are; `nil` where a pipeline registered them.
    public var source: String?
    /// The run of an MLflow client that it belongs to.
    public var mlflowRun: String?
    public var description: String?

    public init(
        model: String, version: Int, trainingRun: String? = nil, run: String? = nil, project: String? = nil,
        artifact: ModelArtifact, metrics: [String: JSONValue], params: [String: String], tags: [String: String],
        environment: Digest? = nil, git: GitReference? = nil, snapshot: Digest? = nil,
        environmentVersion: EnvironmentReference? = nil, dataset: DatasetReference? = nil,
        predictions: Digest? = nil, build: BuildReference? = nil, tests: String? = nil
    ) {
        self.model = model
        self.version = version
        self.trainingRun = trainingRun
        self.run = run
        self.project = project
        self.artifact = artifact
        self.metrics = metrics
        self.params = params
        self.tags = tags
        self.environment = environment
        self.git = git
        self.snapshot = snapshot
        self.environmentVersion = environmentVersion
        self.dataset = dataset
        self.predictions = predictions
        self.build = build
        self.tests = tests
    }
}

/// Tags of a version changed.
public struct ModelTagged: EventBody {
    public static let name = "model.tagged"
    public static let source: Source? = .registryService
    public static let summary = "Tags of a version changed."

    public var model: String
    public var version: Int
    public var set: [String: String]
    public var removed: [String]

    public init(model: String, version: Int, set: [String: String], removed: [String]) {
        self.model = model
        self.version = version
        self.set = set
        self.removed = removed
    }
}

/// A version moved to another stage; who had to make room moved in the same transaction.
public struct ModelStageChanged: EventBody {
    public static let name = "model.stage_changed"
    public static let source: Source? = .registryService
    public static let summary = "A version moved to another stage; who had to make room moved in the same transaction."

    public var model: String
    public var version: Int
    /// `nil`: it had no stage.
    public var from: String?
    /// `nil`: it has none now.
    public var to: String?
    public var replaced: [StageMove]
    public var reason: String
    public var run: String?
    public var decision: String?
    public var approval: String?
    /// The id of the stage change that this one takes back.
    public var compensates: String?
    /// How far the model's history reaches with this change.
    public var history: HistoryMark?

    public init(
        model: String, version: Int, from: String? = nil, to: String? = nil, replaced: [StageMove],
        reason: String, run: String? = nil, decision: String? = nil, approval: String? = nil,
        compensates: String? = nil, history: HistoryMark? = nil
    ) {
        self.model = model
        self.version = version
        self.from = from
        self.to = to
        self.replaced = replaced
        self.reason = reason
        self.run = run
        self.decision = decision
        self.approval = approval
        self.compensates = compensates
        self.history = history
    }
}

/// A stage change was refused.
public struct ModelTransitionRefused: EventBody {
    public static let name = "model.transition_refused"
    public static let source: Source? = .registryService
    public static let summary = "A stage change was refused."

    public var model: String
    public var version: String
    public var to: String
    public var reason: String
    public var command: String?
    public var run: String?

    public init(
        model: String, version: String, to: String, reason: String, command: String? = nil, run: String? = nil
    ) {
        self.model = model
        self.version = version
        self.to = to
        self.reason = reason
        self.command = command
        self.run = run
    }
}

/// What became of something a person asked the registry for.
public struct ModelCommandAnswered: EventBody {
    public static let name = "model.command_answered"
    public static let source: Source? = .registryService
    public static let summary = "What became of something a person asked the registry for."

    public var command: String
    public var accepted: Bool
    public var reason: String?

    public init(command: String, accepted: Bool, reason: String? = nil) {
        self.command = command
        self.accepted = accepted
        self.reason = reason
    }
}

/// A model's stage history was looked through for alterations.
public struct ModelHistoryChecked: EventBody {
    public static let name = "model.history_checked"
    public static let source: Source? = .registryService
    public static let summary = "A model's stage history was looked through for alterations."

    public var model: String
    public var intact: Bool
    public var history: HistoryMark
    /// What does not fit, and where.
    public var problem: String?
    public var command: String?

    public init(model: String, intact: Bool, history: HistoryMark, problem: String? = nil, command: String? = nil) {
        self.model = model
        self.intact = intact
        self.history = history
        self.problem = problem
        self.command = command
    }
}
