import ArgumentParser
import Foundation
import Messages

struct SchemasCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schemas", abstract: "Write a JSON Schema for every event, and a page that lists them.",
        discussion: """
            Examples:
              martlet schemas --output docs/events
              martlet schemas --output docs/events --check
            """)

    @Option(help: "The folder; what is generated there is replaced.")
    var output: String

    @Flag(help: "Write nothing; fail when the folder is not up to date.")
    var check = false

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let files = try EventReference.files()
        let folder = URL(fileURLWithPath: output)
        let present = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        let extra = present.filter { $0.hasSuffix(".json") && files[$0] == nil }
        let stale = files.keys.sorted().filter { name in
            (try? String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)) != files[name]
        }
        if check {
            let wrong = (stale + extra).sorted()
            guard wrong.isEmpty else {
                throw Failure(
                    "\(output) is stale: \(wrong.joined(separator: ", "))",
                    hint: "run 'martlet schemas --output \(output)' and commit what it writes")
            }
            return try tell("\(output) is up to date (\(files.count) files)", files.count, written: 0, removed: 0)
        }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for name in stale {
            try Data((files[name] ?? "").utf8).write(to: folder.appendingPathComponent(name), options: .atomic)
        }
        for name in extra { try FileManager.default.removeItem(at: folder.appendingPathComponent(name)) }
        try tell(
            "\(output): \(files.count) files, \(stale.count) written, \(extra.count) removed", files.count,
            written: stale.count, removed: extra.count)
    }

    private func tell(_ text: String, _ files: Int, written: Int, removed: Int) throws {
        guard json else { return print(text) }
        try Terminal.show(["files": .int(files), "written": .int(written), "removed": .int(removed)])
    }
}
