import ArgumentParser
import Messages

struct LogsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs", abstract: "The services' logs of events: who owns, who follows, and where it stands.",
        discussion: "What a step printed is shown by 'martlet runs logs'.",
        subcommands: [List.self, Release.self, NewEpoch.self], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List logs, their followers, and what waits.", discussion: "Example:\n  martlet logs")

        @OptionGroup var installation: Installation

        func run() async throws {
            let answer = try await installation.api().get("/logs")
            try installation.print(answer, LogsText.render(answer.items))
        }
    }

    struct Release: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let a service go on with a log that forked.",
            discussion: """
                A log forked when it contradicts what was read of it: its database was put back from a backup, or runs
                twice. Look into that first. The service then takes the log's word from there on; what it did because of
                events that the log no longer has stays as it is, and the answer says how many those are.
                Example:
                  martlet logs release deployer registry-service
                """)

        @Argument(help: "The service that does not follow the log.")
        var service: String

        @Argument(help: "The log.")
        var source: String

        @OptionGroup var installation: Installation

        func run() async throws {
            let api = try installation.api()
            let accepted = try await api.post(
                "/logs/\(APIClient.escape(service))/release", ["source": .string(source)])
            try await installation.carryOut(accepted, api, done: "released")
        }
    }

    struct NewEpoch: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "new-epoch", abstract: "Say that a service's database was put back from a backup.",
            discussion: """
                Its logs go on under a new epoch from where that database ends. Whoever had read more finds out and stops
                until released; nobody else notices. Services do so by themselves when they see it at their start.
                Example:
                  martlet logs new-epoch registry-service
                """)

        @Argument(help: "The service.")
        var service: String

        @Option(help: "For the record.")
        var reason: String?

        @OptionGroup var installation: Installation

        func run() async throws {
            let api = try installation.api()
            let body: JSONValue = reason.map { ["reason": .string($0)] } ?? [:]
            let answer = try await api.post("/logs/\(APIClient.escape(service))/epoch", body)
            if let epoch = answer["epoch"]?.int {
                return try installation.print(answer, "begun: epoch \(epoch)")
            }
            try await installation.carryOut(answer, api, done: "begun")
        }
    }
}
