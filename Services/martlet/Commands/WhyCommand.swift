import ArgumentParser
import Messages

struct WhyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "why", abstract: "Why did this happen? From the commit, person or tick to here.",
        discussion: """
            Examples:
              martlet why churn/production
              martlet why churn/3
              martlet why 12
              martlet why 0192f3a1-…    (a run, any event, or a message that told of one)
            """)

    @Argument(help: "A run, model/version, model/stage, or the id of an event or of a message.")
    var about: String

    @OptionGroup var installation: Installation

    func run() async throws {
        let answer = try await installation.api().get("/why", [("about", about)])
        try installation.print(answer, WhyText.render(answer))
    }
}

struct WhyNotCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "why-not", abstract: "Why did a pipeline not start? The stored verdicts.",
        discussion: """
            Examples:
              martlet why-not train
              martlet why-not train --event 0192f3a1-…
            """)

    @Argument(help: "The pipeline's name.")
    var pipeline: String

    @Option(help: "The push, tick or command in question; the last ones where it is not given.")
    var event: String?

    @Option(help: "At most this many, up to 500. Default: 5, with --event 50.")
    var limit: Int?

    @Flag(help: "Also causes of kinds that the pipeline does not listen to.")
    var all = false

    @OptionGroup var installation: Installation

    func validate() throws {
        if let limit, !(1...500).contains(limit) { throw ValidationError("--limit: take 1 to 500") }
    }

    func run() async throws {
        let most = limit ?? (event == nil ? 5 : 50)
        let answer = try await installation.api().get(
            "/why-not",
            [("pipeline", pipeline), ("event", event), ("limit", String(most)), ("all", all ? "true" : nil)])
        try installation.print(answer, WhyText.verdicts(answer.items))
    }
}
