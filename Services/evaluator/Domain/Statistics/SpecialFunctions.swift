import Foundation

/// The distributions behind the tests.
enum SpecialFunctions {
    /// The upper tail of chi-squared with one degree of freedom.
    static func chiSquaredTail(_ statistic: Double) -> Double { erfc((statistic / 2).squareRoot()) }

    /// Both tails of Student's t.
    static func studentTails(_ statistic: Double, degrees: Double) -> Double {
        incompleteBeta(degrees / (degrees + statistic * statistic), degrees / 2, 0.5)
    }

    /// The regularized incomplete beta function, by its continued fraction (Abramowitz and Stegun 26.5.8).
    static func incompleteBeta(_ x: Double, _ a: Double, _ b: Double) -> Double {
        guard x > 0 else { return 0 }
        guard x < 1 else { return 1 }
        let front = exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * log(x) + b * log1p(-x))
        // The fraction converges fast on this side of the mean only; the other side is its mirror.
        return x < (a + 1) / (a + b + 2)
            ? front * fraction(x, a, b) / a : 1 - front * fraction(1 - x, b, a) / b
    }

    /// Lentz's way to evaluate it.
    private static func fraction(_ x: Double, _ a: Double, _ b: Double) -> Double {
        let tiny = 1e-300
        func away(_ value: Double) -> Double { abs(value) < tiny ? tiny : value }
        var numerator = 1.0
        var denominator = 1 / away(1 - (a + b) * x / (a + 1))
        var value = denominator
        for step in 1...10_000 {
            let m = Double(step)
            for coefficient in [
                m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
                -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
            ] {
                denominator = 1 / away(1 + coefficient * denominator)
                numerator = away(1 + coefficient / numerator)
                value *= denominator * numerator
            }
            if abs(denominator * numerator - 1) < 1e-15 { break }
        }
        return value
    }

    private static func logGamma(_ x: Double) -> Double {
        let value: Double = lgamma(x)
        return value
    }
}
