import Foundation
import Messages
import Testing

@testable import Evaluator

/// Against what scipy and statsmodels say (Tests/Fixtures/statistics; test_statistics.py holds that file to them).
@Suite struct StatisticsTests {
    struct Expected: Decodable {
        struct McNemar: Decodable, Sendable {
            var first, second: Int
            var statistic, pvalue: Double
        }
        struct Paired: Decodable, Sendable {
            var differences: [Double]
            var statistic, pvalue, bootstrap: Double
        }
        struct Scores: Decodable, Sendable {
            var labels, predictions: [String]
            var metrics: [String: Double]
        }
        var mcnemar: [McNemar]
        var paired: [Paired]
        var scores: [Scores]
    }

    private let expected: Expected

    init() throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let bytes = try Data(contentsOf: folder.appendingPathComponent("Fixtures/statistics/expected.json"))
        expected = try JSONDecoder().decode(Expected.self, from: bytes)
    }

    private func same(_ one: Double, _ other: Double, within share: Double = 1e-9) -> Bool {
        abs(one - other) <= share * max(abs(one), abs(other), 1e-12)
    }

    @Test func `S3-14 McNemar's test is statsmodels'`() {
        #expect(expected.mcnemar.count >= 10)
        for known in expected.mcnemar {
            let own = McNemar.test(first: known.first, second: known.second)
            #expect(same(own.statistic, known.statistic), "\(known)")
            #expect(same(own.pvalue, known.pvalue), "\(known)")
        }
    }

    @Test func `E4 the paired t test is scipy's`() {
        #expect(expected.paired.count >= 6)
        for known in expected.paired {
            let own = PairedT.test(known.differences)
            #expect(same(own.statistic, known.statistic), "\(known.differences.count) rows")
            #expect(same(own.pvalue, known.pvalue, within: 1e-8), "\(known.differences.count) rows")
        }
    }

    @Test func `E4 the paired bootstrap agrees with scipy's as far as chance lets it`() {
        for known in expected.paired {
            let own = PairedBootstrap.test(known.differences, resamples: 9_999, seed: 7)
            // Two estimates from 9,999 resamples each: four standard deviations.
            let deviation = 4 * (2 * known.bootstrap * (1 - known.bootstrap) / 9_999).squareRoot() + 0.002
            #expect(abs(own.pvalue - known.bootstrap) <= deviation, "\(known.differences.count) rows")
            #expect(own == PairedBootstrap.test(known.differences, resamples: 9_999, seed: 7))
        }
    }

    @Test func `E4 differences without any spread leave nothing to chance`() {
        #expect(PairedT.test([0, 0, 0]).pvalue == 1)
        #expect(PairedT.test([1, 1, 1]).pvalue == 0)
        #expect(McNemar.test(first: 0, second: 0).pvalue == 1)
    }

    @Test func `E6 metrics computed from predictions are scikit-learn's`() throws {
        #expect(!expected.scores.isEmpty)
        for known in expected.scores {
            let predictions = Predictions(labels: known.labels, values: known.predictions)
            for (name, value) in known.metrics {
                let own = try #require(ComputedMetric(rawValue: name)?.value(of: predictions))
                #expect(same(own, value), "\(name)")
            }
        }
    }
}
