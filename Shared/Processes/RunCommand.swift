import Foundation
import Subprocess
import SystemPackage

/// What a short program wrote and how it ended.
package struct CommandOutput: Sendable, Hashable {
    package var end: ProcessEnd
    package var output: Data
    package var errors: String

    package init(end: ProcessEnd, output: Data, errors: String) {
        self.end = end
        self.output = output
        self.errors = errors
    }

    package var text: String { String(decoding: output, as: UTF8.self) }
}

/// Runs a short program to its end; whatever its exit code, that is an answer and no error.
///
/// - Parameters:
///   - argv: the program, by path or by name, and its arguments; no shell reads them.
///   - environment: the whole environment; `nil` inherits ours.
///   - maxOutput: bytes of standard output; more is an error rather than a half answer.
/// - Throws: `ProcessError`, or `CancellationError`; by then the program and its children have been ended.
@concurrent
package func runCommand(
    _ argv: [String], directory: String? = nil, environment: [String: String]? = nil, input: Data? = nil,
    timeout: Duration = .seconds(60), maxOutput: Int = 16 << 20
) async throws -> CommandOutput {
    guard let program = argv.first else {
        throw ProcessError.notStarted(program: "", directory: directory ?? ".", reason: "the command is empty")
    }
    return try await withThrowingTaskGroup(of: CommandOutput?.self) { group in
        group.addTask {
            try await run(argv, directory: directory, environment: environment, input: input, maxOutput: maxOutput)
        }
        group.addTask {
            try await Task.sleep(for: timeout)
            return nil
        }
        defer { group.cancelAll() }
        guard let first = try await group.next(), let output = first else {
            throw ProcessError.timedOut(program: program, after: timeout)
        }
        return output
    }
}

@concurrent
private func run(
    _ argv: [String], directory: String?, environment: [String: String]?, input: Data?, maxOutput: Int
) async throws -> CommandOutput {
    let program = argv[0]
    var options = PlatformOptions()
    options.createSession = true
    options.teardownSequence = [
        .gracefulShutDown(toProcessGroup: true, allowedDurationToNextStep: .seconds(2)),
        .send(signal: .kill, toProcessGroup: true, allowedDurationToNextStep: .seconds(1)),
    ]
    let variables = environment.map { pairs in
        Dictionary(pairs.map { (Environment.Key(stringLiteral: $0.key), $0.value) }, uniquingKeysWith: { $1 })
    }
    do {
        let result = try await Subprocess.run(
            program.contains("/") ? .path(FilePath(program)) : .name(program),
            arguments: Arguments(Array(argv.dropFirst())),
            environment: variables.map { Environment.custom($0) } ?? .inherit,
            workingDirectory: directory.map { FilePath($0) },
            platformOptions: options,
            input: .array(input.map { Array($0) } ?? []),
            output: .bytes(limit: maxOutput),
            error: .bytes(limit: 1 << 20))
        try Task.checkCancellation()
        let end: ProcessEnd =
            switch result.terminationStatus {
            case .exited(let code): .code(code)
            case .signaled(let signal): .signal(signal)
            }
        return CommandOutput(
            end: end, output: Data(result.standardOutput),
            errors: String(decoding: result.standardError, as: UTF8.self))
    } catch let error as SubprocessError {
        try Task.checkCancellation()
        if error.code == .outputLimitExceeded { throw ProcessError.tooMuchOutput(program: program, limit: maxOutput) }
        throw ProcessError.notStarted(program: program, directory: directory ?? ".", reason: "\(error)")
    }
}
