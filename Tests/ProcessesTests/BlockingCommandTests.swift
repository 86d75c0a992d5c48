import Foundation
import Testing

@testable import Processes

/// On a thread that may block, as it is meant for.
struct BlockingCommandTests {
    private func run(_ argv: [String], directory: String = ".") async throws -> CommandOutput {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(
                    with: Result {
                        try runBlocking(argv, directory: directory, environment: ["PATH": "/usr/bin:/bin", "A": "b"])
                    })
            }
        }
    }

    @Test func `output, errors, environment, directory and exit code of a program that blocks`() async throws {
        let script = "pwd; echo $A ${HOME-none}; echo oops >&2; exit 4"
        let result = try await run(["sh", "-c", script], directory: "/usr")
        #expect(result == CommandOutput(end: .code(4), output: Data("/usr\nb none\n".utf8), errors: "oops\n"))
    }

    @Test func `more than a pipe holds on both ways out blocks nothing`() async throws {
        let result = try await run(["sh", "-c", "head -c 300000 /dev/zero >&2; head -c 300000 /dev/zero"])
        #expect(result.end == .code(0) && result.output.count == 300_000 && result.errors.utf8.count == 300_000)
    }

    @Test func `a signal that ended it is told; what is missing has its name`() async throws {
        #expect(try await run(["sh", "-c", "kill -9 $$"]).end == .signal(9))
        let error = await #expect(throws: ProcessError.self) { try await run(["no-such-program"]) }
        #expect(error?.description.contains("no-such-program") == true)
    }

    @Test func `nothing of its files is left`() async throws {
        let kept = try await run(["sh", "-c", "readlink /proc/$$/fd/1"]).text
        #expect(kept.contains("martlet-run-"))
        let folder = URL(fileURLWithPath: kept.trimmingCharacters(in: .newlines)).deletingLastPathComponent().path
        #expect(!FileManager.default.fileExists(atPath: folder))
    }
}
