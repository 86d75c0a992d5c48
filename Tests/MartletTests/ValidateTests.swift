import Foundation
import Messages
import Testing

@testable import Martlet

struct ValidateTests {
    private func report(_ text: String?) throws -> ValidationReport {
        let folder = NSTemporaryDirectory() + "validate-" + UUID().uuidString + "/churn"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        if let text { try Data(text.utf8).write(to: URL(fileURLWithPath: folder + "/martlet.yml")) }
        return try ValidationReport(path: folder)
    }

    @Test func `a project file that holds is named with its pipelines`() throws {
        let report = try report(
            """
            martlet: 1
            project: churn
            pipelines:
              train:
                on:
                  push: {}
                jobs:
                  fit:
                    steps:
                      - run: "true"
            """)
        #expect(report.text == "churn is valid; pipelines: train")
        #expect(report.json["valid"] == true)
    }

    @Test func `all errors are told at once, each with its place`() throws {
        let report = try report(
            """
            martlet: 1
            project: churn
            pipelines:
              train:
                jobs:
                  fit:
                    stpes:
                      - run: "true"
                  judge:
                    needs: [fitt]
                    steps:
                      - run: "true"
            """)
        #expect(report.errors.count >= 2)
        #expect(report.text.contains("martlet.yml:7:"))
        #expect(report.text.contains("steps"))
        #expect(report.text.hasSuffix("\(report.errors.count) errors"))
        #expect(report.json["errors"]?[0]?["line"]?.int != nil)
    }

    @Test func `what nothing comes of is warned of with its place, and the file is valid`() throws {
        let report = try report(
            """
            martlet: 1
            project: churn
            pipelines:
              train:
                jobs:
                  fit:
                    steps:
                      - uses: image/build
                        with: { repository: churn }
            """)
        #expect(
            report.text == """
                martlet.yml:8:19: warning: nothing serves 'image/build' yet: a run that reaches it fails there
                churn is valid; pipelines: train; 1 warning
                """)
        #expect(report.json["valid"] == true && report.json["errors"] == [])
        #expect(report.json["warnings"]?[0]?["line"] == 8 && report.json["warnings"]?[0]?["column"] == 19)
    }

    @Test func `a folder without a project file says so`() throws {
        let report = try report(nil)
        #expect(report.errors.count == 1)
        #expect(report.text.contains("there is no martlet.yml"))
    }

    @Test func `a file of any name is read`() throws {
        let folder = NSTemporaryDirectory() + "validate-" + UUID().uuidString + "/churn"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let text =
            "martlet: 1\nproject: churn\npipelines:\n  train:\n    on: {push: {}}\n    jobs:\n"
            + "      fit:\n        steps:\n          - run: 'true'\n"
        try Data(text.utf8).write(to: URL(fileURLWithPath: folder + "/draft.yaml"))
        #expect(try ValidationReport(path: folder + "/draft.yaml").text == "churn is valid; pipelines: train")
    }

    @Test func `the exit code tells`() async {
        let folder = NSTemporaryDirectory() + UUID().uuidString
        #expect(await CommandLineRun.run(["validate", folder]) == 1)
    }
}
