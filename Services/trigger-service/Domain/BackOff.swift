/// How long to wait before trying again.
enum BackOff {
    /// 1, 2, 5, 10, 30, then 60 s: quick to recover, easy on a host that is down.
    static func afterFailures(_ count: Int) -> Duration {
        let steps = [1, 2, 5, 10, 30, 60]
        return .seconds(steps[min(max(count, 1), steps.count) - 1])
    }

    /// The declared wait, doubled for each try after the first, at most an hour.
    static func beforeAttempt(_ attempt: Int, first: Duration) -> Duration {
        let doublings = min(max(attempt - 2, 0), 12)
        return min(first * (1 << doublings), .seconds(3600))
    }
}
