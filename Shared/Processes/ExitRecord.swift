import Foundation

/// Two files in which a process leaves that it began and how it ended, for whoever comes after our death.
package struct ExitRecord: Sendable, Hashable, Codable {
    /// Path of the file with the exit code; `<path>.started` says that the command was begun.
    package let path: String

    package init(path: String) { self.path = path }

    /// The command's exit code (128 + signal where one ended it); `nil` while it runs, or when it never said.
    package var code: Int32? {
        // One write of one line: a file without the line's end is half a record and counts as none.
        guard let text = try? String(contentsOfFile: path, encoding: .utf8), text.hasSuffix("\n") else { return nil }
        return Int32(text.dropLast())
    }

    package var wasStarted: Bool { FileManager.default.fileExists(atPath: path + ".started") }

    /// The process that writes this record, while it runs.
    ///
    /// - Parameter marker: an environment variable and its value that only this process and its children carry.
    package func process(marker: (name: String, value: String)) -> ProcessIdentity? {
        let text = try? String(contentsOfFile: path + ".started", encoding: .utf8)
        if let pid = text.flatMap({ Int32($0.trimmingCharacters(in: .whitespacesAndNewlines)) }),
            let identity = ProcessIdentity(pid: pid), ProcessTable.carries(pid, marker.name, marker.value)
        {
            return identity
        }
        // Spawned an instant ago, it may not have come to write its number.
        return ProcessTable.find(environment: marker.name, is: marker.value).first { $0.isSessionLeader }
    }

    package func remove() {
        for file in [path, path + ".started"] { unlink(file) }
    }

    static let shell = "/bin/sh"

    /// Constant text: what is foreign comes in as "$0" and "$@" and is never parsed.
    ///
    /// `set -C` opens the first file exclusively, so that the same record can never be begun twice. A trapped signal is
    /// back at its default in the command: a group that is terminated ends, while the shell stays to write the code.
    /// The shell's own remarks ("Terminated") are not the command's output.
    private static let script = """
        trap : HUP INT QUIT TERM; set -C; echo "$$" > "$0.started" || exit 125; set +C; \
        exec 3>&2 2> /dev/null; "$@" 2>&3 3>&-; code=$?; echo "$code" > "$0"; exit "$code"
        """

    func wrapping(_ argv: [String]) -> [String] { [Self.shell, "-c", Self.script, path] + argv }
}
