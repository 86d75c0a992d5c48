/// McNemar's test: whether two classifiers err on different rows by more than chance.
enum McNemar {
    /// Of rows on which exactly one is right: below, the exact binomial test; from here on, chi-squared.
    static let exactBelow = 25

    /// - Parameters:
    ///   - first: rows on which only the first is right.
    ///   - second: rows on which only the second is right.
    static func test(first: Int, second: Int) -> TestStatistic {
        let discordant = first + second
        guard discordant >= exactBelow else {
            let fewer = min(first, second)
            return TestStatistic(
                statistic: Double(fewer), pvalue: min(1, 2 * coinTosses(atMost: fewer, of: discordant)))
        }
        // With the continuity correction, as usual for this test.
        let distance = Double(abs(first - second) - 1)
        let statistic = distance * distance / Double(discordant)
        return TestStatistic(statistic: statistic, pvalue: SpecialFunctions.chiSquaredTail(statistic))
    }

    /// The chance of at most so many heads.
    private static func coinTosses(atMost heads: Int, of tosses: Int) -> Double {
        var ways = 1.0
        var sum = 0.0
        for count in 0...heads {
            sum += ways
            ways = ways * Double(tosses - count) / Double(count + 1)
        }
        return sum * (0..<tosses).reduce(1.0) { chance, _ in chance / 2 }
    }
}

/// What a significance test came to.
struct TestStatistic: Hashable, Sendable {
    var statistic: Double
    /// From 0 to 1.
    var pvalue: Double
}
