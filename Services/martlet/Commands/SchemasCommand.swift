import ArgumentParser
import Foundation
import Messages
import ProjectFile

struct SchemasCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schemas",
        abstract: "Write a JSON Schema for every event, a page that lists them, and the bus's AsyncAPI document.",
        discussion: """
            Examples:
              martlet schemas --output docs/events
              martlet schemas --output docs/events --asyncapi docs/asyncapi.yaml --check
            """)

    @Option(help: "The folder; what is generated there is replaced.")
    var output: String

    @Option(help: "The AsyncAPI document; it refers to the schemas in 'events/' beside it.")
    var asyncapi: String?

    @Option(help: "The JSON Schema of martlet.yml, for editors.")
    var project: String?

    @Option(help: "Folder of real messages, one JSON file each: the document's examples.")
    var examples: String?

    @Flag(help: "Write nothing; fail when something is not up to date.")
    var check = false

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let files = try wanted()
        let present = (try? FileManager.default.contentsOfDirectory(atPath: output)) ?? []
        let extra = present.filter { $0.hasSuffix(".json") }.map { "\(output)/\($0)" }.filter { files[$0] == nil }
        let stale = files.keys.sorted().filter { (try? String(contentsOfFile: $0, encoding: .utf8)) != files[$0] }
        if check {
            let wrong = (stale + extra).sorted()
            guard wrong.isEmpty else {
                throw Failure(
                    "not up to date: \(wrong.joined(separator: ", "))",
                    hint: "run 'martlet schemas \(words)' and commit what it writes")
            }
            return try tell("\(output) is up to date (\(files.count) files)", files.count, written: 0, removed: 0)
        }
        try FileManager.default.createDirectory(atPath: output, withIntermediateDirectories: true)
        for path in stale {
            try Data((files[path] ?? "").utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
        }
        for path in extra { try FileManager.default.removeItem(atPath: path) }
        try tell(
            "\(output): \(files.count) files, \(stale.count) written, \(extra.count) removed", files.count,
            written: stale.count, removed: extra.count)
    }

    /// Path to content.
    private func wanted() throws -> [String: String] {
        var files: [String: String] = [:]
        for (name, text) in try EventReference.files() { files["\(output)/\(name)"] = text }
        if let project { files[project] = try Terminal.pretty(ProjectSchema.document) + "\n" }
        if let asyncapi {
            files[asyncapi] = try YAMLText.of(try AsyncAPIDocument(examples: try realMessages()).value())
        }
        return files
    }

    private func realMessages() throws -> [String: JSONValue] {
        guard let examples else { return [:] }
        let names = try FileManager.default.contentsOfDirectory(atPath: examples).filter { $0.hasSuffix(".json") }
        return try names.reduce(into: [:]) { messages, name in
            let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(examples)/\(name)"))
            messages[String(name.dropLast(".json".count))] = try Wire.decode(JSONValue.self, from: bytes)
        }
    }

    private var words: String {
        [("output", output), ("asyncapi", asyncapi), ("project", project), ("examples", examples)]
            .compactMap { name, value in value.map { "--\(name) \($0)" } }.joined(separator: " ")
    }

    private func tell(_ text: String, _ files: Int, written: Int, removed: Int) throws {
        guard json else { return print(text) }
        try Terminal.show(["files": .int(files), "written": .int(written), "removed": .int(removed)])
    }
}
