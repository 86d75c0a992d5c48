import Bus

/// At most `rate` a second, and one second's worth at once. Pure: `now` counts from any fixed moment.
struct TokenBucket: Sendable, Equatable {
    private let rate: Int
    private var tokens: Double
    private var filledAt: Duration

    init(rate: Int, now: Duration) {
        self.rate = rate
        tokens = Double(rate)
        filledAt = now
    }

    mutating func take(now: Duration) -> Bool {
        if rate == .max { return true }
        if now > filledAt {
            tokens = min(Double(rate), tokens + (now - filledAt).inSeconds * Double(rate))
            filledAt = now
        }
        guard tokens >= 1 else { return false }
        tokens -= 1
        return true
    }

    /// The same bucket under another rate: a change of the file fills nobody's bucket.
    func with(rate: Int, now: Duration) -> TokenBucket {
        guard rate != self.rate else { return self }
        var other = TokenBucket(rate: rate, now: now)
        other.tokens = min(Double(rate), tokens)
        return other
    }
}
