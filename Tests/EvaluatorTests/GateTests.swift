import Foundation
import Messages
import Testing

@testable import Evaluator

/// What a comparison asks beside its metric, decided over plain values.
@Suite struct GateTests {
    private func rule(_ with: JSONValue) throws -> ComparisonRule {
        let base: [String: JSONValue] = ["metric": "accuracy", "better": "higher"]
        return try ComparisonRule(gate: .object(base.merging(with.object ?? [:]) { $1 }))
    }

    private func side(_ metrics: [String: JSONValue], _ predictions: Predictions? = nil) -> Side {
        Side(source: MetricSource(metrics: metrics), predictions: predictions)
    }

    /// So many rows, of which the first are right.
    private func rows(_ count: Int, right: Range<Int>, columns: [String: [String]] = [:]) -> Predictions {
        Predictions(
            labels: Array(repeating: "1", count: count),
            values: (0..<count).map { right.contains($0) ? "1" : "0" }, columns: columns)
    }

    @Test func `S3-14 better by chance only does not win`() throws {
        let rule = try rule(["significance": "mcnemar"])
        let conclusion = try Comparison(rule: rule, remark: "Stay.").judge(
            challenger: side([:], rows(40, right: 0..<31)), champion: side([:], rows(40, right: 0..<30)))
        #expect(conclusion.verdict.winner == .champion)
        #expect(conclusion.verdict.reason == .notSignificant)
        let message = conclusion.verdict.message
        #expect(message.hasPrefix("Current Production model accuracy: 0.75, New trained model accuracy: 0.775. "))
        #expect(message.contains("Unable to conclude if challenger is better than champion. mcnemar: p value 1.0"))
        #expect(message.hasSuffix("Stay."))
        #expect(!message.contains("performs better"))
        #expect(conclusion.gates?.map(\.passed) == [true, false])
    }

    @Test func `S3-14 better by more than chance wins, and the record says by what`() throws {
        let rule = try rule(["significance": ["test": "mcnemar", "alpha": 0.05]])
        let conclusion = try Comparison(rule: rule).judge(
            challenger: side([:], rows(100, right: 0..<90)), champion: side([:], rows(100, right: 0..<60)))
        #expect(conclusion.verdict.winner == .challenger)
        let gate = try #require(conclusion.gates?.last)
        #expect(gate.kind == "significance")
        #expect(gate.rows == 100)
        #expect(try #require(gate.pvalue) < 0.001)
    }

    @Test func `S3-14 without a champion the statistic is 0, the p value 0, and the gate stands open`() throws {
        let rule = try rule(["significance": "mcnemar"])
        let conclusion = try Comparison(rule: rule).judge(challenger: side(["accuracy": 0.5]), champion: nil)
        #expect(conclusion.verdict.reason == .noChampion)
        let gate = try #require(conclusion.gates?.first)
        #expect(gate.statistic == 0)
        #expect(gate.pvalue == 0)
        #expect(gate.message == "No champion model indicated")
    }

    @Test func `E4 a paired test of numbers looks at how far each row is off`() throws {
        let labels = (0..<50).map { String($0) }
        let near = Predictions(labels: labels, values: (0..<50).map { String(Double($0) + 0.1 * Double($0 % 3)) })
        let far = Predictions(labels: labels, values: (0..<50).map { String(Double($0) + 1 + Double($0 % 3)) })
        for test in ["paired_t", "paired_bootstrap"] {
            let rule = try ComparisonRule(
                gate: ["metric": "mse", "better": "lower", "significance": .string(test)])
            let won = try Comparison(rule: rule).judge(challenger: side([:], near), champion: side([:], far))
            #expect(won.verdict.winner == .challenger, "\(test)")
            let same = try Comparison(rule: rule).judge(
                challenger: side(["mse": 1], near), champion: side(["mse": 2], near))
            #expect(same.verdict.reason == .notSignificant, "\(test)")
        }
    }

    @Test(arguments: [
        ("mcnemar", "right alone: new 0, current 30"), ("paired_t", "less off: current"),
        ("paired_bootstrap", "less off: current"),
    ])
    func `S3-14 worse by more than chance is no improvement`(_ test: String, _ way: String) throws {
        // By the metric that training reported it is better; row by row it is not.
        let rule = try rule(["significance": ["test": .string(test), "loss": "hit"]])
        let (better, worse) = (rows(100, right: 0..<90), rows(100, right: 0..<60))
        let lost = try Comparison(rule: rule).judge(
            challenger: side(["accuracy": 0.9], worse), champion: side(["accuracy": 0.8], better))
        #expect(lost.verdict.winner == .champion)
        #expect(lost.verdict.reason == .notSignificant)
        let message = try #require(lost.gates?.last?.message)
        #expect(message.contains(way), "\(message)")
        #expect(message.hasPrefix(test == "paired_bootstrap" ? Significance.inconclusive : Significance.worse))
        let won = try Comparison(rule: rule).judge(
            challenger: side(["accuracy": 0.9], better), champion: side(["accuracy": 0.8], worse))
        #expect(won.verdict.winner == .challenger, "\(won.verdict.message)")
    }

    @Test func `C-11 what cannot be tested is neither a pass nor a loss`() throws {
        let rule = try rule(["significance": "mcnemar"])
        let with = side(["accuracy": 0.9], rows(10, right: 0..<9))
        let without = side(["accuracy": 0.8])
        #expect(throws: Refusal.self) { try Comparison(rule: rule).judge(challenger: with, champion: without) }
        #expect(throws: Refusal.self) { try Comparison(rule: rule).judge(challenger: without, champion: with) }
        let shorter = side([:], rows(9, right: 0..<9))
        #expect(throws: Refusal.self) { try Comparison(rule: rule).judge(challenger: with, champion: shorter) }
        let texts = Predictions(labels: ["a", "b"], values: ["a", "a"])
        let paired = try self.rule(["significance": "paired_t"])
        #expect(throws: Refusal.self) {
            try Comparison(rule: paired).judge(
                challenger: side(["accuracy": 1], texts), champion: side(["accuracy": 0.5], texts))
        }
    }

    @Test func `E2 each further metric must be better too, or keep within what it may lose`() throws {
        let rule = try rule([
            "metrics": [
                ["metric": "recall", "better": "higher"],
                ["metric": "latency_ms", "better": "lower", "max_regression": 5],
            ]
        ])
        func verdict(recall: Double, latency: Double) throws -> Verdict {
            try Comparison(rule: rule).judge(
                challenger: side(["accuracy": 0.9, "recall": .double(recall), "latency_ms": .double(latency)]),
                champion: side(["accuracy": 0.8, "recall": 0.7, "latency_ms": 20])
            ).verdict
        }
        #expect(try verdict(recall: 0.75, latency: 25).winner == .challenger)
        #expect(try verdict(recall: 0.7, latency: 20).reason == .metricLost)
        let slow = try verdict(recall: 0.75, latency: 26)
        #expect(slow.reason == .metricLost)
        #expect(slow.message.contains("latency_ms: 26.0, current 20.0, worse by more than max_regression 5.0"))
        #expect(throws: Refusal.self) { try self.rule(["metrics": [["metric": "x"]]]) }
        #expect(throws: Refusal.self) { try self.rule(["metrics": [["metric": "x", "better": "lower", "typo": 1]]]) }
    }

    @Test func `E1 no part of the data may get worse, however good the whole is`() throws {
        let groups = (0..<100).map { $0 < 60 ? "a" : "b" }
        let champion = rows(100, right: 0..<70, columns: ["group": groups])
        let challenger = Predictions(
            labels: champion.labels, values: (0..<100).map { $0 < 60 || $0 >= 70 && $0 % 3 == 0 ? "1" : "0" },
            columns: ["group": groups])
        func verdict(_ slices: JSONValue) throws -> Verdict {
            let rule = try self.rule(["slices": slices])
            return try Comparison(rule: rule).judge(
                challenger: side(["accuracy": 0.9], challenger), champion: side(["accuracy": 0.8], champion)
            ).verdict
        }
        #expect(try verdict(["group"]).winner == .challenger)
        let worse = rows(100, right: 0..<61, columns: ["group": groups])
        let strict = try self.rule(["slices": ["group"]])
        let lost = try Comparison(rule: strict).judge(
            challenger: side(["accuracy": 0.9], worse), champion: side(["accuracy": 0.8], champion)
        ).verdict
        #expect(lost.reason == .sliceLost)
        #expect(lost.message.contains("New trained model is worse on group=b: accuracy 0.025, current 0.25 (40 rows)"))
        let lenient = try self.rule(["slices": ["columns": ["group"], "max_regression": 0.3]])
        #expect(
            try Comparison(rule: lenient).judge(
                challenger: side(["accuracy": 0.9], worse), champion: side(["accuracy": 0.8], champion)
            ).verdict.winner == .challenger)
        #expect(throws: Refusal.self) { try verdict(["nowhere"]) }
        #expect(throws: Refusal.self) { try verdict(["columns": ["group"], "metric": "auc", "better": "higher"]) }
    }

    @Test func `E1 a column of which no slice is large enough is told, and holds nobody up`() throws {
        let columns = ["group": (0..<100).map { $0 < 60 ? "a" : "b" }, "id": (0..<100).map { String($0) }]
        let (better, worse) = (
            rows(100, right: 0..<80, columns: columns), rows(100, right: 0..<70, columns: columns)
        )
        let rule = try rule(["slices": ["columns": ["id", "group"], "min_rows": 50]])
        let conclusion = try Comparison(rule: rule).judge(challenger: side([:], better), champion: side([:], worse))
        #expect(conclusion.verdict.winner == .challenger)
        #expect(conclusion.gates?.map(\.name) == ["accuracy", "id", "group=a"])
        let told = "id: no slice was judged, none of its values has min_rows 50 rows (of 100)"
        #expect(conclusion.gates?[1].message == told)
        #expect(conclusion.verdict.message.contains(told))
    }

    @Test(
        arguments: [
            ["significance": "chi"], ["significance": ["test": "mcnemar", "alpha": 1]],
            ["significance": ["test": "mcnemar", "alpa": 0.1]],
            ["significance": ["test": "paired_bootstrap", "resamples": 3]],
            ["slices": ["columns": []]], ["slices": ["columns": ["a"], "metric": "mse"]], ["metrics": []],
            ["mode": "dry_run"],
        ] as [JSONValue])
    func `E8 a gate that cannot be right is refused`(_ with: JSONValue) {
        #expect(throws: Refusal.self) { try rule(with) }
    }
}

@Suite struct PredictionsTests {
    private func read(_ text: String) throws -> Predictions {
        try Predictions(Data(text.utf8), whose: "the new model")
    }

    @Test func `predictions are a CSV file with a label and a prediction in each row`() throws {
        let predictions = try read("id,label,prediction,note\r\n7,cat,dog,\"a \"\"b\"\", c\"\r\n8,1,1.0,\n")
        #expect(predictions.labels == ["cat", "1"])
        #expect(predictions.values == ["dog", "1.0"])
        #expect(predictions.columns == ["id": ["7", "8"], "note": ["a \"b\", c", ""]])
        #expect(predictions.hits == [false, true])
    }

    @Test(arguments: [
        "", "label\n1\n", "label,prediction\n", "label,prediction\n1\n", "label,label,prediction\n1,1,1\n",
    ])
    func `predictions that say nothing are refused`(_ text: String) {
        #expect(throws: Refusal.self) { try read(text) }
    }

    @Test func `rows are paired by their ids, else by their order`() throws {
        let one = try read("id,label,prediction\na,1,1\nb,0,1\n")
        let other = try read("id,label,prediction\nb,0,0\na,1,0\n")
        #expect(try one.paired(with: other).values == ["1", "1"])
        #expect(try one.paired(with: other).labels == ["0", "1"])
        let foreign = try read("id,label,prediction\nb,0,0\nc,1,0\n")
        #expect(throws: Refusal.self) { try one.paired(with: foreign) }
        let unnamed = try read("label,prediction\n0,1\n1,1\n")
        #expect(throws: Refusal.self) { try unnamed.paired(with: read("label,prediction\n1,1\n0,1\n")) }
        #expect(try unnamed.paired(with: read("label,prediction\n0.0,1\n1.0,1\n")) == unnamed)
    }
}
