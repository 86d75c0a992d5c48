import Foundation
import Messages
@testable import ProjectFile
import Testing

/// What is read from the five projects and laid out, as files: whatever becomes of the reader, this stays.
struct GoldenPlanTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures/projects")

    static let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [])
        .filter { $0.hasSuffix(".yml") }.sorted()

    @Test func `there are five projects`() { #expect(Self.names.count == 5) }

    @Test(arguments: names)
    func `the plans of a project are those that were agreed on`(name: String) throws {
        let text = try String(contentsOf: Self.folder.appending(path: name), encoding: .utf8)
        let project = try read(text).get()
        let pipelines = try project.pipelines.map { pipeline in
            let scope = try project.baseScope(environment: pipeline.environment)
            return pipeline.json(try project.planJobs(of: pipeline, in: scope))
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let plans = String(decoding: try encoder.encode(JSONValue.array(pipelines)), as: UTF8.self) + "\n"
        let golden = Self.folder.appending(path: name.replacing(".yml", with: ".plan.json"))
        if ProcessInfo.processInfo.environment["MARTLET_WRITE_FIXTURES"] != nil {
            try Data(plans.utf8).write(to: golden)
        }
        #expect(try String(contentsOf: golden, encoding: .utf8) == plans)
    }

    @Test(arguments: [
        "!steps.s.ok", "(params.p || params.q) && !(vars.flag && vars.seven)", "params.p == 'it''s' || false",
        "contains(event.comment, '/go') && always()", "!(params.p == null) != true", "params.q == 0.5",
    ])
    func `an expression is written as it was read`(text: String) throws {
        let place = Place(file: "", line: 1, column: 1)
        #expect(try ExpressionParser.parse(text, place: { _ in place }).text == text)
    }
}
