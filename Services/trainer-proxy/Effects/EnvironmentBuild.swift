import Foundation
import Messages

/// One environment to be there.
struct EnvironmentBuild: Sendable {
    static let kind = "python-venv"

    /// For its log.
    var name = "of the job"
    var digest: Digest
    var path: String
    var python: String
    /// Empty: there is nothing to install.
    var requirements: String
    /// What `requirements` holds, where it is no file of the repository.
    var content: Data?

    /// A virtual environment cannot be moved, so it is built in place, and complete only with this file in it.
    private static let completeMark = ".complete"

    var isComplete: Bool { FileManager.default.fileExists(atPath: "\(path)/\(Self.completeMark)") }

    /// Constant text; what is foreign comes in as "$1" to "$4", for one environment after the other. Everything is on the
    /// disk before the mark says so, and one that fails does not keep the others from being built (S3-6).
    private static let script = """
        failed=0
        while [ $# -gt 0 ]; do
          echo "building environment $1"
          rm -rf "$2" && "$3" -m venv "$2" \\
            && { [ -z "$4" ] || "$2/bin/python" -m pip install --disable-pip-version-check --no-input -r "$4"; } \\
            && sync -f "$2" && : > "$2/\(completeMark)" || { echo "environment $1 could not be built"; failed=1; }
          shift 4
        done
        exit $failed
        """

    static func command(
        for builds: [EnvironmentBuild], in folders: StepFolders, machine: [String: String]
    ) -> Command {
        var files: [String: Data] = [:]
        var arguments: [String] = []
        for (index, build) in builds.enumerated() {
            var requirements = build.requirements
            if let content = build.content {
                let name = "requirements-\(index).txt"
                files[name] = content
                requirements = "\(folders.record)/\(name)"
            }
            arguments += [build.name, build.path, build.python, requirements]
        }
        return Command(
            argv: ["/bin/sh", "-c", Self.script, "build"] + arguments, variables: machine,
            directory: folders.source, secrets: [], files: files)
    }

    var subject: String { "environment/\(digest.hex)" }

    func built(_ work: StepWork, seconds: Double) -> EnvironmentBuilt {
        EnvironmentBuilt(environment: digest, kind: Self.kind, path: path, run: work.run.id, seconds: seconds)
    }

    func reused(_ work: StepWork) -> EnvironmentReused {
        EnvironmentReused(environment: digest, kind: Self.kind, path: path, run: work.run.id)
    }

    func outputs(reused: Bool) -> [String: JSONValue] {
        ["environment": .string(digest.text), "path": .string(path), "reused": .bool(reused)]
    }
}
