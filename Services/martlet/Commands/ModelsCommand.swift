import ArgumentParser
import Messages

struct ModelsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "models", abstract: "Models, their versions and stages.",
        subcommands: [List.self, Show.self, History.self, At.self, ModelsVerifyCommand.self, Transition.self],
        defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List models.", discussion: "Example:\n  martlet models list")

        @OptionGroup var installation: Installation

        func run() async throws {
            let answer = try await installation.api().all("/models", most: 1000)
            try installation.print(answer, Self.text(answer.items))
        }

        static func text(_ models: [JSONValue]) -> String {
            let table = Table([
                ("MODEL", { $0.text("model") }), ("LATEST", { $0.text("latest") }),
                ("VERSIONS", { $0.text("versions") }), ("STAGES", { stages($0) }),
                ("REGISTERED", { $0.time("registered") }),
            ])
            return table.render(models, empty: "no models; a run with registry/register makes the first")
        }

        private static func stages(_ model: JSONValue) -> String {
            (model["stages"]?.object ?? [:]).sorted { $0.key < $1.key }.map { stage, holders in
                let versions = (holders.array ?? []).compactMap(\.scalarText)
                return "\(stage)=\(versions.joined(separator: ","))"
            }.joined(separator: " ")
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show a model's versions, or one version.",
            discussion: "Examples:\n  martlet models show churn\n  martlet models show churn production")

        @Argument(help: "The model's name.")
        var model: String

        @Argument(help: "A number, 'latest', or a stage.")
        var version: String?

        @OptionGroup var installation: Installation

        func run() async throws {
            let api = try installation.api()
            let path = "/models/\(APIClient.escape(model))"
            if let version {
                let answer = try await api.get("\(path)/\(APIClient.escape(version))")
                return try installation.print(answer, try Terminal.pretty(answer))
            }
            let answer = try await api.all(path, most: 200)
            let table = Table([
                ("VERSION", { $0.text("version") }), ("STAGE", { $0.text("stage") }),
                ("METRICS", { Self.pairs($0["metrics"]) }), ("TAGS", { Self.pairs($0["tags"]) }),
                ("COMMIT", { $0.commit }), ("RUN", { $0.text("run") }), ("REGISTERED", { $0.time("registered") }),
            ])
            try installation.print(answer, table.render(answer.items, empty: "no versions"))
        }

        private static func pairs(_ value: JSONValue?) -> String {
            let pairs = (value?.object ?? [:]).sorted { $0.key < $1.key }
            return pairs.isEmpty ? "-" : pairs.map { "\($0.key)=\($0.value.scalarText ?? "?")" }.joined(separator: " ")
        }
    }

    struct History: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Who moved which version to which stage, and why; nothing is ever removed.",
            discussion: "Examples:\n  martlet models history churn\n  martlet models history churn --version 3")

        @Argument(help: "The model's name.")
        var model: String

        @Option(help: "Only of this version.")
        var version: String?

        @OptionGroup var installation: Installation

        func run() async throws {
            let answer = try await installation.api().all(
                "/models/\(APIClient.escape(model))/history", [("version", version)], most: 500)
            try installation.print(answer, Self.text(answer.items))
        }

        static func text(_ moves: [JSONValue]) -> String {
            let table = Table([
                ("TIME", { $0.time("time") }), ("VERSION", { $0.text("version") }), ("FROM", { $0.text("fromStage") }),
                ("TO", { $0.text("toStage") }), ("BY", { $0.text("actor") }), ("REASON", { $0.text("reason") }),
                // As much of the digest as tells one from another; --json has all of it.
                ("DECISION", { String($0.text("decision").prefix("sha256:".count + 12)) }),
                ("APPROVAL", { $0.text("approval") }),
            ])
            return table.render(moves, empty: "no stage was ever changed")
        }
    }

    struct At: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Which version was in which stage at a time.",
            discussion: "Example:\n  martlet models at churn --time 2026-01-31T12:00:00Z")

        @Argument(help: "The model's name.")
        var model: String

        @Option(help: "The time, as 2026-01-31T12:00:00Z.")
        var time: String

        @OptionGroup var installation: Installation

        func validate() throws {
            guard Timestamp(time) != nil else {
                throw ValidationError("'\(time)' is not a time; write it as 2026-01-31T12:00:00Z")
            }
        }

        func run() async throws {
            let answer = try await installation.api().get("/models/\(APIClient.escape(model))/at", [("time", time)])
            let table = Table([
                ("VERSION", { $0.text("version") }), ("STAGE", { $0.text("stage") }), ("SINCE", { $0.time("since") }),
                ("BY", { $0.text("actor") }), ("REASON", { $0.text("reason") }),
            ])
            try installation.print(answer, table.render(answer.items, empty: "no versions at that time"))
        }
    }

    struct Transition: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Move a version to another stage.",
            discussion:
                "Example:\n  martlet models transition churn 3 production --expect staged --reason 'pilot done'")

        @Argument(help: "The model's name.")
        var model: String

        @Argument(help: "A number, 'latest', or a stage.")
        var version: String

        @Argument(help: "The stage it goes to.")
        var to: String

        @Option(help: "Only when it is in this stage now.")
        var expect: String?

        @Option(help: "Only when this version holds the stage now; 'none' for nobody.")
        var expectHolder: String?

        @Option(help: "Why, for those who ask later.")
        var reason: String?

        @OptionGroup var installation: Installation

        func run() async throws {
            try await installation.ask(
                "models", model, version, "transition",
                with: [
                    "to": .string(to), "expect": expect.map { .string($0) },
                    "expectHolder": expectHolder.map { .string($0) }, "reason": reason.map { .string($0) },
                ],
                done: "\(model) \(version) is \(to)")
        }
    }
}
