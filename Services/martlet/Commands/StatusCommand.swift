import ArgumentParser
import Messages

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "How the suite is, and what waits for you.",
        discussion: """
            Examples:
              martlet status
              martlet status --json
            The exit code is 1 when a service is down, not ready, or behind: what is shown is old and does not get newer.
            """)

    @OptionGroup var installation: Installation

    func run() async throws {
        let answer = try await installation.api().get("/status")
        try installation.print(answer, StatusText.render(answer))
        let services = answer["services"]?.array ?? []
        if services.contains(where: { !["ready", "catching up"].contains($0["state"]?.string) }) {
            throw ExitCode(CommandLineRun.failed)
        }
    }
}
