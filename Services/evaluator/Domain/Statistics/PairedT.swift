/// The paired t test: whether the mean of differences is other than zero (two-sided).
enum PairedT {
    /// - Parameter differences: of each row; at least two.
    static func test(_ differences: [Double]) -> TestStatistic {
        let count = Double(differences.count)
        let mean = differences.reduce(0, +) / count
        let squares = differences.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        let error = (squares / (count - 1) / count).squareRoot()
        guard error > 0 else {
            // All differences are equal: nothing is left to chance.
            return TestStatistic(statistic: mean == 0 ? 0 : mean * .infinity, pvalue: mean == 0 ? 1 : 0)
        }
        let statistic = mean / error
        return TestStatistic(
            statistic: statistic, pvalue: SpecialFunctions.studentTails(statistic, degrees: count - 1))
    }
}
