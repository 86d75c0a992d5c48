import Messages

/// A significance gate as declared: the difference between both models must be more than chance (E4, S3-14).
struct Significance: Hashable, Sendable, Codable {
    enum Test: String, Codable, CaseIterable, Sendable {
        /// For classes: do they err on different rows?
        case mcnemar
        /// For numbers: is the mean difference of their losses other than zero?
        case pairedT = "paired_t"
        /// For either: how often do resampled rows show no improvement?
        case bootstrap = "paired_bootstrap"
    }

    enum Loss: String, Codable, CaseIterable, Sendable {
        case squared, absolute
        /// 0 for a right row, 1 for a wrong one.
        case hit
    }

    static let mostSteps = 200_000_000

    var test: Test
    /// The chance of a wrong "better" that is accepted; a smaller p value passes.
    var alpha = 0.05
    var loss = Loss.squared
    var resamples = 9_999

    /// `significance: mcnemar`, or a mapping with `test`, `alpha`, `loss`, `resamples`.
    init?(_ value: JSONValue?) throws(Refusal) {
        guard let value, value != .null, value != "" else { return nil }
        let fields: JSONValue = value.object == nil ? ["test": value] : value
        let keys = ["test", "alpha", "loss", "resamples"]
        try fields.refuseOthers(than: keys, path: "with.significance")
        guard try fields.text("test") != nil else {
            throw Refusal("with.significance.test is missing: write mcnemar, paired_t or paired_bootstrap")
        }
        test = try fields.word("test", default: .mcnemar, path: "with.significance")
        loss = try fields.word("loss", default: .squared, path: "with.significance")
        if let written = try fields.number("alpha", path: "with.significance") {
            guard written > 0, written < 1 else {
                throw Refusal("with.significance.alpha: write a number between 0 and 1")
            }
            alpha = written
        }
        if let written = fields["resamples"], written != .null {
            guard let number = written.int ?? written.string.flatMap({ Int($0) }), (99...1_000_000).contains(number)
            else {
                throw Refusal("with.significance.resamples: write a number from 99 to 1000000")
            }
            resamples = number
        }
    }

    static let inconclusive = "Unable to conclude if challenger is better than champion."
    static let worse = "New trained model is worse by more than chance."

    /// Without a champion there is nothing to conclude, and the gate stands open (S3-14).
    var withoutChampion: EvaluatedGate {
        EvaluatedGate(
            kind: "significance", name: test.rawValue, passed: true, message: "No champion model indicated",
            statistic: 0, pvalue: 0)
    }

    /// - Parameter challenger: paired with the champion's, row by row.
    func judge(challenger: Predictions, champion: Predictions, seed: UInt64) throws(Refusal) -> EvaluatedGate {
        let result: TestStatistic
        /// Above zero where the challenger is better: a test of both sides finds what is worse significant too.
        let gain: Double
        let note: String
        switch test {
        case .mcnemar:
            let pairs = zip(challenger.hits, champion.hits)
            let (own, other) = (pairs.count { $0 && !$1 }, pairs.count { !$0 && $1 })
            result = McNemar.test(first: other, second: own)
            (gain, note) = (Double(own - other), "right alone: new \(own), current \(other)")
        case .pairedT:
            result = PairedT.test(try differences(challenger, champion, atLeast: 2))
            (gain, note) = (result.statistic, Self.nearer(result.statistic))
        case .bootstrap:
            let differences = try differences(challenger, champion, atLeast: 1)
            guard differences.count * resamples <= Self.mostSteps else {
                throw Refusal(
                    "with.significance.resamples: \(resamples) resamples of \(differences.count) rows take too long; "
                        + "write at most \(Self.mostSteps / differences.count)")
            }
            result = PairedBootstrap.test(differences, resamples: resamples, seed: seed)
            (gain, note) = (result.statistic, Self.nearer(result.statistic))
        }
        let isSignificant = result.pvalue < alpha
        let passed = isSignificant && gain > 0
        let numbers =
            "\(test.rawValue): p value \(result.pvalue.short), asked for: below \(alpha) "
            + "(statistic \(result.statistic.short), \(challenger.count) rows, \(note))"
        return EvaluatedGate(
            kind: "significance", name: test.rawValue, passed: passed,
            message: passed ? numbers : "\(isSignificant && gain < 0 ? Self.worse : Self.inconclusive) \(numbers)",
            statistic: result.statistic.isFinite ? result.statistic : nil, pvalue: result.pvalue,
            rows: challenger.count)
    }

    private static func nearer(_ gain: Double) -> String {
        "less off: \(gain == 0 ? "neither" : gain > 0 ? "new" : "current")"
    }

    /// By how much less the challenger is off, in each row.
    private func differences(
        _ challenger: Predictions, _ champion: Predictions, atLeast least: Int
    ) throws(Refusal) -> [Double] {
        guard challenger.count >= least else {
            throw Refusal("\(test.rawValue) needs at least \(least) predictions, and there are \(challenger.count)")
        }
        if loss == .hit {
            return zip(challenger.hits, champion.hits).map { ($0 ? 1 : 0) - ($1 ? 1 : 0) }
        }
        guard let own = challenger.numbers, let others = champion.numbers else {
            throw Refusal("\(test.rawValue): not all predictions are numbers; for classes write mcnemar, or loss: hit")
        }
        return zip(own, others).map { own, other in size(other) - size(own) }
    }

    private func size(_ row: (label: Double, value: Double)) -> Double {
        let off = row.label - row.value
        return loss == .squared ? off * off : abs(off)
    }
}

extension Double {
    /// Six digits, for messages.
    var short: String {
        guard isFinite, self != 0 else { return String(self) }
        var digits = 1.0
        while abs(self) * digits < 100_000, digits < 1e15 { digits *= 10 }
        return String((self * digits).rounded() / digits)
    }
}
