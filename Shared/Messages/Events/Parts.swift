import Foundation

/// A model as its project declares it.
public struct ModelDeclaration: Sendable, Hashable, Codable {
    public var name: String
    /// The selector of the champion, for example `stage=production`; `nil` where none is declared.
    public var champion: String?
    public var stages: StageMachine
    /// What must be known of every version; without it nothing is registered.
    public var requires: [String]?
    /// The command that scores a model on a data set.
    public var score: String?

    public init(
        name: String, champion: String?, stages: StageMachine, requires: [String]? = nil, score: String? = nil
    ) {
        self.name = name
        self.champion = champion
        self.stages = stages
        self.requires = requires
        self.score = score
    }
}

/// The declared stages of a model (project-file D.3). `tag` is the model tag that mirrors the stage.
public struct StageMachine: Sendable, Hashable, Codable {
    /// `mlflow`, `trunk`, `none` or `own`.
    public var preset: String
    public var tag: String
    public var states: [String: StageRule]

    public init(preset: String, tag: String, states: [String: StageRule]) {
        self.preset = preset
        self.tag = tag
        self.states = states
    }
}

/// What holds for one stage.
public struct StageRule: Sendable, Hashable, Codable {
    /// `false`: at most one version at a time.
    public var many: Bool
    /// Where a version goes that has to make room; `nil`: it loses its stage.
    public var replacedBecomes: String?
    /// `user`, `user:x`, `group:y`, `pipeline:z`; empty: anybody.
    public var setBy: [String]
    /// The stages it may come from (`none` for no stage); empty: any.
    public var from: [String]

    public init(many: Bool, replacedBecomes: String? = nil, setBy: [String] = [], from: [String] = []) {
        self.many = many
        self.replacedBecomes = replacedBecomes
        self.setBy = setBy
        self.from = from
    }
}

/// One entry of `notify:` in a project file.
public struct NotificationRule: Sendable, Hashable, Codable {
    /// `run.finished`, `run.failed` (an event and its outcome), `model.stage_changed`, `run.*`.
    public var when: [String]
    /// `slack` or `file`.
    public var use: String
    /// The secret that holds the webhook's URL: only its name travels.
    public var secret: String?
    /// A plain URL or a file's path, where no secret is named.
    public var channel: String?
    public var pipelines: [String]

    public init(when: [String], use: String, secret: String?, channel: String?, pipelines: [String] = []) {
        self.when = when
        self.use = use
        self.secret = secret
        self.channel = channel
        self.pipelines = pipelines
    }
}

/// An error in a file, with its place. Line and column count from 1.
public struct FileError: Error, Sendable, Hashable, Codable, CustomStringConvertible {
    public var file: String
    public var line: Int
    public var column: Int
    public var message: String

    public init(file: String, line: Int, column: Int, message: String) {
        self.file = file
        self.line = line
        self.column = column
        self.message = message
    }

    public var description: String { "\(file):\(line):\(column): \(message)" }
}

public struct JobPlan: Sendable, Hashable, Codable {
    public var id: String
    public var needs: [String]
    public var environment: String?
    public var steps: [StepPlan]

    public init(id: String, needs: [String], environment: String?, steps: [StepPlan]) {
        self.id = id
        self.needs = needs
        self.environment = environment
        self.steps = steps
    }
}

public struct StepPlan: Sendable, Hashable, Codable {
    public var id: String
    public var verb: String
    /// For people: the step's `name`, else the verb or the first line of the script.
    public var title: String

    public init(id: String, verb: String, title: String) {
        self.id = id
        self.verb = verb
        self.title = title
    }
}

/// The group in which a run takes turns with others.
public struct RunConcurrency: Sendable, Hashable, Codable {
    /// `<project>/<group>`.
    public var group: String
    /// Runs of the group that go on at once.
    public var max: Int
    /// The runs before it that are not over, the oldest first; of many only the first.
    public var ahead: [String]

    public init(group: String, max: Int, ahead: [String]) {
        self.group = group
        self.max = max
        self.ahead = ahead
    }
}

public enum ApprovalResult: String, Sendable, Hashable, Codable, CaseIterable {
    case granted, rejected, expired, void, canceled
}

/// A model's files: a tar archive in the artifact store.
public struct ModelArtifact: Sendable, Hashable, Codable {
    public var digest: Digest
    /// Bytes.
    public var size: Int64
    /// Paths inside the archive; of many only the first.
    public var files: [String]
    /// How many files there are, where `files` does not name them all.
    public var fileCount: Int?

    public init(digest: Digest, size: Int64, files: [String], fileCount: Int? = nil) {
        self.digest = digest
        self.size = size
        self.files = files
        self.fileCount = fileCount
    }
}

public enum EvaluationWinner: String, Sendable, Hashable, Codable, CaseIterable {
    case challenger, champion
}

/// Which line of the rule decided.
public enum EvaluationReason: String, Sendable, Hashable, Codable, CaseIterable {
    case better
    case notBetter = "not_better"
    case tie
    case noChampion = "no_champion"
    case missingChallengerMetric = "missing_challenger_metric"
    case missingChampionMetric = "missing_champion_metric"
    case changeTooSmall = "change_too_small"
    /// One of several metrics was not better.
    case metricLost = "metric_lost"
    case notSignificant = "not_significant"
    case sliceLost = "slice_lost"
    /// It had lost, and a person let it pass.
    case bypassed
}

/// One of the questions that a comparison asked, and its answer.
public struct EvaluatedGate: Sendable, Hashable, Codable {
    /// `metric`, `significance` or `slice`.
    public var kind: String
    /// The metric, the test, or `column=value`.
    public var name: String
    public var passed: Bool
    public var message: String
    public var challenger: Double?
    public var champion: Double?
    /// Of a significance test.
    public var statistic: Double?
    public var pvalue: Double?
    /// Predictions that were looked at.
    public var rows: Int?

    public init(
        kind: String, name: String, passed: Bool, message: String, challenger: Double? = nil,
        champion: Double? = nil, statistic: Double? = nil, pvalue: Double? = nil, rows: Int? = nil
    ) {
        self.kind = kind
        self.name = name
        self.passed = passed
        self.message = message
        self.challenger = challenger
        self.champion = champion
        self.statistic = statistic
        self.pvalue = pvalue
        self.rows = rows
    }
}

/// Under which names both numbers of a comparison are looked up (S4-12).
public struct LoggedComparison: Sendable, Hashable, Codable {
    public var runName: String
    public var experiment: String?
    public var metrics: [String: Double]

    public init(runName: String, experiment: String? = nil, metrics: [String: Double]) {
        self.runName = runName
        self.experiment = experiment
        self.metrics = metrics
    }
}

/// Who let a loser pass, and why.
public struct GateBypass: Sendable, Hashable, Codable {
    public var by: String
    public var reason: String
    /// The decision that was passed over.
    public var decision: String

    public init(by: String, reason: String, decision: String) {
        self.by = by
        self.reason = reason
        self.decision = decision
    }
}

/// One version of a data set, or files of a commit.
public struct DatasetReference: Sendable, Hashable, Codable {
    /// Of files of a commit their path.
    public var name: String
    /// `nil` for files of a commit.
    public var version: Int?
    /// Of the archive of its files; of files of a commit that of the commit's archive.
    public var digest: Digest

    public init(name: String, version: Int? = nil, digest: Digest) {
        self.name = name
        self.version = version
        self.digest = digest
    }

    /// For people and selectors: `reference:3`.
    public var text: String { version.map { "\(name):\($0)" } ?? name }
}

/// An environment as its project names it.
public struct EnvironmentReference: Sendable, Hashable, Codable {
    public var name: String
    public var version: String
    /// Of its definition's text without white space and blank lines.
    public var definition: Digest

    public init(name: String, version: String, definition: Digest) {
        self.name = name
        self.version = version
        self.definition = definition
    }
}

/// The run that made something, as people look it up.
public struct BuildReference: Sendable, Hashable, Codable {
    public var id: String
    public var number: Int
    public var url: String
    public var pipeline: String

    public init(id: String, number: Int, url: String, pipeline: String) {
        self.id = id
        self.number = number
        self.url = url
        self.pipeline = pipeline
    }
}

/// How far a model's stage history reaches, summed up so that an altered one shows.
public struct HistoryMark: Sendable, Hashable, Codable {
    /// Moves so far.
    public var moves: Int
    /// SHA-256 over the moves, each hashed with the value before it; 64 hex digits.
    public var chain: String

    public init(moves: Int, chain: String) {
        self.moves = moves
        self.chain = chain
    }
}

public struct EvaluatedCandidate: Sendable, Hashable, Codable {
    public var version: Int?
    public var trainingRun: String?
    /// `nil`: missing or not a number.
    public var value: Double?
    /// The model's files that were judged.
    public var artifact: Digest?

    public init(version: Int?, trainingRun: String?, value: Double?, artifact: Digest? = nil) {
        self.version = version
        self.trainingRun = trainingRun
        self.value = value
        self.artifact = artifact
    }
}

/// A version that had to leave its stage.
public struct StageMove: Sendable, Hashable, Codable {
    public var version: Int
    public var from: String?
    public var to: String?

    public init(version: Int, from: String?, to: String?) {
        self.version = version
        self.from = from
        self.to = to
    }
}
