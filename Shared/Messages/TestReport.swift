/// What a test run reported, counted from its cases.
package struct TestReport: Hashable, Sendable {
    package struct Case: Hashable, Sendable {
        package enum Status: String, Sendable { case passed, failed, error, skipped }

        package var name: String
        package var status: Status
        /// Of a failure or an error: its first line.
        package var message: String?

        package init(name: String, status: Status = .passed, message: String? = nil) {
            self.name = name
            self.status = status
            self.message = message
        }
    }

    package var cases: [Case] = []
    /// Errors that belong to a suite and to no case, as a collection that could not be done.
    package var suiteErrors = 0

    package init() {}

    private func count(_ status: Case.Status) -> Int { cases.count { $0.status == status } }

    package var passed: Int { count(.passed) }
    package var failed: Int { count(.failed) }
    package var errors: Int { count(.error) + suiteErrors }
    package var skipped: Int { count(.skipped) }

    package var counts: String { "\(passed) passed, \(failed) failed, \(errors) errors, \(skipped) skipped" }

    /// The first cases that failed or broke, with what they say, and how many more there are.
    package func broken(most: Int) -> [String] {
        let broken = cases.filter { $0.status == .failed || $0.status == .error }
        let named = broken.prefix(most).map { broken in broken.message.map { "\(broken.name): \($0)" } ?? broken.name }
        return named + (broken.count > most ? ["and \(broken.count - most) more"] : [])
    }
}
