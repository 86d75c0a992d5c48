import ArgumentParser
import Foundation
import Messages

/// `martlet plan`: it runs here, so that what is foretold and what happens come from the same code.
struct PlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "What events would start in a repository, and why; offline.")

    @Option(help: "Events as JSON: one, a list, or one a line; - for standard input.")
    var event: String

    @Option(help: "The file is what this forge delivers.")
    var forge: String?

    @Option(help: "What the forge's header says of it.")
    var kind: String?

    @Option(help: "A header that came with it, as 'Name: value'.")
    var header: [String] = []

    @Option(help: "The repository.")
    var repo = "."

    @Option(name: .customLong("var"), help: "A variable that the operator sets, as NAME=VALUE.")
    var values: [String] = []

    @Option(name: .customLong("vars"), help: "A <group>.env file of the operator's, or a folder of them.")
    var groups: [String] = []

    @Option(help: "Assume that what starts ends so, and go on with what that starts.")
    var ending: String?

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let outcome = try ending.map { word throws -> Outcome in
            guard let outcome = Outcome(rawValue: word) else {
                let known = Outcome.allCases.map(\.rawValue).joined(separator: ", ")
                throw Refusal("no run ends '\(word)'; take one of \(known)")
            }
            return outcome
        }
        let input = try PlanInput(try text(), forge: forge, kind: kind, headers: header)
        let variables = try PlanVariables(lines: values, paths: groups)
        let repository = try await OfflineRepository(path: repo)
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("martlet-plan-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let rehearsal = try await Rehearsal(repository, variables, folder: folder.path)
        var answers = [input.idle].compactMap(\.self)
        for event in input.events { answers += try await rehearsal.play(event, ending: outcome) }
        if json {
            print(String(decoding: try Wire.encode(JSONValue.object(["events": .array(answers)])), as: UTF8.self))
        } else {
            print(answers.map(RehearsalText.render).joined(separator: "\n"))
        }
    }

    private func text() throws -> Data {
        if event == "-" { return FileHandle.standardInput.readDataToEndOfFile() }
        guard let data = FileManager.default.contents(atPath: event) else {
            throw Refusal("there is no file '\(event)' that can be read")
        }
        return data
    }
}
