import ArgumentParser
import Bus
import Foundation
import Messages
import ServiceKit

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Check what an installation stands on, and say what to mend.",
        discussion: """
            Works whether the suite runs or not, and changes nothing: programs, disk and locks, clock, ports, who may read
            secrets, the integrity of the databases, the bus, the artifact store, backups.
            Examples:
              martlet doctor
              martlet doctor --data /srv/martlet --json
            The exit code is 1 when something is bad.
            """)

    @OptionGroup var installation: Installation

    func run() async throws {
        let paths = installation.paths
        let isRunning = SuiteRecord.read(paths)?.living(paths) != nil
        let doctor = Doctor(
            paths: paths, ports: SuitePorts(),
            ask: { source in
                let bus = try installation.bus()
                do {
                    _ = try await bus.head(of: source)
                    await bus.shutdown()
                } catch {
                    await bus.shutdown()
                    throw error
                }
            }, isRunning: isRunning)
        let findings = await doctor.look()
        let table = Table([
            ("CHECK", { $0.text("check") }), ("", { $0.text("state") }), ("FOUND", { $0.text("note") }),
        ])
        let rows = findings.map(\.json)
        let advice = findings.filter { !$0.advice.isEmpty }.map { "- \($0.check): \($0.note)\n  \($0.advice)" }
        try installation.print(
            ["items": .array(rows), "next": .null],
            ([table.render(rows, empty: "")] + advice).joined(separator: "\n\n"))
        if findings.contains(where: { $0.state == .bad }) { throw ExitCode(CommandLineRun.failed) }
    }
}
