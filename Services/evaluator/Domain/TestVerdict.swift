import Messages

/// What is made of a test run: only a whole success is a pass (S0-16).
struct TestVerdict: Hashable, Sendable {
    var passed: Bool
    var message: String

    /// - Parameters:
    ///   - report: `nil` where there is none, or none that can be read; `problem` then says why.
    ///   - end: how the command ended, for people.
    init(report: TestReport?, problem: String?, succeeded: Bool, end: String) {
        guard let report else {
            passed = false
            message = "\(problem ?? "there is no report"); the command ended with \(end)"
            return
        }
        let counts = report.counts
        if report.failed + report.errors > 0 {
            passed = false
            message = ([counts] + report.broken(most: 3)).joined(separator: "; ").shortened()
        } else if report.passed == 0 {
            passed = false
            message = "no test passed, because none ran: \(counts); no tests is not a pass"
        } else if !succeeded {
            passed = false
            message = "\(counts), but the command ended with \(end)"
        } else {
            passed = true
            message = counts
        }
    }
}
