import Foundation
import Messages
import ProjectFile
import Testing

@testable import TriggerService

struct PlanVariablesTests {
    private static func project(_ groups: String) throws -> Project {
        try Simulation.project(
            """
            martlet: 1
            project: demo
            variable_groups: \(groups)
            variables: { region: local }
            pipelines: { p: { jobs: { a: { steps: [ { run: x } ] } } } }
            """)
    }

    /// A folder with these files, for as long as `body` runs.
    private func files(_ texts: [String: String], _ body: (String) throws -> Void) throws {
        let folder = NSTemporaryDirectory() + "martlet-plan-variables-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for (name, text) in texts { try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name)")) }
        try body(folder)
    }

    @Test func `P10 a folder of groups counts as the data folder's, and a single value over all`() throws {
        let texts = ["shared.env": "TABLE=churn\nregion=eu\n", "other.env": "TABLE=other\n", "notes.txt": "no"]
        try files(texts) { folder in
            let given = try PlanVariables(lines: ["SIZE=7", "region='us = x'"], paths: [folder])
            let (project, missing) = given.variables.equip(try Self.project("[shared, gone]"))
            #expect(missing == ["gone"])
            #expect(try project.variableValues() == ["TABLE": "churn", "SIZE": 7, "region": "us = x"])
            try given.check(project)
        }
    }

    @Test func `a single file is the group that it is called after, and no other`() throws {
        try files(["shared.env": "TABLE=churn\n"]) { folder in
            let given = try PlanVariables(lines: [], paths: [folder + "/shared.env"])
            try given.check(try Self.project("[shared]"))
            for groups in ["[]", "[other]"] {
                #expect(throws: Refusal.self) { try given.check(try Self.project(groups)) }
            }
        }
    }

    @Test(arguments: ["", "region", "=x", "1a=x", "a=1\nb=2", "# nothing", "a='x"])
    func `what is no NAME=VALUE is refused`(line: String) {
        #expect(throws: Refusal.self) { try PlanVariables(lines: [line], paths: []) }
    }
}
