import Foundation
import Processes
import ServiceKit

/// Processes of users' code that outlive the services that started them.
struct Leftovers: Sendable {
    /// Behind endpoints. Nobody reaches them without the gateway; the next `up` starts them again.
    var serving: [Marked] = []
    /// Steps at work. They go on: the next `up` finds them again, and nobody loses a day of training.
    var working: [Marked] = []

    struct Marked: Sendable {
        var identity: ProcessIdentity
        var name: String
        var value: String
    }

    init(of paths: DataPaths) {
        let pids = (try? FileManager.default.contentsOfDirectory(atPath: "/proc"))?.compactMap { Int32($0) } ?? []
        for pid in pids {
            guard let variables = Self.environment(of: pid), let identity = ProcessIdentity(pid: pid),
                variables["MARTLET_HOME"] == paths.root || Self.folder(of: pid)?.hasPrefix(paths.root + "/") == true
            else { continue }
            if let value = variables["MARTLET_DEPLOYMENT"] {
                serving.append(Marked(identity: identity, name: "MARTLET_DEPLOYMENT", value: value))
            } else if let value = variables["MARTLET_EXECUTION"] {
                working.append(Marked(identity: identity, name: "MARTLET_EXECUTION", value: value))
            }
        }
    }

    static func end(_ processes: [Marked]) async {
        await withTaskGroup(of: Void.self) { group in
            for process in processes {
                group.addTask {
                    await ProcessGroup.terminate(
                        process.identity, marker: (process.name, process.value), grace: .seconds(3))
                }
            }
        }
    }

    private static func environment(of pid: Int32) -> [String: String]? {
        guard let bytes = FileManager.default.contents(atPath: "/proc/\(pid)/environ") else { return nil }
        let pairs = bytes.split(separator: 0).compactMap { entry -> (String, String)? in
            let text = String(decoding: entry, as: UTF8.self)
            guard text.hasPrefix("MARTLET_"), let mark = text.firstIndex(of: "=") else { return nil }
            return (String(text[..<mark]), String(text[text.index(after: mark)...]))
        }
        return Dictionary(pairs, uniquingKeysWith: { first, _ in first })
    }

    private static func folder(of pid: Int32) -> String? {
        try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/cwd")
    }
}
