/// How long to wait before trying again.
package enum BackOff {
    /// 1, 2, 5, 10, 30, then 60 s: quick to recover, easy on a host that is down.
    ///
    /// - Parameter count: failures in a row, the last one included.
    package static func afterFailures(_ count: Int) -> Duration {
        let steps = [1, 2, 5, 10, 30, 60]
        return .seconds(steps[min(max(count, 1), steps.count) - 1])
    }
}
