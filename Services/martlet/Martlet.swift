import ArgumentParser
import Foundation

#if canImport(Glibc)
    import Glibc
#endif

/// The CLI's beginning. ArgumentParser's own `main` would end usage errors with 64; ours end with 2.
package enum MartletMain {
    package static func main() async {
        exit(await CommandLineRun.run(Array(CommandLine.arguments.dropFirst())))
    }
}

struct MartletCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "martlet",
        abstract: "Takes an ML repository from git push to a served, smoke-tested model.",
        discussion: """
            Begin with:
              martlet up --detach
              martlet repo add churn /path/to/your/repository
              martlet events tail
            'martlet --version' says which Martlet this is.
            Exit codes: 0 done, 1 what was asked for failed, 2 usage, 3 Martlet is not reachable.
            """,
        subcommands: [
            UpCommand.self, DownCommand.self, StatusCommand.self, DoctorCommand.self, RepoCommand.self,
            ValidateCommand.self, PlanCommand.self,
            RunCommand.self, RunsCommand.self, ApprovalsCommand.self, ApproveCommand.self, RejectCommand.self,
            RevokeCommand.self, ModelsCommand.self, EndpointsCommand.self, EventsCommand.self, BridgeCommand.self,
            WhyCommand.self, WhyNotCommand.self, DeadLettersCommand.self, LogsCommand.self, ArtifactsCommand.self,
            BackupCommand.self, RestoreCommand.self, TokensCommand.self, KeysCommand.self, NotifyCommand.self,
            HealthCommand.self, SchemasCommand.self,
        ])
}
