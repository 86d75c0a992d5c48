import Foundation
import Glibc

/// Runs a short program to its end on the caller's own thread, which has to be one that may block: never one of the
/// cooperative pool. Whatever its exit code, that is an answer and no error.
///
/// For who is asynchronous there is `runCommand`, with a limit of time and of what is written.
///
/// - Parameters:
///   - argv: the program, by path or by a name looked up in the PATH of `environment`, and its arguments.
///   - environment: the whole environment: nothing is inherited.
/// - Throws: `ProcessError`, or why the files that its output was kept in could not be read.
package func runBlocking(
    _ argv: [String], directory: String = ".", environment: [String: String]
) throws -> CommandOutput {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("martlet-run-\(UUID().uuidString)").path
    // New, and nobody else's: nothing in it leads to a file of others.
    guard mkdir(folder, 0o700) == 0 else {
        throw ProcessError.notStarted(
            program: argv.first ?? "", directory: directory, reason: "\(folder): \(String(cString: strerror(errno)))")
    }
    defer { try? FileManager.default.removeItem(atPath: folder) }
    // Files, not pipes: two pipes read one after the other can block each other.
    let request = ProcessRequest(
        argv: argv, environment: environment, directory: directory, output: folder + "/output",
        errors: folder + "/errors")
    let pid = try request.start()
    var status: Int32 = 0
    while waitpid(pid, &status, 0) == -1 {
        guard errno == EINTR else { throw ProcessError.notWatched(pid: pid, reason: String(cString: strerror(errno))) }
    }
    return CommandOutput(
        end: ProcessEnd(waitStatus: status), output: try Data(contentsOf: URL(fileURLWithPath: folder + "/output")),
        errors: String(decoding: try Data(contentsOf: URL(fileURLWithPath: folder + "/errors")), as: UTF8.self))
}
