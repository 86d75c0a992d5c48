import ArgumentParser
import Messages

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Start a pipeline by hand.",
        discussion: """
            Examples:
              martlet run train --project churn
              martlet run train --project churn --branch main --param alpha=0.3 --wait
            With --wait the exit code is 0 when the run succeeded or was not promoted, else 1.
            """)

    @Argument(help: "The pipeline's name.")
    var pipeline: String

    @Option(help: "Its project; may be left out where only one has a pipeline of that name.")
    var project: String?

    @Option(help: "The branch to run; the repository's default branch where it is not given.")
    var branch: String?

    @Option(help: "The commit to run, one on a branch or a tag; the branch's newest where it is not given.")
    var sha: String?

    @Option(name: .customLong("param"), help: "A parameter as name=value; may be repeated.")
    var parameters: [String] = []

    @Flag(help: "Show what happens until the run has ended.")
    var wait = false

    @OptionGroup var installation: Installation

    func validate() throws {
        for parameter in parameters where !parameter.dropFirst().contains("=") {
            throw ValidationError("--param '\(parameter)': write it as name=value")
        }
    }

    func run() async throws {
        let api = try installation.api()
        var values: [String: JSONValue] = [:]
        for parameter in parameters {
            let parts = parameter.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            values[String(parts[0])] = .string(parts.count > 1 ? String(parts[1]) : "")
        }
        let accepted = try await api.post(
            "/runs",
            .object([
                "project": .string(try await chosenProject(api)), "pipeline": .string(pipeline),
                "branch": branch.map { .string($0) } ?? .null, "sha": sha.map { .string($0) } ?? .null,
                "parameters": .object(values),
            ]))
        let command = try await api.command(accepted)
        guard let run = command["run"]?.string else {
            return try installation.print(
                command, "accepted as \(command.text("id")); it is stored and starts when trigger-service is back")
        }
        guard wait else {
            return try installation.print(
                command, "run \(run)\n  martlet runs show \(run)\n  martlet runs logs -f \(run)")
        }
        let watch = RunWatch(api: api, correlation: command.text("id"), isQuiet: installation.json)
        let ended = try await watch.follow(run)
        try installation.print(ended, RunText.ending(ended))
        if ["failed", "canceled"].contains(ended.standing) { throw ExitCode(CommandLineRun.failed) }
    }

    private func chosenProject(_ api: APIClient) async throws -> String {
        if let project { return project }
        let projects = try await api.all("/projects", most: 500).items
        let having = projects.filter { $0["pipelines"]?.array?.contains(.string(pipeline)) == true }
        guard having.count == 1, let name = having.first?["name"]?.string else {
            let names = (having.isEmpty ? projects : having).map { $0.text("name") }.joined(separator: ", ")
            throw Failure(
                having.isEmpty
                    ? "no project has a pipeline '\(pipeline)'" : "several projects have a pipeline '\(pipeline)'",
                hint: names.isEmpty
                    ? "'martlet repo add' brings a project in" : "name one with --project: \(names)")
        }
        return name
    }
}
