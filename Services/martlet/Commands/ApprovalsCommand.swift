import ArgumentParser
import Messages

struct ApprovalsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "approvals", abstract: "Approvals that are waited for.", subcommands: [List.self],
        defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List approvals.",
            discussion: "Examples:\n  martlet approvals list\n  martlet approvals list --state all")

        @Option(help: "waiting, granted, rejected, expired, void, canceled, or all.")
        var state = "waiting"

        @OptionGroup var installation: Installation

        func run() async throws {
            let answer = try await installation.api().all("/approvals", [("state", state)], most: 200)
            try installation.print(answer, Self.table.render(answer.items, empty: "no approvals (\(state))"))
        }

        static var table: Table {
            Table([
                ("APPROVAL", { $0.text("id") }), ("STATE", { $0.text("state") }),
                ("FOR", { "\($0.text("project"))/\($0.text("pipeline")) \($0.text("environment"))" }),
                (
                    "VERSION",
                    { row in
                        guard let model = row["model"]?.string, let version = row["version"]?.scalarText else {
                            return "-"
                        }
                        return "\(model)/\(version)"
                    }
                ),
                ("GIVEN", { "\($0.text("given"))/\($0.text("required"))" }),
                ("REQUESTER", { $0.text("requester") }), ("EXPIRES", { $0.time("expires") }),
            ])
        }
    }
}

struct ApproveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "approve", abstract: "Approve what waits.",
        discussion: "Example:\n  martlet approve 0192f3a1 --comment 'numbers checked'")

    @Argument(help: "The approval's id, or a run that waits for just one.")
    var id: String

    @Option(help: "Kept with the approval.")
    var comment: String?

    @OptionGroup var installation: Installation

    func run() async throws { try await installation.answer(id, approve: true, comment) }
}

struct RejectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reject", abstract: "Reject what waits.",
        discussion: "Example:\n  martlet reject 0192f3a1 --comment 'trained on last year'")

    @Argument(help: "The approval's id, or a run that waits for just one.")
    var id: String

    @Option(help: "Kept with the approval.")
    var comment: String?

    @OptionGroup var installation: Installation

    func run() async throws { try await installation.answer(id, approve: false, comment) }
}

extension Installation {
    fileprivate func answer(_ id: String, approve: Bool, _ comment: String?) async throws {
        try await ask(
            "approvals", id, with: ["approve": .bool(approve), "comment": comment.map { .string($0) }],
            done: approve ? "approved" : "rejected")
    }
}
