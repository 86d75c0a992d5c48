import Artifacts
import Foundation
import Messages
import ServiceKit
import Store

extension LocalBackend {
    /// `checks/publish`: JUnit reports of the working copy, counted and told together, whatever came of the checks
    /// (S1-2).
    func publishChecks(_ work: StepWork) async throws -> StepEnding {
        let patterns = work.with["junit"]
        let names = patterns?.array?.compactMap(\.string) ?? patterns?.string.map { [$0] } ?? []
        guard !names.isEmpty else {
            throw StepFailure("checks/publish: 'junit' is needed, for example junit: '*-results.xml'")
        }
        let failsOnFailed = try work.flag("fail_on_failed_tests") ?? false
        let files = RepositoryFiles(root: try await copies.prepare(work).source)
        var whole = TestReport()
        var reports: [String: Digest] = [:]
        var problems: [String] = []
        for name in try files.matching(names).prefix(Self.mostReports) {
            guard let place = files.place(name) else { continue }
            guard let size = RepositoryFiles.size(place), size <= Self.largestReport,
                let bytes = FileManager.default.contents(atPath: place)
            else {
                problems.append("\(name): is no file of at most \(Self.largestReport) bytes")
                continue
            }
            reports[name] = try await context.artifacts.put(bytes)
            do {
                let report = try JUnitReader.read(bytes)
                whole.cases += report.cases
                whole.suiteErrors += report.suiteErrors
            } catch {
                problems.append("\(name): \(error)")
            }
        }
        let isGood = whole.failed + whole.errors == 0 && problems.isEmpty
        let title = work.with["title"]?.string ?? "Checks"
        let words = problems + whole.broken(most: 5)
        let body = ChecksPublished(
            run: work.run.id, project: work.run.project, title: title, passed: whole.passed, failed: whole.failed,
            errors: whole.errors, skipped: whole.skipped, status: isGood ? "passed" : "failed", reports: reports,
            message: words.isEmpty ? nil : words.joined(separator: "; ").shortened())
        let counts = "\(title): \(whole.counts)"
        let result = StepResult(
            isGood || !failsOnFailed ? .succeeded : .failed,
            outputs: [
                "status": .string(body.status), "passed": .int(body.passed), "failed": .int(body.failed),
                "errors": .int(body.errors), "skipped": .int(body.skipped),
            ],
            message: ([counts] + words).joined(separator: "; ").shortened())
        return StepEnding(result) { transaction in
            try transaction.publish(
                body, subject: "run/\(body.run)", key: body.run, because: work.causation)
        }
    }

    private static let mostReports = 100
    private static let largestReport = 32 << 20
}
