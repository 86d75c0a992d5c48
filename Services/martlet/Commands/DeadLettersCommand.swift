import ArgumentParser
import Messages

struct DeadLettersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dlq", abstract: "Events that a service gave up.",
        subcommands: [List.self, Show.self, Retry.self, Drop.self], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List dead letters.", discussion: "Example:\n  martlet dlq list --service registry-service")

        @Option(help: "waiting, retried, dropped, or all.")
        var state = "waiting"

        @Option(help: "Only of this service.")
        var service: String?

        @OptionGroup var installation: Installation

        func run() async throws {
            let answer = try await installation.api().all(
                "/dead-letters", [("state", state), ("service", service)], most: 500)
            let table = Table([
                ("LETTER", { $0.text("id") }), ("SERVICE", { $0.text("service") }), ("EVENT", { $0.text("type") }),
                ("KEY", { $0.text("key") }), ("TRIES", { $0.text("attempts") }), ("SINCE", { $0.time("created") }),
                ("REASON", { $0.text("reason") }),
            ])
            try installation.print(answer, table.render(answer.items, empty: "no dead letters (\(state))"))
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show a dead letter with its event.", discussion: "Example:\n  martlet dlq show 0192f3a1-…")

        @Argument(help: "The letter's id.")
        var id: String

        @OptionGroup var installation: Installation

        func run() async throws {
            try Terminal.show(try await installation.api().get("/dead-letters/\(APIClient.escape(id))"))
        }
    }

    struct Retry: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Hand the event to its service again.", discussion: "Example:\n  martlet dlq retry 0192f3a1-…")

        @Argument(help: "The letter's id.")
        var id: String

        @OptionGroup var installation: Installation

        func run() async throws {
            let api = try installation.api()
            let accepted = try await api.post("/dead-letters/\(APIClient.escape(id))/retry")
            try await installation.carryOut(accepted, api, done: "handled")
        }
    }

    struct Drop: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give the event up for good.", discussion: "Example:\n  martlet dlq drop 0192f3a1-…")

        @Argument(help: "The letter's id.")
        var id: String

        @OptionGroup var installation: Installation

        func run() async throws {
            let api = try installation.api()
            let accepted = try await api.post("/dead-letters/\(APIClient.escape(id))/drop")
            try await installation.carryOut(accepted, api, done: "given up")
        }
    }
}
