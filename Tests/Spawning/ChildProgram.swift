import Foundation
import Glibc
import Processes

/// A program that runs beside a test, such as a server in Python, and says in its first line where it can be reached.
///
/// Its input ends with the test's process, however that one ends, and its group is killed with this object. Not by
/// Foundation's `Process`: where more than some 1,300 files are open that one crashes, and all tests together come near.
///
/// A target of its own: several tests have such a server.
package final class ChildProgram: Sendable {
    package struct Silent: Error, CustomStringConvertible { package let description: String }

    /// What it wrote first, without the end of the line.
    package let firstLine: String
    /// The file with its standard error.
    package let errors: String
    private let process: DetachedProcess
    private let folder: String

    /// Returns when it has written a line.
    /// - Throws: `ProcessError`, or ``Silent`` when it ends, or half a minute passes, before it has written one.
    package init(_ argv: [String]) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("child-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        self.folder = folder
        errors = folder + "/errors"
        (process, firstLine) = try Self.start(argv, in: folder)
    }

    deinit {
        Self.end(process)
        try? FileManager.default.removeItem(atPath: folder)
    }

    private static func start(_ argv: [String], in folder: String) throws -> (DetachedProcess, String) {
        let (output, errors) = (folder + "/output", folder + "/errors")
        // A spawned process has no input: `tail` is one that ends with us. Once the program has ended, so does `tail`.
        let line = "tail --pid=\(getpid()) -f /dev/null | { \"$@\"; kill 0; }"
        let process = try DetachedProcess.spawn(
            ProcessRequest(
                argv: ["/bin/sh", "-c", line, "sh"] + argv, environment: ProcessInfo.processInfo.environment,
                directory: folder, output: output, errors: errors))
        do {
            return (process, try firstLine(of: process, in: output, errors))
        } catch {
            end(process)
            throw error
        }
    }

    private static func end(_ process: DetachedProcess) {
        if process.end == nil { _ = kill(-process.identity.pid, SIGKILL) }
    }

    private static func firstLine(of process: DetachedProcess, in output: String, _ errors: String) throws -> String {
        let deadline = ContinuousClock.now.advanced(by: .seconds(30))
        while true {
            // Looked at first: what has ended writes nothing after that.
            let ended = process.end
            let text = (try? String(contentsOfFile: output, encoding: .utf8)) ?? ""
            if let end = text.firstIndex(of: "\n") { return String(text[..<end]) }
            guard ended == nil, ContinuousClock.now < deadline else {
                let told = (try? String(contentsOfFile: errors, encoding: .utf8)) ?? ""
                throw Silent(description: "it said nothing\(ended.map { " and ended: \($0)" } ?? ""): \(told)")
            }
            Thread.sleep(forTimeInterval: 0.01)
        }
    }
}
