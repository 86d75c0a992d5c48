import ArgumentParser
import Messages

struct RunsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "runs", abstract: "Runs of pipelines.",
        discussion: "A RUN is an id, its last letters, a number, or pipeline#number.",
        subcommands: [List.self, Show.self, RunLogsCommand.self, Cancel.self, Retry.self])

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
                What is worked on is told to stop; the run shows 'canceling' until every worker has confirmed.

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
