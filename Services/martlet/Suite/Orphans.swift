import Foundation
import Messages
import Processes
import ServiceKit

/// Services of this folder whose supervisor was killed: they end by themselves within a second, but hold ports and
/// locks until then.
enum Orphans {
    static func end(_ members: [Member], paths: DataPaths) async {
        await withTaskGroup(of: Void.self) { group in
            for member in members {
                guard let orphan = find(member, paths) else { continue }
                group.addTask { await ProcessGroup.terminate(orphan, grace: .seconds(5)) }
            }
        }
    }

    private static func find(_ member: Member, _ paths: DataPaths) -> ProcessIdentity? {
        guard let address = ServiceAddress.read(from: paths.address(member.source, replica: member.replica)),
            let identity = ProcessIdentity(pid: address.pid),
            let words = FileManager.default.contents(atPath: "/proc/\(address.pid)/cmdline")
        else { return nil }
        let arguments = words.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
        // The number may be somebody else's by now, and a replica that an operator started is none of ours.
        let isOurs =
            arguments.contains { $0.hasSuffix("/\(member.executable)") } && arguments.contains(paths.root)
            && arguments.contains("--parent")
        return isOurs ? identity : nil
    }
}
