import ArgumentParser
import Messages

struct EndpointsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "endpoints", abstract: "Stable URLs and the versions behind them.",
        subcommands: [List.self, Show.self, Rollback.self], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List endpoints.", discussion: "Example:\n  martlet endpoints list")

        @OptionGroup var installation: Installation

        func run() async throws {
            let answer = try await installation.api().all("/endpoints", most: 1000)
            let table = Table([
                ("ENDPOINT", { $0.text("name") }), ("STATE", { $0.text("state") }),
                ("SERVES", { "\($0.text("model"))/\($0.text("version"))" }), ("CHANGED", { $0.time("changed") }),
                ("URL", { $0.text("url") }), ("DRIFTED", { $0.text("drift") }),
            ])
            try installation.print(
                answer, table.render(answer.items, empty: "no endpoints; a run with deploy/model makes the first"))
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show an endpoint and its deployments.", discussion: "Example:\n  martlet endpoints show api")

        @Argument(help: "The endpoint's name.")
        var name: String

        @OptionGroup var installation: Installation

        func run() async throws {
            let answer = try await installation.api().get("/endpoints/\(APIClient.escape(name))")
            let table = Table([
                ("DEPLOYMENT", { $0.text("id") }), ("VERSION", { "\($0.text("model"))/\($0.text("version"))" }),
                ("STATE", { $0.text("state") }), ("STARTED", { $0.time("started") }),
                ("SMOKE TEST", { $0.text("smokeTest") }), ("NOTE", { $0.text("message") }),
            ])
            let head =
                "\(name) \(answer.text("state")): \(answer.text("model"))/\(answer.text("version")) at \(answer.text("url"))"
            let drift = answer["drift"]?.string.map { "\ndrifted: \($0)" } ?? ""
            try installation.print(
                answer,
                head + drift + "\n\n" + table.render(answer["deployments"]?.array ?? [], empty: "no deployments"))
        }
    }

    struct Rollback: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Go back to the last version that passed its smoke test.",
            discussion: "Example:\n  martlet endpoints rollback api --reason 'errors in the log'")

        @Argument(help: "The endpoint's name.")
        var name: String

        @Option(help: "Why, for those who ask later.")
        var reason: String?

        @OptionGroup var installation: Installation

        func run() async throws {
            try await installation.ask(
                "endpoints", name, "rollback", with: ["reason": reason.map { .string($0) }], done: "\(name) went back")
        }
    }
}
