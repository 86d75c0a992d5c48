import Foundation
import Messages
import ServiceKit

/// What `martlet up` says.
enum UpText {
    static func render(_ record: SuiteRecord, _ ports: SuitePorts, _ paths: DataPaths, isDetached: Bool) -> String {
        let time = record.seconds.map { " in \(($0 * 100).rounded() / 100) s" } ?? ""
        let members = ports.members
        let width = members.map(\.source.name.count).max() ?? 0
        let lines = members.compactMap { member -> String? in
            guard let address = record.services[member.source.name], let offers = member.offers else { return nil }
            let name = member.source.name + String(repeating: " ", count: width - member.source.name.count)
            return "  \(name)  http://\(address.host):\(address.port)  \(offers)"
        }
        let folder = paths.root == defaultRoot ? "" : " --data \(paths.root)"
        let stop = isDetached ? "'martlet down\(folder)'" : "Ctrl-C or 'martlet down\(folder)'"
        return """
            Martlet is up\(time): all \(record.services.count) services are ready (pid \(record.pid), data \(paths.root))
            \(lines.joined(separator: "\n"))
            Next: martlet repo add NAME PATH-OR-URL\(folder)
            Stop: \(stop)
            """
    }

    private static var defaultRoot: String {
        DataPaths(root: (ProcessInfo.processInfo.environment["HOME"] ?? ".") + "/.martlet").root
    }

    static func alreadyRunning(_ paths: DataPaths) -> Failure {
        let pid = SuiteRecord.read(paths).map { " (pid \($0.pid))" } ?? ""
        return Failure(
            "Martlet already runs on \(paths.root)\(pid)",
            hint: "'martlet status --data \(paths.root)' shows it, 'martlet down --data \(paths.root)' ends it, "
                + "--data names another folder")
    }
}
