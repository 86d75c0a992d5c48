import Glibc
import Processes

/// GNU tar. Blocking: only for the store's own queue.
enum TarProgram {
    /// What it printed.
    static func run(_ arguments: [String]) throws -> String {
        let places: [String] = ["/usr/bin/tar", "/bin/tar"]
        guard let program = places.first(where: { access($0, X_OK) == 0 }) else {
            throw ArtifactError.tar("not installed; install GNU tar")
        }
        let done: CommandOutput
        do {
            done = try runBlocking([program] + arguments, environment: ["LC_ALL": "C", "PATH": "/usr/bin:/bin"])
        } catch let error as ProcessError {
            throw ArtifactError.tar("\(error)")
        }
        guard done.end.isSuccess else {
            let words = done.errors.split(separator: "\n").suffix(3).joined(separator: "; ")
            throw ArtifactError.tar(words.isEmpty ? "\(done.end)" : words)
        }
        return done.text
    }
}
