import Messages

/// What a test run reported, counted from its cases.
struct TestReport: Hashable, Sendable {
    struct Case: Hashable, Sendable {
        enum Status: String, Sendable { case passed, failed, error, skipped }

        var name: String
        var status = Status.passed
        /// Of a failure or an error: its first line.
        var message: String?
    }

    var cases: [Case] = []
    /// Errors that belong to a suite and to no case, as a collection that could not be done.
    var suiteErrors = 0

    func count(_ status: Case.Status) -> Int { cases.count { $0.status == status } }

    var passed: Int { count(.passed) }
    var failed: Int { count(.failed) }
    var errors: Int { count(.error) + suiteErrors }
    var skipped: Int { count(.skipped) }
}

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
        let counts =
            "\(report.passed) passed, \(report.failed) failed, \(report.errors) errors, \(report.skipped) skipped"
        let broken = report.cases.filter { $0.status == .failed || $0.status == .error }
        if report.failed + report.errors > 0 {
            passed = false
            let named = broken.prefix(3).map { broken in
                broken.message.map { "\(broken.name): \($0)" } ?? broken.name
            }
            let more = broken.count > 3 ? ["and \(broken.count - 3) more"] : []
            message = ([counts] + named + more).joined(separator: "; ").shortened()
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
