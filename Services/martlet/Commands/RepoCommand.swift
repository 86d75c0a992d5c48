import ArgumentParser
import Foundation
import Messages

struct RepoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "repo", abstract: "Repositories that are watched.",
        subcommands: [Add.self, List.self, Remove.self], defaultSubcommand: List.self)

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Watch a repository, by path or URL.",
            discussion: """
                Examples:
                  martlet repo add churn /srv/git/churn.git
                  martlet repo add churn https://github.com/acme/churn.git --poll 60 --branch main
                  martlet repo add churn https://github.com/acme/churn.git --forge github --webhook-secret CHURN_HOOK
                Again with the same address, it changes how webhooks are recognised.
                """)

        @Argument(help: "Its name in Martlet.")
        var name: String

        @Argument(help: "A path, or a URL that git understands, without a password in it.")
        var address: String

        @Option(help: "Seconds between two looks at it.")
        var poll: Double?

        @Option(name: .customLong("branch"), help: "Watch only this branch; may be repeated.")
        var branches: [String] = []

        @Option(help: "The only forge whose webhooks count: github, gitlab, gitea or azure-devops.")
        var forge: String?

        @Option(help: "Its address at the forge, where it is read from elsewhere, such as a mirror.")
        var forgeURL: String?

        @Option(
            help:
                "The name of the secret that proves its webhooks, a file in <data>/secrets. Default: WEBHOOK_GITHUB, …."
        )
        var webhookSecret: String?

        @Flag(
            inversion: .prefixedNo,
            help: "Whether pull requests of forks, whose code is a stranger's, start pipelines. Default: they do not.")
        var forks: Bool?

        @OptionGroup var installation: Installation

        func run() async throws {
            try await installation.ask(
                "repositories",
                with: [
                    "repository": .string(name), "url": .string(Self.absolute(address)),
                    "pollSeconds": poll.map { .double($0) },
                    "branches": branches.isEmpty ? nil : .array(branches.map { .string($0) }),
                    "forge": forge.map { .string($0) }, "forgeURL": forgeURL.map { .string($0) },
                    "webhookSecret": webhookSecret.map { .string($0) }, "ignoreForks": forks.map { .bool(!$0) },
                ], done: "\(name) is watched")
        }

        /// A path means the same to the services, whose working folder is another.
        static func absolute(_ address: String) -> String {
            if address.contains("://") || isRemote(address) { return address }
            return URL(fileURLWithPath: (address as NSString).expandingTildeInPath).standardizedFileURL.path
        }

        /// `git@host:path`: a colon before the first slash.
        private static func isRemote(_ address: String) -> Bool {
            guard let colon = address.firstIndex(of: ":") else { return false }
            return !address[..<colon].contains("/")
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the repositories.", discussion: "Example:\n  martlet repo list --json")

        @OptionGroup var installation: Installation

        func run() async throws {
            let answer = try await installation.api().all("/repositories", most: 1000)
            try installation.print(answer, repositoryTable.render(answer.items, empty: Self.empty))
        }

        static let empty = "no repository is watched; 'martlet repo add NAME PATH-OR-URL' adds one"
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Stop watching a repository; its runs stay.", discussion: "Example:\n  martlet repo remove churn")

        @Argument(help: "Its name in Martlet.")
        var name: String

        @OptionGroup var installation: Installation

        func run() async throws {
            let api = try installation.api()
            let accepted = try await api.delete("/repositories/\(APIClient.escape(name))")
            try await installation.carryOut(accepted, api, done: "\(name) is no longer watched")
        }
    }
}

var repositoryTable: Table {
    Table([
        ("NAME", { $0.text("name") }), ("STATE", { $0.text("state") }), ("BRANCH", { $0.text("branch") }),
        ("COMMIT", { $0.commit }), ("PUSHED", { $0.time("pushed") }), ("ADDRESS", { $0.text("url") }),
        (
            "NOTE",
            { row in
                if let errors = row["errors"]?.array, let first = errors.first {
                    let place = "\(first.text("file")):\(first.text("line")):\(first.text("column"))"
                    return "project file rejected: \(place): \(first.text("message"))"
                }
                return row.text("reason")
            }
        ),
    ])
}
