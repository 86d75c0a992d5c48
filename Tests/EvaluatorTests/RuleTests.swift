import Messages
import Testing

@testable import Evaluator

@Suite struct RuleTests {
    private let lower = ComparisonRule(metric: "mse", better: .lower)
    private let higher = ComparisonRule(metric: "auc", better: .higher)

    @Test(arguments: [
        // direction, challenger, champion, winner, reason
        (ComparisonRule.Direction.lower, 1.0, 2.0, EvaluationWinner.challenger, EvaluationReason.better),
        (.lower, 2.0, 1.0, .champion, .notBetter), (.lower, 1.0, 1.0, .champion, .tie),
        (.higher, 2.0, 1.0, .challenger, .better), (.higher, 1.0, 2.0, .champion, .notBetter),
        (.higher, 1.0, 1.0, .champion, .tie),
        // X3: 0.0 is a value on either side.
        (.lower, 0.0, 1.0, .challenger, .better), (.lower, 1.0, 0.0, .champion, .notBetter),
        (.higher, 0.0, 1.0, .champion, .notBetter), (.higher, 0.0, 0.0, .champion, .tie),
        (.lower, -0.0, 0.0, .champion, .tie), (.lower, -2.0, -1.0, .challenger, .better),
    ])
    func `S2-10 strictly better wins, a tie loses, and zero is a number`(
        _ better: ComparisonRule.Direction, _ challenger: Double, _ champion: Double, _ winner: EvaluationWinner,
        _ reason: EvaluationReason
    ) throws {
        let verdict = try ComparisonRule(metric: "m", better: better).judge(challenger: challenger, champion: champion)
        #expect(verdict.winner == winner)
        #expect(verdict.reason == reason)
    }

    @Test func `S2-12 the first model wins, recorded as such`() throws {
        let verdict = try lower.judge(challenger: 1, champion: nil)
        #expect(verdict.winner == .challenger)
        #expect(verdict.reason == .noChampion)
        #expect(verdict.message == "This is the first model, thus it should be registered")
    }

    @Test func `E8 the first model loses where the rule says so`() throws {
        var rule = lower
        rule.noChampion = .lose
        let verdict = try rule.judge(challenger: 1, champion: nil)
        #expect(verdict.winner == .champion)
        #expect(verdict.reason == .noChampion)
    }

    @Test func `E8 no champion can be an error, and a tie can win by rule`() throws {
        var rule = lower
        rule.noChampion = .fail
        rule.tie = .win
        #expect(throws: Refusal.self) { try rule.judge(challenger: 1, champion: nil) }
        let verdict = try rule.judge(challenger: 1, champion: 1)
        #expect(verdict.winner == .challenger)
        #expect(verdict.reason == .tie)
    }

    @Test func `S2-14 the winner's message names both numbers`() throws {
        #expect(
            try lower.judge(challenger: 2.5, champion: 3).message
                == "Current Production model mse: 3.0, New trained model mse: 2.5. "
                + "New trained model performs better, thus it should be registered")
    }

    @Test func `S2-13 the loser's message names both numbers`() throws {
        #expect(
            try lower.judge(challenger: 3, champion: 3).message
                == "Current Production model mse: 3.0, New trained model mse: 3.0. New trained model metric is worse "
                + "than or equal to production model so skipping model registration.")
    }

    @Test func `S3-16 the project's own words for a loss follow the numbers`() throws {
        let remark = "Challenger model is not better than the current champion."
        #expect(
            try higher.judge(challenger: 0.5, champion: 0.75, remark: remark).message
                == "Current Production model auc: 0.75, New trained model auc: 0.5. \(remark)")
        #expect(try !higher.judge(challenger: 0.8, champion: 0.75, remark: remark).message.contains(remark))
    }

    @Test(arguments: [ComparisonRule.Ruling.lose, .win])
    func `X1 a challenger without the metric gets the declared verdict`(_ word: ComparisonRule.Ruling) throws {
        var rule = lower
        rule.missingMetric.challenger = word
        let verdict = try rule.judge(challenger: nil, champion: 1, names: (["rmse"], ["mse"]))
        #expect(verdict.winner == (word == .win ? .challenger : .champion))
        #expect(verdict.reason == .missingChallengerMetric)
        #expect(verdict.message.hasPrefix("Unable to find mse metrics, exiting evaluation"))
        #expect(verdict.message.contains("its metrics are: rmse"))
    }

    @Test(arguments: [ComparisonRule.Ruling.lose, .win])
    func `X2 a champion without the metric is not beaten by anything that comes`(_ word: ComparisonRule.Ruling) throws {
        var rule = lower
        rule.missingMetric.champion = word
        let verdict = try rule.judge(challenger: 1, champion: .some(nil))
        #expect(verdict.winner == (word == .win ? .challenger : .champion))
        #expect(verdict.reason == .missingChampionMetric)
    }

    @Test func `E8 a missing metric can be an error, for each side`() {
        var rule = lower
        rule.missingMetric = .init(challenger: .fail, champion: .lose)
        #expect(throws: Refusal.self) { try rule.judge(challenger: nil, champion: 1) }
        #expect(throws: Never.self) { try rule.judge(challenger: 1, champion: .some(nil)) }
        rule.missingMetric = .init(challenger: .lose, champion: .fail)
        #expect(throws: Never.self) { try rule.judge(challenger: nil, champion: 1) }
        #expect(throws: Refusal.self) { try rule.judge(challenger: 1, champion: .some(nil)) }
    }

    @Test(arguments: [
        // absolute, relative, challenger, champion, wins
        (1.0, 0.0, 8.0, 10.0, true), (2.0, 0.0, 8.0, 10.0, true), (2.5, 0.0, 8.0, 10.0, false),
        (0.0, 0.2, 8.0, 10.0, true), (0.0, 0.25, 8.0, 10.0, false), (0.0, 0.5, -1.0, 0.0, true),
        (1.0, 0.1, 8.0, 10.0, true), (1.0, 0.3, 8.0, 10.0, false),
    ])
    func `E3 an improvement below the minimum loses`(
        _ absolute: Double, _ relative: Double, _ challenger: Double, _ champion: Double, _ wins: Bool
    ) throws {
        var rule = lower
        rule.minAbsoluteChange = absolute
        rule.minRelativeChange = relative
        let verdict = try rule.judge(challenger: challenger, champion: champion)
        #expect(verdict.winner == (wins ? .challenger : .champion))
        #expect(verdict.reason == (wins ? .better : .changeTooSmall))
    }

    @Test(arguments: [
        (JSONValue.double(0), Double?.some(0)), (.int(3), 3), (.string("0.25"), 0.25), (.string("NaN"), nil),
        (.string("Infinity"), nil), (.string("-Infinity"), nil), (.double(.nan), nil), (.string("good"), nil),
        (.null, nil), (.bool(true), nil),
    ])
    func `E8 NaN and infinity are missing, 0 is not`(_ written: JSONValue, _ expected: Double?) {
        #expect(MetricSource(metrics: ["mse": written]).value(of: "mse") == expected)
    }

    @Test func `S2-11 a version without the metric is read by its tag`() {
        #expect(MetricSource(metrics: [:], tags: ["mse": "0.5"]).value(of: "mse") == 0.5)
        #expect(MetricSource(metrics: ["mse": 0.25], tags: ["mse": "0.5"]).value(of: "mse") == 0.25)
    }

    @Test(arguments: [
        ComparisonRule.OnLose.notPromoted: Outcome.notPromoted, .report: .succeeded, .fail: .failed,
    ])
    func `C-8 losing is neutral by default and never looks canceled`(_ word: ComparisonRule.OnLose, _ outcome: Outcome)
    {
        var rule = lower
        rule.onLose = word
        let inputs = Decision.Inputs(
            item: "i", run: "r", model: "m",
            challenger: EvaluatedCandidate(version: 2, trainingRun: "t", value: 2), champion: nil,
            championSelector: nil)
        let decision = Decision(inputs: inputs, rule: rule, winner: .champion, reason: .tie, message: "")
        #expect(decision.outcome == outcome)
    }
}

@Suite struct ComparisonInputTests {
    private func rule(_ with: JSONValue) throws(Refusal) -> ComparisonRule { try ComparisonRule(with) }

    @Test func `E2 the direction has no default`() {
        #expect(throws: Refusal.self) { try rule(["metric": "mse"]) }
        #expect(throws: Refusal.self) { try rule(["better": "lower"]) }
        let wrong = #expect(throws: Refusal.self) { try rule(["metric": "mse", "better": "smaller"]) }
        #expect(wrong?.reason == "with.better: 'smaller' is not one of lower, higher")
    }

    @Test func `E8 missing_metric is one word or one for each side`() throws {
        let base: [String: JSONValue] = ["metric": "m", "better": "lower"]
        func missing(_ value: JSONValue) throws -> ComparisonRule.MissingMetric {
            try rule(.object(base.merging(["missing_metric": value]) { $1 })).missingMetric
        }
        #expect(try rule(.object(base)).missingMetric == .init(challenger: .lose, champion: .lose))
        #expect(try missing("fail") == .init(challenger: .fail, champion: .fail))
        #expect(try missing(["champion": "win"]) == .init(challenger: .lose, champion: .win))
        #expect(throws: Refusal.self) { try missing(["champion": "maybe"]) }
        #expect(throws: Refusal.self) { try rule(.object(base.merging(["min_absolute_change": "-1"]) { $1 })) }
    }
}
