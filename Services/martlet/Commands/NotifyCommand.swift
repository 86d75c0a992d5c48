import ArgumentParser
import Messages

struct NotifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "notify", abstract: "Messages to people.", subcommands: [Test.self])

    struct Test: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Send a test message to a project's channels.",
            discussion: "Example:\n  martlet notify test --project churn")

        @Option(help: "The project whose channels are tried.")
        var project: String

        @OptionGroup var installation: Installation

        func run() async throws {
            try await installation.ask("notifications", "test", with: ["project": .string(project)], done: "sent")
        }
    }
}
