import Foundation

/// Champion and challenger were compared: the stored decision.
public struct EvaluationDecided: EventBody {
    public static let name = "evaluation.decided"
    public static let source: Source? = .evaluator
    public static let summary = "Champion and challenger were compared: the stored decision."

    /// Digest of the record: it names the decision everywhere.
    public var decision: String
    public var run: String
    public var step: String
    public var model: String
    public var winner: EvaluationWinner
    /// The declared rule with all its defaults.
    public var rule: JSONValue
    public var metric: String
    public var challenger: EvaluatedCandidate
    public var champion: EvaluatedCandidate?
    public var reason: EvaluationReason
    public var message: String
    /// How the champion was found: it is looked for again before the decision is made use of.
    public var championSelector: String?
    /// Everything that was looked at, in order; absent where one metric was all.
    public var gates: [EvaluatedGate]?
    /// What both were scored on afresh.
    public var dataset: DatasetReference?
    /// The gate only advises: whoever lost goes on.
    public var advisory: Bool?
    /// The person who let the challenger pass although it had lost.
    public var bypass: GateBypass?
    /// What the project wants to find both numbers under.
    public var logged: LoggedComparison?

    public init(
        decision: String, run: String, step: String, model: String, winner: EvaluationWinner, rule: JSONValue,
        metric: String, challenger: EvaluatedCandidate, champion: EvaluatedCandidate? = nil,
        reason: EvaluationReason, message: String, championSelector: String? = nil, gates: [EvaluatedGate]? = nil,
        dataset: DatasetReference? = nil,
        advisory: Bool? = nil, bypass: GateBypass? = nil, logged: LoggedComparison? = nil
    ) {
        self.decision = decision
        self.run = run
        self.step = step
        self.model = model
        self.winner = winner
        self.rule = rule
        self.metric = metric
        self.challenger = challenger
        self.champion = champion
        self.reason = reason
        self.message = message
        self.championSelector = championSelector
        self.gates = gates
        self.dataset = dataset
        self.advisory = advisory
        self.bypass = bypass
        self.logged = logged
    }
}

/// The champion changed since: a decision holds no longer.
public struct EvaluationVoided: EventBody {
    public static let name = "evaluation.voided"
    public static let source: Source? = .evaluator
    public static let summary = "The champion changed since: a decision holds no longer."

    public var decision: String
    public var run: String
    public var model: String
    /// The champion that it compared with; `nil`: there was none.
    public var champion: Int?
    /// The champion now.
    public var now: Int?
    public var reason: String

    public init(decision: String, run: String, model: String, champion: Int? = nil, now: Int? = nil, reason: String) {
        self.decision = decision
        self.run = run
        self.model = model
        self.champion = champion
        self.now = now
        self.reason = reason
    }
}

/// A person let a challenger pass a gate that it had lost.
public struct EvaluationBypassed: EventBody {
    public static let name = "evaluation.bypassed"
    public static let source: Source? = .evaluator
    public static let summary = "A person let a challenger pass a gate that it had lost."

    /// The decision that is passed over.
    public var decision: String
    public var run: String
    public var step: String
    public var model: String
    public var by: String
    public var reason: String

    public init(decision: String, run: String, step: String, model: String, by: String, reason: String) {
        self.decision = decision
        self.run = run
        self.step = step
        self.model = model
        self.by = by
        self.reason = reason
    }
}

/// What became of something a person asked the evaluator for.
public struct EvaluationCommandAnswered: EventBody {
    public static let name = "evaluation.command_answered"
    public static let source: Source? = .evaluator
    public static let summary = "What became of something a person asked the evaluator for."

    public var command: String
    public var accepted: Bool
    public var reason: String?

    public init(command: String, accepted: Bool, reason: String? = nil) {
        self.command = command
        self.accepted = accepted
        self.reason = reason
    }
}

/// A test script ran against a model.
public struct TestSuiteFinished: EventBody {
    public static let name = "testsuite.finished"
    public static let source: Source? = .evaluator
    public static let summary = "A test script ran against a model."

    public var run: String
    public var step: String
    public var passed: Int
    public var failed: Int
    public var errors: Int
    public var skipped: Int
    /// `passed` or `failed`.
    public var status: String
    public var report: Digest?
    public var message: String?

    public init(
        run: String, step: String, passed: Int, failed: Int, errors: Int, skipped: Int, status: String,
        report: Digest? = nil, message: String? = nil
    ) {
        self.run = run
        self.step = step
        self.passed = passed
        self.failed = failed
        self.errors = errors
        self.skipped = skipped
        self.status = status
        self.report = report
        self.message = message
    }
}
