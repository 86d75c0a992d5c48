import ArgumentParser
import Messages

struct TokensCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokens", abstract: "Who may use the API.",
        subcommands: [Create.self, List.self, Revoke.self], defaultSubcommand: List.self)

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a token; it is shown once.",
            discussion: """
                Example:
                  martlet tokens create --role approver --name kim --email kim@example.org --group ml-leads
                Roles: viewer sees; operator also starts, cancels and adds; approver also approves and moves stages;
                admin also makes tokens.
                The e-mail address is that of the person's commits: nobody approves what they pushed themselves.
                """)

        @Option(help: "viewer, operator, approver or admin.")
        var role: String

        @Option(help: "Whose it is; shown as user:NAME wherever it acts. Default: the role.")
        var name: String?

        @Option(name: .customLong("group"), help: "A group of the person, for 'from: group:…'; may be repeated.")
        var groups: [String] = []

        @Option(help: "The person's e-mail address, as in their commits: who pushed is recognised by it.")
        var email: String?

        @OptionGroup var installation: Installation

        func validate() throws {
            guard let name else { return }
            if name.isEmpty || name.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
                throw ValidationError("--name: give a plain name without control characters, or leave it out")
            }
        }

        func run() async throws {
            let answer = try await installation.api().post(
                "/tokens",
                [
                    "role": .string(role), "name": name.map { .string($0) } ?? .null,
                    "groups": .array(groups.map { .string($0) }),
                    "email": email.map { .string($0) } ?? .null,
                ])
            try installation.print(answer, answer.text("token"))
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List tokens; never their secrets.", discussion: "Example:\n  martlet tokens list")

        @OptionGroup var installation: Installation

        func run() async throws {
            let answer = try await installation.api().get("/tokens")
            let table = Table([
                ("TOKEN", { $0.text("id") }), ("NAME", { $0.text("name") }), ("ROLE", { $0.text("role") }),
                ("E-MAIL", { $0.text("email") }),
                ("GROUPS", { ($0["groups"]?.array ?? []).compactMap(\.string).joined(separator: ",") }),
                ("CREATED", { $0.time("created") }), ("REVOKED", { $0.time("revoked") }),
            ])
            try installation.print(answer, table.render(answer.items, empty: "no tokens"))
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take a token away, at once.", discussion: "Example:\n  martlet tokens revoke 1f2e3d4c5b6a7988")

        @Argument(help: "The token's id, as listed.")
        var id: String

        @OptionGroup var installation: Installation

        func run() async throws {
            let answer = try await installation.api().delete("/tokens/\(APIClient.escape(id))")
            let wasGone = answer["repeated"]?.bool == true
            try installation.print(answer, wasGone ? "\(id) was revoked before" : "revoked \(id)")
        }
    }
}
