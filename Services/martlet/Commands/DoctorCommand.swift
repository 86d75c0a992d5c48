import ArgumentParser
import Bus
import Foundation
import Messages
import ServiceKit

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Check what an installation stands on, and say what to mend.",
        discussion: """
            Works whether the suite runs or not, and changes nothing: programs, disk and locks, clock, ports, who may
            read secrets, the integrity of the databases, the artifact store, backups, the bus, the services and their
            version. Of an installation elsewhere (--url) it checks what can be asked from here.
            Examples:
              martlet doctor
              martlet doctor --data /srv/martlet --json
            The exit code is 1 when something is bad; what is only a warning can wait.
            """)

    @OptionGroup var installation: Installation

    func run() async throws {
        let paths = installation.paths
        let isRunning = installation.isElsewhere || SuiteRecord.read(paths)?.living(paths) != nil
        let suite = isRunning ? RunningSuite(ask: ask, status: { try await installation.api().get("/status") }) : nil
        let findings = await Doctor(
            paths: paths, ports: SuitePorts(), isHere: !installation.isElsewhere, suite: suite
        ).look()
        try installation.print(
            ["items": .array(findings.map(\.json)), "next": .null], FindingsText.render(findings))
        if findings.contains(where: { $0.state == .bad }) { throw ExitCode(CommandLineRun.failed) }
    }

    /// Whether that service answers over the bus.
    private func ask(_ source: Source) async throws {
        let bus = try installation.bus()
        do {
            _ = try await bus.head(of: source)
        } catch {
            await bus.shutdown()
            throw error
        }
        await bus.shutdown()
    }
}
