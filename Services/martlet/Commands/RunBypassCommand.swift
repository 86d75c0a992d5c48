import ArgumentParser
import Messages

struct RunBypassCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bypass",
        abstract: "Let a challenger pass a comparison that it lost; needs a reason and is told to everybody.",
        discussion: """
            The run then goes on with 'martlet runs retry RUN'. It holds for this run and this pair of models only: it is void
            once another version is champion.

            Example:
              martlet runs bypass 12 --reason 'the old model cannot read the new columns'
            """)

    @Argument(help: "The run.")
    var run: String

    @Option(help: "JOB/STEP of the comparison, where the run lost several.")
    var step: String?

    @Option(help: "Why, for those who ask later.")
    var reason: String

    @OptionGroup var installation: Installation

    func validate() throws {
        if reason.allSatisfy(\.isWhitespace) { throw ValidationError("--reason: say why") }
    }

    func run() async throws {
        try await installation.ask(
            "runs", run, "bypass", with: ["reason": .string(reason), "step": step.map { .string($0) }],
            done: "the challenger of run \(run) may pass; go on with 'martlet runs retry \(run)'")
    }
}
