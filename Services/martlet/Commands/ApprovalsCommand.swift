import ArgumentParser
import Messages

struct ApprovalsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "approvals", abstract: "Approvals that are waited for.", subcommands: [List.self, Show.self],
        defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List approvals.",
            discussion: "Examples:\n  martlet approvals list\n  martlet approvals list --state all")

        @Option(help: "waiting, granted, rejected, expired, void, canceled, revoked, or all.")
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
                ("REQUESTER", { ApprovalText.requesters($0).joined(separator: ", ") }),
                ("EXPIRES", { $0.time("expires") }),
            ])
        }
    }
}

extension ApprovalsCommand {
    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show what is asked for, and who answered.",
            discussion: "Example:\n  martlet approvals show 0192f3a1")

        @Argument(help: "The approval's id, or a run that waits for just one.")
        var id: String

        @OptionGroup var installation: Installation

        func run() async throws {
            let answer = try await installation.api().get(APIClient.path(["approvals", id]))
            try installation.print(answer, ApprovalText.whole(answer))
        }
    }
}

struct ApproveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "approve", abstract: "Approve what waits.",
        discussion: """
            Says what is approved, and approves just that: when it has become about another version or decision
            meanwhile, nothing happens and the exit code is 1. Scripts name what they were shown themselves.

            Examples:
              martlet approve 0192f3a1 --comment 'numbers checked'
              martlet approve 0192f3a1 --version 7 --decision sha256:…
            """)

    @Argument(help: "The approval's id, or a run that waits for just one.")
    var id: String

    @Option(help: "Kept with the approval.")
    var comment: String?

    @Option(help: "Only if it is about this version.")
    var version: String?

    @Option(help: "Only if it is about the decision with this digest.")
    var decision: String?

    @OptionGroup var installation: Installation

    func run() async throws {
        try await installation.answer(id, approve: true, comment, version: version, decision: decision)
    }
}

struct RejectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reject", abstract: "Reject what waits.",
        discussion: """
            The job fails without having begun; jobs with 'if: rejected()' that need it run.

            Example:
              martlet reject 0192f3a1 --comment 'trained on last year'
            """)

    @Argument(help: "The approval's id, or a run that waits for just one.")
    var id: String

    @Option(help: "Kept with the approval.")
    var comment: String?

    @OptionGroup var installation: Installation

    func run() async throws { try await installation.answer(id, approve: false, comment) }
}

struct RevokeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "Take an approval back.",
        discussion: """
            While more people are waited for, your own agreement is withdrawn. Once granted, the job is stopped, and
            jobs with 'if: rejected()' that need it run. When the job was over already, the answer says how to take its
            deployment back.

            Example:
              martlet revoke 0192f3a1 --comment 'the test data had leaked'
            """)

    @Argument(help: "The approval's id.")
    var id: String

    @Option(help: "Kept with the approval.")
    var comment: String?

    @OptionGroup var installation: Installation

    func run() async throws {
        try await installation.ask(
            "approvals", id, "revoke", with: ["comment": comment.map { .string($0) }], done: "taken back")
    }
}

extension Installation {
    fileprivate func answer(
        _ id: String, approve: Bool, _ comment: String?, version: String? = nil, decision: String? = nil
    ) async throws {
        let shown = try await api().get(APIClient.path(["approvals", id]))
        // What was shown is what is answered; a person who names it has looked before.
        let seen: [String: JSONValue?] = [
            "version": version.map { .string($0) } ?? shown["version"],
            "decision": decision.map { .string($0) } ?? shown["decision"],
        ]
        if !json { Terminal.complain(ApprovalText.whole(shown)) }
        let answer: [String: JSONValue?] = ["approve": .bool(approve), "comment": comment.map { .string($0) }]
        try await ask(
            "approvals", shown.text("id"), with: answer.merging(seen) { $1 }, done: approve ? "approved" : "rejected")
    }
}
