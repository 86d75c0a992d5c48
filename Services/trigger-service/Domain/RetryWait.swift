/// How long a job waits before it is tried again.
enum RetryWait {
    /// The declared wait, doubled for each try after the first, at most an hour.
    static func beforeAttempt(_ attempt: Int, first: Duration) -> Duration {
        let doublings = min(max(attempt - 2, 0), 12)
        return min(first * (1 << doublings), .seconds(3600))
    }
}
