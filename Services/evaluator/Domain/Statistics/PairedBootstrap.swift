/// The paired bootstrap: how often the mean of resampled differences shows no improvement (one-sided).
enum PairedBootstrap {
    /// - Parameters:
    ///   - differences: of each row, positive where the challenger is better.
    ///   - seed: the same question gets the same answer.
    static func test(_ differences: [Double], resamples: Int, seed: UInt64) -> TestStatistic {
        var numbers = SplitMix(state: seed)
        let count = differences.count
        var without = 0
        for _ in 0..<resamples {
            var sum = 0.0
            for _ in 0..<count { sum += differences[numbers.next(below: count)] }
            if sum <= 0 { without += 1 }
        }
        let mean = differences.reduce(0, +) / Double(count)
        // Counting the sample itself keeps the chance of an error above zero.
        return TestStatistic(statistic: mean, pvalue: Double(without + 1) / Double(resamples + 1))
    }
}

/// Numbers out of a seed (Steele, Lea, Flood 2014): the same ones on every machine.
struct SplitMix: Sendable {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    /// Uniform but for a bias below one in 2⁴⁰ for all sizes that occur here.
    mutating func next(below bound: Int) -> Int {
        Int(next().multipliedFullWidth(by: UInt64(bound)).high)
    }
}
