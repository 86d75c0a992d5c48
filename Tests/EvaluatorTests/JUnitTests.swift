import Foundation
import Messages
import ServiceKit
import Testing

@testable import Evaluator

@Suite struct JUnitTests {
    private func fixture(_ name: String) throws -> Data {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        return try Data(contentsOf: folder.appendingPathComponent("Fixtures/junit/\(name).junit.xml"))
    }

    private func verdict(_ report: TestReport, succeeded: Bool = true) -> TestVerdict {
        TestVerdict(report: report, problem: nil, succeeded: succeeded, end: "exit code 1")
    }

    @Test func `S0-14 a real report is counted by its cases`() throws {
        let report = try JUnitReader.read(try fixture("pytest-mixed"))
        let counts: [Int] = [report.passed, report.failed, report.errors, report.skipped]
        #expect(counts == [4, 1, 1, 2])
        #expect(report.cases.map(\.name).contains("test_model.TestGroup.test_in_class"))
        let failure = report.cases.first { $0.status == .failed }
        #expect(failure?.message == "AssertionError: p95 120ms & <limit> \"100\"")
        let verdict = verdict(report)
        #expect(!verdict.passed)
        #expect(verdict.message.hasPrefix("4 passed, 1 failed, 1 errors, 2 skipped; test_model.test_latency: "))
    }

    @Test(arguments: ["pytest-no-tests", "pytest-collection-error"])
    func `S0-16 no tests is not a pass`(_ name: String) throws {
        let verdict = verdict(try JUnitReader.read(try fixture(name)))
        #expect(!verdict.passed)
        #expect(verdict.message.contains("no tests is not a pass"))
    }

    @Test func `S0-16 a collection error is not a pass`() throws {
        let report = try JUnitReader.read(try fixture("pytest-import-error"))
        #expect(report.errors == 1)
        #expect(!verdict(report).passed)
    }

    @Test func `S0-16 all passed is a pass only when the command succeeded too`() throws {
        let report = try JUnitReader.read(Data(#"<testsuite><testcase name="a"/></testsuite>"#.utf8))
        #expect(verdict(report).passed)
        #expect(!verdict(report, succeeded: false).passed)
        let skipped = try JUnitReader.read(
            Data(#"<testsuite><testcase name="a"><skipped/></testcase></testsuite>"#.utf8))
        #expect(!verdict(skipped).passed)
        let missing = TestVerdict(report: nil, problem: "no report", succeeded: true, end: "exit code 0")
        #expect(!missing.passed)
    }

    @Test(arguments: [
        "", "not xml", "<testsuite><testcase", "<html></html>",
        "<!DOCTYPE a [<!ENTITY x \"y\">]><testsuite><testcase name=\"&x;\"/></testsuite>",
    ])
    func `S0-16 what is no report is refused`(_ text: String) {
        #expect(throws: JUnitReader.Unreadable.self) { try JUnitReader.read(Data(text.utf8)) }
    }

    @Test func `S0-16 an error of a suite counts, and of two words about a case the graver`() throws {
        let text = """
            <testsuites><testsuite><error message="boom"/>
            <testcase name="a"><failure message="one"/><error message="two"/></testcase></testsuite></testsuites>
            """
        let report = try JUnitReader.read(Data(text.utf8))
        #expect(report.errors == 2)
        #expect(report.failed == 0)
    }
}
