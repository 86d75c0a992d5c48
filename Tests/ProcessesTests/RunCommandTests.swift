import Foundation
import Testing

@testable import Processes

struct RunCommandTests {
    @Test func `output, errors and exit code of a short program`() async throws {
        let result = try await runCommand(["/bin/sh", "-c", "cat; echo oops >&2; exit 4"], input: Data("in".utf8))
        #expect(result == CommandOutput(end: .code(4), output: Data("in".utf8), errors: "oops\n"))
    }

    @Test func `arguments reach a program as they are`() async throws {
        let result = try await runCommand(["printf", "%s|", "a b", "$(echo c)", "; d"])
        #expect(result.text == "a b|$(echo c)|; d|")
    }

    @Test func `directory and environment are the given ones`() async throws {
        let result = try await runCommand(
            ["/bin/sh", "-c", "pwd; echo $A; echo ${HOME-none}"], directory: "/usr", environment: ["A": "b"])
        #expect(result.text == "/usr\nb\nnone\n")
    }

    @Test func `a program that takes too long is ended`() async throws {
        let error = await #expect(throws: ProcessError.self) {
            try await runCommand(["sleep", "100"], timeout: .milliseconds(20))
        }
        #expect(error == .timedOut(program: "sleep", after: .milliseconds(20)))
    }

    @Test func `more output than allowed is an error`() async throws {
        let error = await #expect(throws: ProcessError.self) {
            try await runCommand(["head", "-c", "5000", "/dev/zero"], maxOutput: 100)
        }
        #expect(error == .tooMuchOutput(program: "head", limit: 100))
    }

    @Test func `a missing program is named`() async throws {
        let error = await #expect(throws: ProcessError.self) { try await runCommand(["no-such-program"]) }
        #expect(error?.description.contains("no-such-program") == true)
    }
}
