import ArgumentParser
import Messages

struct ArtifactsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "artifacts", abstract: "The store of models, logs, reports and snapshots.",
        subcommands: [List.self, Collect.self], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Where the artifacts are, how many, and the newest.",
            discussion: "Example:\n  martlet artifacts list")

        @OptionGroup var installation: Installation

        func run() async throws {
            let answer = try await installation.api().get("/artifacts")
            let table = Table([
                ("ARTIFACT", { $0.text("digest") }), ("SIZE", { Sizes.text($0["size"]) }),
                ("STORED", { $0.time("stored") }),
            ])
            try installation.print(
                answer,
                "\(answer.text("artifacts")) artifacts, \(Sizes.text(answer["bytes"])), in \(answer.text("place"))\n\n"
                    + table.render(answer.items, empty: "nothing is stored yet"))
        }
    }

    struct Collect: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "gc", abstract: "Remove artifacts that nobody refers to any more.",
            discussion: """
                Every service is asked what it refers to, in its state and in its logs: versions, runs, deployments,
                reports. What is left over and older than --grace is shown, and removed only with --delete.
                Examples:
                  martlet artifacts gc
                  martlet artifacts gc --grace 7d --delete
                """)

        @Option(help: "Keep what was stored within that time, for example 2h, 7d; at least 2h.")
        var grace: Span = Span(seconds: 24 * 3600)

        @Flag(help: "Remove it. Without this flag nothing is removed.")
        var delete = false

        @OptionGroup var installation: Installation

        func validate() throws {
            if grace.seconds < 2 * 3600 {
                throw ValidationError("--grace: at least 2h; whoever stores an artifact refers to it a little later")
            }
        }

        func run() async throws {
            let api = try installation.api()
            var (total, bytes, unfinished): (Int, Int, Int) = (0, 0, 0)
            var answer: JSONValue
            repeat {
                answer = try await api.post(
                    "/artifacts/sweep", ["dryRun": .bool(!delete), "graceHours": .double(grace.seconds / 3600)])
                total += answer["removed"]?.int ?? 0
                bytes += answer["removedBytes"]?.int ?? 0
                unfinished += answer["unfinished"]?.int ?? 0
                if delete, answer["more"]?.bool == true { Terminal.complain("\(total) removed so far …") }
            } while delete && answer["more"]?.bool == true && answer["removed"]?.int ?? 0 > 0
            if case .object(var members) = answer {
                members["removed"] = .int(total)
                members["removedBytes"] = .int(bytes)
                members["unfinished"] = .int(unfinished)
                answer = .object(members)
            }
            let words =
                delete
                ? "removed: \(total) artifacts, \(Sizes.text(.int(bytes))), and \(unfinished) unfinished uploads"
                : "nobody refers to \(total)\(answer["more"]?.bool == true ? " or more" : "") of "
                    + "\(answer.text("artifacts")) artifacts, \(Sizes.text(.int(bytes))); \(unfinished) uploads were "
                    + "never finished; 'martlet artifacts gc --delete' removes them"
            let young = answer["young"]?.int ?? 0
            try installation.print(
                answer,
                words + (young > 0 ? "\n\(young) more without a reference are younger than \(grace)" : ""))
        }
    }
}
