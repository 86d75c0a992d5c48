import ArgumentParser
import Messages

struct RunsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "runs", abstract: "Runs of pipelines.",
        discussion: "A RUN is an id, its last letters, a number, or pipeline#number.",
        subcommands: [
            List.self, Show.self, RunLogsCommand.self, Cancel.self, Retry.self, RunBypassCommand.self, Replay.self,
        ], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List runs, the newest first.",
            discussion: """
                Examples:
                  martlet runs list
                  martlet runs list --project churn --state not_promoted --limit 5
                """)

        @Option(help: "Only of this project.")
        var project: String?

        @Option(help: "Only of this pipeline.")
        var pipeline: String?

        @Option(
            help:
                "queued, running, canceling, finished, or an outcome: succeeded, failed, canceled, skipped, not_promoted."
        )
        var state: String?

        @Option(help: "Only of this branch.")
        var branch: String?

        @Option(help: "At most this many.")
        var limit = 20

        @OptionGroup var installation: Installation

        func validate() throws {
            guard limit > 0 else { throw ValidationError("--limit: take at least 1") }
            let words = ["queued", "running", "canceling", "finished"] + Outcome.allCases.map(\.rawValue)
            if let state, !words.contains(state) {
                throw ValidationError("--state: '\(state)' is none of \(words.joined(separator: ", "))")
            }
        }

        func run() async throws {
            let answer = try await installation.api().all(
                "/runs", [("project", project), ("pipeline", pipeline), ("state", state), ("branch", branch)],
                most: limit)
            try installation.print(
                answer, RunText.table.render(answer.items, empty: "no runs; a push or 'martlet run' starts one"))
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show one run with its jobs and steps.", discussion: "Example:\n  martlet runs show 12")

        @Argument(help: "The run.")
        var run: String

        @OptionGroup var installation: Installation

        func run() async throws {
            let answer = try await installation.api().get("/runs/\(APIClient.escape(run))")
            try installation.print(answer, RunText.whole(answer))
        }
    }

    struct Cancel: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Cancel a run; also one that waits for an approval or for its turn.",
            discussion: """
                What is worked on is told to stop; the run shows 'canceling' until every worker has confirmed,
                five minutes at most.

                Example:
                  martlet runs cancel 12 --reason 'wrong branch'
                """)

        @Argument(help: "The run.")
        var run: String

        @Option(help: "Why, for those who ask later.")
        var reason: String?

        @OptionGroup var installation: Installation

        func run() async throws {
            try await installation.ask(
                "runs", run, "cancel", with: ["reason": reason.map { .string($0) }],
                done: "run \(run) is being canceled")
        }
    }

    struct Replay: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take an event once more: a new cause of its own, about the same commit.",
            discussion: """
                What the event starts now are new runs; those of the first time stay as they are.

                Examples:
                  martlet runs replay 0192f3a1-…
                  martlet why-not train          (lists events with their ids)
                """)

        @Argument(help: "The id of a push, tick, command, finished run, change of a model, or an outsider's event.")
        var event: String

        @OptionGroup var installation: Installation

        func run() async throws {
            let api = try installation.api()
            let accepted = try await api.post(APIClient.path(["events", event, "replay"]))
            try await installation.carryOut(accepted, api) { command in
                let run = command["run"]?.string.map { "; run \($0) was started" } ?? ""
                return "event \(event) was taken once more as \(command.text("id"))\(run)"
            }
        }
    }

    struct Retry: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Run again what failed, with what succeeded kept.",
            discussion: """
                Begins with the jobs that did not succeed and those that build on them; outputs and model versions of
                the others stay. It is the same run, with another attempt: 'martlet runs show' lists them.

                Examples:
                  martlet runs retry 12
                  martlet runs retry 12 --all
                """)

        @Argument(help: "The run.")
        var run: String

        @Flag(help: "Also what succeeded.")
        var all = false

        @OptionGroup var installation: Installation

        func run() async throws {
            try await installation.ask(
                "runs", run, "retry", with: ["all": .bool(all)], done: "run \(run) is tried again")
        }
    }
}
