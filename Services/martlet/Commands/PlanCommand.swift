import ArgumentParser
import Foundation
import Messages
import Processes

struct PlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "What would an event start in a repository, and why? Offline, nothing begins.",
        discussion: """
            The file holds one event, a list, or one a line: whole CloudEvents as 'martlet events tail --json' prints them,
            or only what matters. What is left out is the repository's; without 'sha' its files count as they are.
              {"type": "change.pushed", "data": {"branch": "main", "paths": ["src/train.py"]}}
              {"type": "change.pull_request_opened", "data": {"pullRequest": {"target": "main", "fork": true}}}
              {"type": "change.tag_created", "data": {"tag": "v1.0"}}
              {"type": "change.commented", "data": {"text": "please /build"}}
              {"type": "change.release_published", "data": {"tag": "v1.0"}}
              {"type": "run.finished", "data": {"pipeline": "train", "outcome": "not_promoted"}}
              {"type": "model.stage_changed", "data": {"model": "churn", "to": "staged"}}
              {"type": "schedule.ticked", "data": {"pipeline": "train"}}
              {"type": "command.run_requested", "data": {"pipeline": "train", "parameters": {"alpha": 0.3}}}
              {"type": "com.acme.data.arrived", "data": {"table": "churn"}}
            A CDEvent counts as it is; of a forge's delivery say whose it is. Several events are played in order, and the
            same id twice is one cause.

            Examples:
              martlet plan --event push.json --repo ../churn
              martlet plan --event delivery.json --forge github --kind pull_request
              martlet plan --event push.json --vars ~/.martlet/variables --var REGION=eu
              martlet plan --event week.jsonl --ending succeeded --json
            """)

    @Option(help: "The events; - for standard input.")
    var event: String

    @Option(help: "The file is what this forge delivered: github, gitlab, gitea, azure-devops.")
    var forge: String?

    @Option(help: "What X-GitHub-Event or X-Gitea-Event said of it: push, pull_request, …")
    var kind: String?

    @Option(help: "A header that came with the file, as 'Name: value'; may be said several times.")
    var header: [String] = []

    @Option(help: "The repository's folder.")
    var repo = "."

    @Option(
        name: .customLong("var"),
        help: "A variable that the operator sets (MARTLET_VAR_NAME), as NAME=VALUE; may be said several times.")
    var values: [String] = []

    @Option(
        name: .customLong("vars"),
        help: "A file <group>.env with a group of the operator's, or a folder of them; may be said several times.")
    var groups: [String] = []

    @Option(help: "Assume that what starts ends so, and show what that would start: succeeded, failed, not_promoted, …")
    var ending: String?

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        var words = [try Executables.folder() + "/trigger-service", "plan", "--event", event, "--repo", repo]
        if let forge { words += ["--forge", forge] }
        if let kind { words += ["--kind", kind] }
        for header in header { words.append("--header=\(header)") }
        for value in values { words.append("--var=\(value)") }
        for group in groups { words.append("--vars=\(group)") }
        if let ending { words += ["--ending", ending] }
        if json { words.append("--json") }
        let input = event == "-" ? FileHandle.standardInput.readDataToEndOfFile() : nil
        let output = try await runCommand(words, input: input, timeout: .seconds(300), maxOutput: 256 << 20)
        guard output.end.isSuccess else {
            let reason = output.errors.trimmingCharacters(in: .whitespacesAndNewlines)
            throw Failure(
                reason.hasPrefix("Error: ") ? String(reason.dropFirst("Error: ".count)) : reason,
                hint: "'martlet plan --help' shows what events look like")
        }
        if json {
            try Terminal.show(try Wire.decode(JSONValue.self, from: output.output))
        } else {
            Terminal.say(output.text.printable, terminator: "")
        }
    }
}
