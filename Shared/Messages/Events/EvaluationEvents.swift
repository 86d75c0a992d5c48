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

    public init(
        decision: String, run: String, step: String, model: String, winner: EvaluationWinner, rule: JSONValue,
        metric: String, challenger: EvaluatedCandidate, champion: EvaluatedCandidate? = nil,
        reason: EvaluationReason, message: String
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
